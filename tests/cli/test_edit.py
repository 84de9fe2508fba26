"""`weakreset edit`."""

import json

from weakreset.cli import main
from weakreset.parameter_file import load_parameters, majumdar2021


def test_a_preset_is_changed_into_a_file(tmp_path, capsys):
    target = tmp_path / "what-if.json"
    assert main(["edit", "majumdar2021", "--set", "m1.scale=7e-4", "--set", "name=x", "-o", str(target), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert [edit["what"] for edit in said["edits"]] == ["parameters.m1.params.scale", "name"]
    assert load_parameters(target).parameters["m1"].params.scale == 7e-4
    assert main(["edit", "majumdar2021", "--set", "m1.scale=7e-4"]) == 2


def test_a_refused_edit_leaves_the_file_alone(tmp_path, capsys):
    path = majumdar2021().save(tmp_path / "file.json")
    before = path.read_bytes()
    assert main(["edit", str(path), "--set", "m1.scale=-1"]) == 2
    assert "greater than 0" in capsys.readouterr().err
    assert path.read_bytes() == before


def test_a_dropped_verdict_is_said(tmp_path, capsys):
    path = majumdar2021().with_verdict({"passed": True, "sentence": "good"}).save(tmp_path / "file.json")
    assert main(["edit", str(path), "--set", "m1.scale=7e-4"]) == 0
    assert "verdict was of the old numbers" in capsys.readouterr().out
    path.write_text(path.with_name("file.json").read_text().replace("0.0007", "0.0008"))
    assert main(["show", str(path)]) == 0


def test_a_changed_number_under_a_verdict_is_noted_in_a_line(tmp_path, capsys):
    path = majumdar2021().with_verdict({"passed": True, "sentence": "good"}).save(tmp_path / "file.json")
    path.write_text(path.read_text().replace("6988.0", "6900.0"))
    assert main(["show", str(path)]) == 0
    err = capsys.readouterr().err
    assert err.startswith("note: ")
    assert "numbers were changed after its verdict was stored" in err
