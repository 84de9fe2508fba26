"""The command line as users and scripts meet it: exit codes, one paragraph, JSON on stdout."""

from __future__ import annotations

import json
import subprocess
import sys

import pandas as pd
import pytest

from tests.shared_data import shared
from weakreset.cli import main
from weakreset.model import BUILT_IN
from weakreset.parameter_file import load_parameters
from weakreset.traces import load_traces


@pytest.fixture(scope="module")
def traces_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("cli") / "lot.csv"
    assert main(["simulate", "majumdar2021", "-o", str(path), "--devices", "30", "--pulses", "500", "--seed", "3"]) == 0
    return path


def test_simulate_fit_validate_is_one_road(traces_file, tmp_path, capsys):
    params, table, page = tmp_path / "lot.json", tmp_path / "devices.csv", tmp_path / "lot.html"
    arguments = ["fit", str(traces_file), "-o", str(params), "--devices", str(table), "--report", str(page), "--json"]
    assert main(arguments) == 0
    out = json.loads(capsys.readouterr().out)
    assert sum(out["devices"].values()) == 30
    assert out["parameter_file"] == str(params)
    assert len(pd.read_csv(table)) == 30
    assert "<html" in page.read_text()
    file = load_parameters(params)
    assert file.provenance.simulated
    assert file.provenance.inputs[0].file.endswith("lot.csv")
    assert file.parameters["t_star"].n_devices == 30
    assert main(["validate", str(params), str(traces_file), "--json"]) in (0, 1)
    assert "passed" in json.loads(capsys.readouterr().out)


