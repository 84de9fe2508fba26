"""Laws and drawn devices as plain tables."""

from __future__ import annotations

import csv
import io
import json

import h5py
import numpy as np
import pytest

from weakreset.cli.app import run
from weakreset.parameter_file import ParameterFile, draw_devices, majumdar2021


def table(path):
    lines = path.read_text().splitlines()
    comments = [line for line in lines if line.startswith("#")]
    return comments, list(csv.DictReader(io.StringIO("\n".join(lines[len(comments):]))))


def test_every_number_of_every_law_has_a_row_that_reads_back_exactly(tmp_path):
    target = tmp_path / "laws.csv"
    assert run(["export", "majumdar2021", "--to", "laws", "-o", str(target)]) == 0
    _, rows = table(target)
    preset = majumdar2021()
    found = {(row["parameter"], row["number"]): float(row["value"]) for row in rows}
    for name, entry in preset.parameters.items():
        for number, value in entry.law().params.items():
            assert found[name, number] == value
    assert found["rtn.p_up", "value"] == preset.noise.rtn.p_up
    knee = next(row for row in rows if row["parameter"] == "t_star")
    assert (knee["unit"], knee["family"], knee["truncated_above"], knee["stderr"]) == ("pulse", "lognorm", "2000.0", "")
    assert not [row for row in rows if row["parameter"] == "read.sd"]  # off in the preset


def test_errors_and_correlations_are_in_the_table_of_laws(tmp_path):
    raw = majumdar2021().model_dump(by_alias=True)
    raw["parameters"]["m1"] |= {"stderr": {"scale": 2e-5}, "interval": {"scale": [6e-4, 7e-4]}, "n_devices": 60}
    raw["correlation"] = {"names": ["m1", "t_star"], "matrix": [[1.0, 0.6], [0.6, 1.0]]}
    raw["name"] = "two\nlines"
    ParameterFile.model_validate(raw).save(tmp_path / "p.json")
    assert run(["export", str(tmp_path / "p.json"), "-o", str(tmp_path / "laws.csv")]) == 0
    comments, rows = table(tmp_path / "laws.csv")
    assert "# correlation of normal scores: m1 t_star 0.6" in comments
    assert '# laws of "two\\nlines"' in comments
    scale = next(row for row in rows if (row["parameter"], row["number"]) == ("m1", "scale"))
    wanted = {"stderr": "2e-05", "low_95": "0.0006", "high_95": "0.0007", "n_devices": "60"}
    assert wanted.items() <= scale.items()


@pytest.mark.parametrize("ending", ["csv", "h5"])
def test_drawn_devices_are_those_of_the_seed_and_labelled(tmp_path, capsys, ending):
    target = tmp_path / f"devices.{ending}"
    wanted = ["--to", "devices", "--devices", "30", "--seed", "4", "--json"]
    assert run(["export", "majumdar2021", "-o", str(target), *wanted]) == 0
    assert json.loads(capsys.readouterr().out)["devices"] == 30
    expected = draw_devices(majumdar2021(), 30, np.random.default_rng(4))
    if ending == "csv":
        comments, rows = table(target)
        assert comments[0] == "# simulated: true"
        assert [row["device"] for row in rows[:2]] == ["sim0000", "sim0001"]
        columns = {name: np.array([float(row[name]) for row in rows]) for name in rows[0] if name != "device"}
    else:
        with h5py.File(target) as root:
            assert root.attrs["simulated"]
            assert root["r0_ohm"].attrs["unit"] == "ohm"
            columns = {name: root[name][:] for name in root if name != "device"}
    assert set(columns) == {"r0_ohm", "m1", "t_star", "c1", "m2", "rtn_amplitude"}
    assert np.array_equal(columns["r0_ohm"], expected.r0_ohm)
    assert np.array_equal(columns["t_star"], expected.drift["t_star"])
    assert np.array_equal(columns["rtn_amplitude"], expected.rtn_amplitude)


@pytest.mark.parametrize(("arguments", "word"), [
    (["--to", "ngspice", "-o", "x.py"], "must end in .cir or .lib"),
    (["--to", "word", "-o", "x.csv"], "choose laws, devices, ngspice"),
    (["--to", "ngspice", "-o", "x.cir", "--devices", "100000"], "fewer --devices"),
    (["-o", "x.json"], "ends in .csv"), (["--to", "devices", "-o", "x.txt"], "use .csv or .h5"),
])
def test_what_cannot_be_written_is_refused(tmp_path, monkeypatch, capsys, arguments, word):
    monkeypatch.chdir(tmp_path)
    assert run(["export", "majumdar2021", *arguments]) == 2
    assert word in " ".join(capsys.readouterr().err.split())
    assert not list(tmp_path.iterdir())
