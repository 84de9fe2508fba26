"""Descriptions beside our tables."""

from __future__ import annotations

import csv
import hashlib
import json

import pytest

from tests.builders import small_fits
from weakreset.cli.app import run
from weakreset.report.device_files import device_files
from weakreset.traces import load_traces


@pytest.mark.parametrize(("to", "column", "unit"), [("devices", "t_star", "pulse"), ("devices", "r0_ohm", "ohm"),
                                                    ("laws", "value", None)])
def test_a_table_is_described_beside_it(tmp_path, to, column, unit):
    table = tmp_path / "table.csv"
    some = ["--devices", "5"] if to == "devices" else []
    assert run(["export", "majumdar2021", "--to", to, "-o", str(table), *some]) == 0
    said = json.loads((tmp_path / "table.datapackage.json").read_text())
    (resource,) = said["resources"]
    assert said["profile"] == "tabular-data-package"
    assert (resource["path"], resource["bytes"]) == ("table.csv", table.stat().st_size)
    assert resource["hash"] == "sha256:" + hashlib.sha256(table.read_bytes()).hexdigest()
    rows = list(csv.DictReader(line for line in table.read_text().splitlines() if not line.startswith("#")))
    fields = {field["name"]: field for field in resource["schema"]["fields"]}
    assert list(fields) == list(rows[0])
    assert fields[column].get("unit") == unit
    for row in rows:
        for name, field in fields.items():
            if field["type"] == "number" and row[name]:
                float(row[name])


def test_the_table_of_a_fit_is_described_beside_it(tmp_path):
    fits = small_fits()
    texts = device_files(fits, tmp_path / "lot.devices.csv")
    said = json.loads(texts[tmp_path / "lot.devices.datapackage.json"])
    fields = {field["name"]: field for field in said["resources"][0]["schema"]["fields"]}
    rows = list(csv.DictReader(texts[tmp_path / "lot.devices.csv"].splitlines()))
    assert list(fields) == list(rows[0])
    units = {"t_star_lo": "pulse", "m1_stderr": "1/pulse", "alpha": "ln R", "n_pulses": "pulse", "r0_ohm": "ohm"}
    assert {name: fields[name]["unit"] for name in units} == units
    for row in rows:
        for name, field in fields.items():
            if field["type"] == "number" and row[name]:
                float(row[name])
            assert field["type"] in ("number", "string")


def test_simulated_traces_are_described_and_still_read_from_their_folder(tmp_path):
    folder = tmp_path / "lot"
    folder.mkdir()
    table = folder / "traces.csv"
    assert run(["simulate", "majumdar2021", "-o", str(table), "--devices", "3", "--pulses", "40"]) == 0
    said = json.loads((folder / "traces.datapackage.json").read_text())
    assert said["simulated"] is True
    units = {field["name"]: field.get("unit") for field in said["resources"][0]["schema"]["fields"]}
    assert units == {"device": None, "pulse": "pulse", "resistance_ohm": "ohm"}
    assert len(load_traces(folder)) == 3
