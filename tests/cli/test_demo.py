"""The demo in a folder that holds training runs already; `make demo` runs it whole."""

import json
from pathlib import Path

import pytest

import weakreset.demo
from weakreset.demo import run_demo
from weakreset.errors import UsageError


def a_run(folder: Path, parameter_file: str) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"parameter_file": parameter_file}))
    (folder / "checkpoint.safetensors").write_bytes(b"trained for days")
    return folder / "checkpoint.safetensors"


@pytest.mark.parametrize("name", ["ideal", "devices"])
def test_a_run_that_no_demo_made_is_refused_at_once_and_kept(tmp_path: Path, name: str) -> None:
    checkpoint = a_run(tmp_path / name, "my-lot")
    with pytest.raises(UsageError, match=f"{name} holds a training run that no demo made"):
        run_demo(tmp_path)
    assert checkpoint.read_bytes() == b"trained for days"
    assert not (tmp_path / "devices.csv").exists()


def test_a_second_demo_replaces_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one that was stopped half-way."""
    monkeypatch.setattr(weakreset.demo, "_EPOCHS", 1)
    monkeypatch.setattr(weakreset.demo, "DEMO_TRACES", ("lot_a.csv",))
    for name in ("ideal", "devices"):
        a_run(tmp_path / name, "demo-lot")
    result = run_demo(tmp_path)
    assert len(result.real.metrics) == 1
    assert (tmp_path / "devices" / "checkpoint.safetensors").read_bytes() != b"trained for days"
    assert (tmp_path / "report.html").exists()


@pytest.mark.parametrize("name", ["parameters.json", "devices.csv", "report.html"])
def test_files_that_no_demo_made_are_refused_at_once_and_kept(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text('{"name": "mine"}')
    with pytest.raises(UsageError, match=f"holds files that no demo made .{name}.; name another folder"):
        run_demo(tmp_path)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(name, '{"name": "mine"}')]
