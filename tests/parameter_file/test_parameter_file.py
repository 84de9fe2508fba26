"""The parameter file: published numbers, every mistake at once, atomic writing, schema."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

import weakreset.resources as resources
from weakreset.errors import OutputError, ParameterFileError, UsageError
from weakreset.parameter_file import (
    check_without,
    json_schema,
    load_parameters,
    majumdar2021,
    parse_parameters,
    preset_names,
    save_parameters,
)
from weakreset.parameter_file.load_save import dump_parameters

BUNDLED = resources.bundled("fitted_params")


def broken(change) -> str:
    raw = json.loads(dump_parameters(majumdar2021()))
    change(raw)
    return json.dumps(raw)


def test_the_preset_holds_the_published_numbers_exactly():
    raw = json.loads((BUNDLED / "majumdar2021.json").read_text())
    law = {name: (p["family"], p["params"], p["truncation"]) for name, p in raw["parameters"].items()}
    assert law == {
        "r0_ohm": ("norm", {"mean": 6988.0, "sd": 381.7}, [6252.0, 7897.0]),
        "m1": ("expon", {"loc": 3.7415768289771944e-05, "scale": 6.564678011593196e-04}, [3.74e-5, 0.0076]),
        "t_star": ("lognorm", {"s": 0.8033817700570505, "scale": 542.5385224079308}, [41.0, 2000.0]),
        "c1": ("norm", {"mean": 0.005293141020227579, "sd": 0.05320804175540371}, [-0.15, 0.15]),
        "m2": ("expon", {"loc": 0.0, "scale": 2.8890516951651312e-05}, [0.0, 1.3e-4]),
    }
    assert raw["noise"]["pink"]["alpha"] == pytest.approx(2.5e-2 / 12**0.5, rel=1e-15)
    assert (raw["noise"]["rtn"]["p_up"], raw["noise"]["rtn"]["p_down"]) == (8e-4, 2e-3)


def test_bundled_files_are_what_the_code_writes():
    assert (BUNDLED / "majumdar2021.json").read_text() == dump_parameters(majumdar2021())
    assert (BUNDLED / "schema.json").read_text() == json_schema()


@pytest.mark.parametrize("name", preset_names())
def test_every_bundled_file_loads_and_agrees_with_the_json_schema(name):
    raw = json.loads((BUNDLED / f"{name}.json").read_text())
    jsonschema.Draft202012Validator(json.loads(json_schema())).validate(raw)
    assert load_parameters(name).name == raw["name"]


def test_every_mistake_is_reported_at_once():
    def change(raw):
        raw["parameters"]["m1"]["params"]["scale"] = -1.0
        raw["parameters"]["c1"]["truncation"] = [0.15, -0.15]
        raw["noise"]["pink"]["alhpa"] = 1.0
        raw["noise"]["rtn"]["p_up"] = 2.0

    with pytest.raises(ParameterFileError) as error:
        parse_parameters(broken(change), "lot.json")
    message = str(error.value)
    for words in ("lot.json: 4 mistakes", "m1", "truncation is empty", "did you mean 'alpha'", "p_up"):
        assert words in message


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda raw: raw["parameters"].pop("t_star"), "missing t_star"),
        (lambda raw: raw.update(model="cubic"), "two-slope"),
        (lambda raw: raw.update(schema="bpx"), "not a weakreset parameter file"),
        (lambda raw: raw.update(schema_version="9.0.0"), "upgrade"),
        (lambda raw: raw["parameters"]["m1"].update(family="cauchy"), "family"),
        (lambda raw: raw["parameters"]["m1"]["params"].update(scale="6e-4"), "number"),
        (lambda raw: raw.update(correlation={"names": ["m1", "x"], "matrix": [[1.0, 0.5], [0.5, 1.0]]}), "x"),
        (lambda raw: raw.update(correlation={"names": ["m1", "m2"], "matrix": [[1.0, 1.5], [1.5, 1.0]]}), "between"),
    ],
)
def test_mistakes_are_named(change, words):
    with pytest.raises(ParameterFileError, match=words):
        parse_parameters(broken(change))


@pytest.mark.parametrize("text", ["", "{", "[1]", "\x00", '{"a": NaN}', '{"schema": 1, "schema": 2}', "[" * 100000])
def test_what_is_not_a_parameter_file_is_refused(text):
    with pytest.raises(ParameterFileError):
        parse_parameters(text)


def test_nan_is_refused():
    text = dump_parameters(majumdar2021()).replace("6988.0", "NaN")
    with pytest.raises(ParameterFileError, match="mean"):
        parse_parameters(text)


def test_missing_file_names_the_presets():
    with pytest.raises(ParameterFileError, match="majumdar2021"):
        load_parameters("no/such/file.json")


@given(st.binary(max_size=200))
def test_any_bytes_either_load_or_are_refused_in_words(content):
    with pytest.raises(ParameterFileError):
        parse_parameters(content)


def test_save_and_load_is_the_identity(tmp_path):
    params = majumdar2021()
    save_parameters(params, tmp_path / "deep" / "p.json")
    assert load_parameters(tmp_path / "deep" / "p.json") == params


def test_a_write_that_fails_leaves_the_old_file_whole(tmp_path, monkeypatch):
    path = tmp_path / "p.json"
    save_parameters(majumdar2021(), path)
    before = path.read_bytes()

    def broken_replace(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", broken_replace)
    monkeypatch.setattr("weakreset.outputs._kept_elsewhere", lambda _: "")  # nothing into the temporary folder
    with pytest.raises(OutputError, match="disk full"):
        resources.write_atomically(path, "half")
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["p.json"]


def test_without_names_are_checked():
    assert check_without("rtn, d2d") == ("d2d", "rtn")
    assert check_without("all") == ("d2d", "pink", "rtn", "growing_rtn", "wander", "own_pink")
    with pytest.raises(UsageError, match="pnik"):
        check_without("pnik")


def test_presets_are_written_by_a_committed_command():
    code = "import weakreset.parameter_file.presets as p; print(p.write_bundled.__doc__)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path.cwd())
    assert "majumdar2021" in out.stdout