def test_train_leaves_a_whole_run_folder(tmp_path, capsys):
    run = tmp_path / "run"
    small = ["--data", "digits", "--hidden", "16", "--epochs", "2"]
    assert main(["train", "majumdar2021", *small, "-o", str(run), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["final"]["epoch"] == 2
    assert {p.name for p in run.iterdir()} == {"checkpoint.safetensors", "config.json", "metrics.jsonl", "report.html"}
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    wanted = {"epoch", "train_loss", "train_accuracy", "test_accuracy", "seconds", "pulses_mean", "pulses_max", "flips"}
    assert all(wanted <= set(row) for row in rows)
    assert "<svg" in (run / "report.html").read_text() or "data:image" in (run / "report.html").read_text()


def test_simulate_writes_hdf5_and_switches_imperfections_off(tmp_path):
    path = tmp_path / "t.h5"
    small = ["--devices", "4", "--pulses", "50"]
    assert main(["simulate", "majumdar2021", "-o", str(path), *small, "--without", "d2d,pink,rtn"]) == 0
    traces = load_traces(path)
    assert traces.simulated
    assert len({tuple(trace.resistance_ohm) for trace in traces}) == 1


def test_a_wrong_model_is_a_negative_verdict_with_exit_code_1(traces_file, tmp_path):
    raw = json.loads(load_parameters("majumdar2021").model_dump_json(by_alias=True))
    raw["noise"]["pink"]["alpha"] *= 3
    raw["parameters"]["m1"]["params"]["scale"] *= 3
    path = tmp_path / "wrong.json"
    path.write_text(json.dumps(raw))
    assert main(["validate", str(path), str(traces_file)]) == 1


BAD_FILES = {
    "empty.csv": b"",
    "text.csv": b"device,pulse,resistance_ohm\na,0,7000\na,1,hello\na,2,what\na,3,now\na,4,x\na,5,y\n",
    "negative.csv": b"device,pulse,resistance_ohm\n" + b"".join(b"a,%d,-7000\n" % i for i in range(50)),
    "columns.csv": b"apples,pears\n1,2\n3,4\n",
    "binary.csv": bytes(range(256)) * 8,
    "broken.h5": b"\x89HDF\r\n\x1a\n" + b"\x00" * 100,
}


@pytest.mark.parametrize("name", BAD_FILES)
@pytest.mark.parametrize("verb", ["inspect", "fit"])
def test_bad_trace_files_get_one_paragraph_and_exit_code_2(verb, name, tmp_path, capsys):
    path = tmp_path / name
    path.write_bytes(BAD_FILES[name])
    arguments = [verb, str(path)] + (["-o", str(tmp_path / "p.json")] if verb == "fit" else [])
    assert main(arguments) == 2
    error = capsys.readouterr()
    words = " ".join((error.err + error.out).split())
    assert "Traceback" not in words
    assert name in words.replace(" ", "")
    assert not (tmp_path / "p.json").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["fit", "no-such-file.csv", "-o", "p.json"],
        ["inspect", "no-such-file.csv"],
        ["validate", "majumdar2021", "no-such-file.csv"],
        ["simulate", "no-such-preset", "-o", "x.csv"],
        ["simulate", "majumdar2021", "-o", "x.docx"],
        ["simulate", "majumdar2021", "-o", "x.csv", "--without", "gravity"],
        ["train", "no-such-preset", "--data", "digits", "-o", "run"],
        ["train", "majumdar2021", "--data", "mnist", "--data-dir", "nowhere", "-o", "run"],
        ["ablate", "majumdar2021"],
        ["export", "majumdar2021", "--to", "verilog-a"],
        ["fit", "--no-such-option"],
        ["no-such-verb"],
    ],
    ids=lambda a: " ".join(a[:3]),
)
def test_bad_usage_is_exit_code_2_without_a_traceback(arguments, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert error.strip()
    assert "Traceback" not in error


def test_a_broken_parameter_file_lists_its_mistakes(tmp_path, capsys):
    path = tmp_path / "p.json"
    path.write_text('{"schema": "weakreset-parameters", "schema_version": "1.0.0", "name": "x", "colour": 1}')
    assert main(["simulate", str(path), "-o", str(tmp_path / "x.csv")]) == 2
    error = capsys.readouterr().err
    assert "mistakes" in error
    assert "colour: unknown key" in error
    assert "parameters" in error


@pytest.mark.parametrize("text", ["5", "9:3", "a:b", "1:2:3"])
def test_a_pulse_range_that_makes_no_sense_is_refused(text, traces_file, tmp_path):
    assert main(["fit", str(traces_file), "-o", str(tmp_path / "p.json"), "--pulses", text]) == 2


def test_help_of_fit_names_every_drift_shape(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert main(["fit", "--help"]) == 0
    words = capsys.readouterr().out.split()
    for shape in BUILT_IN:
        assert any(shape.name in word for word in words), shape.name


def test_help_and_version_work_as_a_program():
    for argument in ("--help", "--version"):
        out = subprocess.run([sys.executable, "-m", "weakreset", argument], capture_output=True, text=True, check=True)
        assert "weakreset" in out.stdout


def test_the_measured_gradual_reset_gives_a_two_slope_fit(tmp_path):
    """One real cell, pulses 200 to 399: ln R rises to a knee near pulse 40 and then hardly any more."""
    path = shared("measured/cmos-rram-conductance/pulse-conductance.csv")
    table = tmp_path / "d.csv"
    assert main(["fit", str(path), "--pulses", "200:399", "-o", str(tmp_path / "p.json"), "--devices", str(table)]) == 0
    row = pd.read_csv(table).iloc[0]
    assert row.status == "ok"
    assert row.t_star_lo < 40 < row.t_star_hi
    assert row.m1 > 10 * abs(row.m2)
    assert "spread not identifiable" in load_parameters(tmp_path / "p.json").parameters["m1"].note


def test_mixed_amplitudes_are_refused_chosen_and_counted(traces_file, tmp_path, capsys):
    frame = pd.read_csv(traces_file, comment="#")
    half = frame["device"].astype(str).unique()[:15]
    frame["v_sl"] = frame["device"].astype(str).isin(half).map({True: 0.9, False: 1.0})
    path, params = tmp_path / "mixed.csv", tmp_path / "chosen.json"
    frame.to_csv(path, index=False)
    assert main(["fit", str(path), "-o", str(params)]) == 2
    assert "pulses of different v_sl are mixed" in capsys.readouterr().err
    assert main(["fit", str(path), "-o", str(params), "--where", "v_sl==0.9", "--limits", "min_reads=40"]) == 0
    assert "7515 of 15030 reads selected" in capsys.readouterr().out
    provenance = load_parameters(params).provenance
    left_out = [item for item in provenance.exclusions if item.reason == "not selected by where v_sl==0.9"]
    assert len(left_out) == 15
    assert sum(item.n_readings for item in left_out) == 7515
    assert any("min_reads=40" in note for note in provenance.notes)
