"""Parameter files that nobody would write by accident: refused, soon, and nothing of them obeyed."""

from __future__ import annotations

import json
import time

import pytest

from weakreset.cli import main
from weakreset.parameter_file import ParameterFile, dump_parameters, load_parameters, majumdar2021

GOOD = json.loads(dump_parameters(load_parameters("majumdar2021")))


def _with(**changes):
    return json.dumps(GOOD | changes)


TWICE = {"names": ["m1", "m1"], "matrix": [[1.0, 0.5], [0.5, 1.0]]}
HOSTILE = {
    "many keys": _with(**{f"key{i}": i for i in range(40_000)}),
    "twice": dump_parameters(load_parameters("majumdar2021")).replace('"name":', '"name": "a", "name":', 1),
    "1e400": _with(parameters=GOOD["parameters"] | {"m1": {"scale": 1}}).replace('"scale": 1', '"scale": 1e400'),
    "NUL": "\x00" * 1000,
    "deep": "[" * 1_000_000,
    "nothing but objects": _with(notes=[]).replace('"notes": []', f'"notes": [{"{}," * 1_000_000}1]'),
    "nothing but numbers": _with(notes=[]).replace('"notes": []', f'"notes": [{"1," * 11_000_000}1]'),
    "digits": _with(name=1).replace('"name": 1', f'"name": {"9" * 10_000}'),
    "a correlation of a name with itself": _with(correlation=TWICE),
    "terminal": _with(**{"\x1b]0;owned\x07": 1}),
    "markup": _with(**{"[/x]": 1}),
}  # fmt: skip


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_file_is_refused_soon_and_obeyed_in_nothing(kind, tmp_path, capsys):
    (tmp_path / "file.json").write_text(HOSTILE[kind])
    start = time.process_time()
    assert main(["show", str(tmp_path / "file.json")]) == 2
    said = capsys.readouterr().err
    assert time.process_time() - start < 10
    assert "\x1b" not in said
    assert "Traceback" not in said
    assert len(said) < 20_000


@pytest.mark.parametrize("name", ["\x1b[31mred\x1b]0;owned\x07", "[/x]", "[bold]lot[/bold]"])
@pytest.mark.parametrize("verb", [["show"], ["compare", "majumdar2021"], ["simulate", "-o", "OUT", "--devices", "2"]])
def test_a_name_is_neither_markup_nor_a_command_to_the_terminal(name, verb, tmp_path, capsys):
    (tmp_path / "file.json").write_text(_with(name=name))
    arguments = [str(tmp_path / "out.csv") if word == "OUT" else word for word in verb[1:]]
    assert main([verb[0], str(tmp_path / "file.json"), *arguments]) in (0, 2)  # schema may refuse such a name
    out, err = capsys.readouterr()
    assert "\x1b" not in out + err
    assert "\x07" not in out + err
    assert "not foreseen" not in err


def test_a_long_list_that_is_no_numbers_is_written_in_time():
    """A pattern that tries every way to split it would take a minute for twenty thousand."""
    raw = majumdar2021().model_dump(mode="json", by_alias=True)
    raw["provenance"]["edits"] = [{"what": "x", "old": [*[1] * 5000, "x"]}]
    params, start = ParameterFile.model_validate(raw), time.process_time()
    assert params.to_json().count("1,") >= 4999
    assert time.process_time() - start < 1.0
