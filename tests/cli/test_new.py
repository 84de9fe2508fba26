"""`weakreset new` and `weakreset import`."""

import io
import json
import sys

import pytest

from weakreset.cli import main
from weakreset.parameter_file import load_parameters


def test_a_table_and_flags_that_go_over_it(tmp_path, capsys):
    assert main(["new", "--example"]) == 0
    table, out = tmp_path / "paper.toml", tmp_path / "paper.json"
    table.write_text(capsys.readouterr().out)
    assert main(["new", str(table), "-o", str(out), "--set", "r0_ohm=9 kohm", "--set", "pink.alpha=1 %", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["name"] == "somebody2024"
    params = load_parameters(out)
    assert params.parameters["r0_ohm"].params.value == 9e3
    assert (params.noise.pink.alpha, params.noise.pink.exponent) == (0.01, 1.0)


def test_questions_take_answers_and_ask_again_after_a_slip(tmp_path, monkeypatch):
    out = tmp_path / "asked.json"
    answers = ["Smith 2024, Table I", "7 seconds", "7 ± 0.4 kohm", "0.05 %/pulse", ""]
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n".join(answers) + "\n"))
    assert main(["new", "--ask", "--drift", "single-slope", "-o", str(out)]) == 0
    params = load_parameters(out)
    assert params.provenance.citation == "Smith 2024, Table I"
    assert params.parameters["r0_ohm"].family == "norm"
    assert params.parameters["c1"].params.value == 0.0


@pytest.mark.parametrize("content", ["name = ", "[[[[", "\xff"])
def test_a_table_that_is_none_is_a_paragraph(tmp_path, capsys, content):
    table = tmp_path / "bad.toml"
    table.write_bytes(content.encode("latin-1"))
    assert main(["new", str(table), "-o", str(tmp_path / "x.json")]) == 2
    assert "not readable as TOML" in capsys.readouterr().err
    assert not (tmp_path / "x.json").exists()


def test_devices_drawn_from_a_technology_give_it_back(tmp_path, capsys):
    """300 exact devices (seed 1): medians of R0 within 1 %, of m1 and t_star within 20 % (four standard errors)."""
    devices, out = tmp_path / "devices.csv", tmp_path / "lot.json"
    drawn = ["--to", "devices", "--devices", "300", "--seed", "1"]
    assert main(["export", "majumdar2021", *drawn, "-o", str(devices)]) == 0
    assert main(["import", str(devices), "-o", str(out), "--set", "pink.alpha=0.7 %", "--cite", "ours", "--json"]) == 0
    capsys.readouterr()
    found, truth = load_parameters(out), load_parameters("majumdar2021")
    for name, reach in {"r0_ohm": 0.01, "m1": 0.2, "t_star": 0.2}.items():
        medians = [file.parameters[name].law().median() for file in (found, truth)]
        assert medians[0] == pytest.approx(medians[1], rel=reach)
        assert found.parameters[name].n_devices == 300
    assert found.provenance.simulated
    assert found.provenance.citation == "ours"
    assert found.noise.pink.alpha == pytest.approx(0.007)
    assert any("columns not used: rtn_amplitude" in note for note in found.provenance.notes)
