import json
from pathlib import Path

import pytest

import weakreset.traces
from weakreset.cli.validate import validate_command
from weakreset.errors import ParameterFileError, TraceError, UsageError
from weakreset.parameter_file import load_parameters, parse_parameters
from weakreset.twin import simulate_traces
from weakreset.validation import laws, pool


@pytest.fixture(autouse=True)
def _simulated_traces_instead_of_files(tmp_path_factory, monkeypatch):
    monkeypatch.setattr(pool, "_POOL_SIZE", 200)
    monkeypatch.setattr(laws, "_N_LEARNED_FROM", 300)
    known = {
        "good.csv": simulate_traces("majumdar2021", 40, 200, seed=2),
        "alike.csv": simulate_traces("majumdar2021", 40, 200, seed=2, without="d2d"),
    }
    monkeypatch.setattr(
        weakreset.traces, "load_traces", lambda sources, **reading: known[sources[0]], raising=False
    )
    monkeypatch.chdir(tmp_path_factory.mktemp("traces"))
    for name in known:
        Path(name).touch()


def run(*arguments: str) -> int:
    import typer

    app = typer.Typer()
    app.command()(validate_command)
    try:
        result = app(list(arguments), standalone_mode=False)
    except typer.Exit as stop:
        return stop.exit_code
    return result or 0


def test_traces_of_the_model_give_exit_code_0(capsys):
    assert run("majumdar2021", "good.csv") == 0
    assert "reproduces 40 devices" in " ".join(capsys.readouterr().out.split())


def test_a_negative_verdict_gives_exit_code_1(capsys):
    assert run("majumdar2021", "alike.csv") == 1
    assert "does not reproduce" in " ".join(capsys.readouterr().out.split())


def test_json_has_stdout_for_itself(capsys):
    assert run("majumdar2021", "alike.csv", "--json") == 1
    out, err = capsys.readouterr()
    content = json.loads(out)
    assert content["passed"] is False
    assert "does not reproduce" in " ".join(err.split())


def test_a_report_is_written(tmp_path, capsys):
    target = tmp_path / "r.html"
    assert run("majumdar2021", "good.csv", "--report", str(target)) == 0
    assert "SIMULATED DATA" in target.read_text()
    assert str(target) in capsys.readouterr().out.replace("\n", "")


def test_pulses_of_different_amplitude_are_not_mixed_silently(tmp_path, monkeypatch, capsys):
    monkeypatch.undo()
    rows = [
        f"d{d},{n},{5000 * (1 + d / 50 + n / 400):.1f},{0.9 if d % 2 else 1.1}" for d in range(8) for n in range(60)
    ]
    path = tmp_path / "mixed.csv"
    path.write_text("device,pulse,R_ohm,v_sl\n" + "\n".join(rows) + "\n")
    with pytest.raises(TraceError, match="pulses of different v_sl are mixed"):
        run("majumdar2021", str(path), "--replicas", "5")
    with pytest.raises(UsageError, match="replicas"):
        run("majumdar2021", str(path), "--replicas", "5", "--where", "v_sl==0.9")
    with pytest.raises(TraceError, match="too few reads: 60 reads, fewer than 70"):
        run("majumdar2021", str(path), "--limits", "min_reads=70")


def test_what_was_assumed_for_a_verdict_is_said_and_does_not_become_the_files(tmp_path, capsys):
    unknown = {name: {"unit": unit, "note": "too short"} for name, unit in (("t_star", "pulse"), ("m2", "1/pulse"))}
    raw = json.loads(load_parameters("majumdar2021").to_json())
    raw["not_identifiable"] = unknown
    for name in unknown:
        del raw["parameters"][name]
    raw["correlation"] = None
    path = tmp_path / "short.json"
    parse_parameters(json.dumps(raw)).save(path)
    before = load_parameters(path)
    run(str(path), "good.csv", "--store", "--assume", "t_star=150,m2=0")
    after = load_parameters(path)  # whose verdict counts: it names the numbers of this very file
    assert after.model_copy(update={"validation": None}) == before
    assert after.validation["assumed"] == {"t_star": 150.0, "m2": 0.0}
    assert "Assumed for this verdict, not fitted: t_star = 150, m2 = 0." in after.validation["sentence"]
    with pytest.raises(ParameterFileError, match="t_star, m2 not identifiable"):
        simulate_traces(after, 3, 400)
