"""Interrupts, closed pipes, and errors that nobody foresaw."""

from __future__ import annotations

import importlib
import itertools
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import typer

from tests.processes import ctrl_c_heard, here
from weakreset.cli import main
from weakreset.cli.common import Terminated, resumable
from weakreset.parameter_file.tables import _csv


@pytest.mark.parametrize("error", [ValueError("odd"), MemoryError(), RecursionError("deep"), KeyError("x\x1b[31m")])
def test_an_unforeseen_error_is_one_paragraph_with_its_traceback_in_a_file(error, tmp_path, monkeypatch, capsys):
    def broken(*_: object) -> None:
        raise error

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("weakreset.cli.show.parameters_of", broken)
    assert main(["show", "majumdar2021"]) == 3
    said = capsys.readouterr().err
    assert type(error).__name__ in said
    assert "weakreset show majumdar2021" in said
    assert "written" in said
    assert len(said.strip().splitlines()) == 1
    assert "\x1b" not in said
    (saved,) = tmp_path.iterdir()
    assert str(saved) in said
    assert "Traceback" in saved.read_text()
    assert saved.stat().st_mode & 0o077 == 0


def test_ctrl_c_is_130_and_says_what_is_there(monkeypatch, capsys):
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("weakreset.cli.show.parameters_of", interrupted)
    assert main(["show", "majumdar2021"]) == 130
    assert re.fullmatch(r"interrupted; nothing was written .*\n", capsys.readouterr().err)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_study_in_two_processes_stops_at_once(number, code, tmp_path):
    options = ["--jobs", "2", "--epochs", "200", "--seeds", "2"]
    arguments = ["ablate", "majumdar2021", "-o", str(tmp_path / "study"), *options]
    with ctrl_c_heard():
        process = subprocess.Popen(
            [sys.executable, "-m", "weakreset", *arguments], env=here(), stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
    try:
        while not list((tmp_path / "study").glob("*/*/config.json")):
            assert process.poll() is None
            time.sleep(0.05)
        start = time.monotonic()
        process.send_signal(number)
        _, said = process.communicate(timeout=30)
        took = time.monotonic() - start
    finally:
        process.kill()  # were it to hang: what a test leaves behind computes on
    assert process.returncode == code
    assert b"run the same command again" in said or b"run the command again" in said
    assert b"Traceback" not in said
    assert took < 4  # two seconds where no other process wants the processor
    assert not list(tmp_path.rglob("*.lock"))


def test_a_reader_that_leaves_is_quiet(tmp_path):
    read, write = os.pipe()
    os.close(read)
    page = tmp_path / "page.html"
    arguments = [sys.executable, "-m", "weakreset", "show", "majumdar2021", "--report", str(page)]
    done = subprocess.run(arguments, stdout=write, stderr=subprocess.PIPE, env=here(), check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")
    assert Path(page).stat().st_size > 1000


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_import_is_not_cut_off_half_way(number, code, tmp_path, monkeypatch, capsys):
    """What goes on with half of a library written in C fails in odd ways, or crashes."""
    module = tmp_path / "half_way.py"
    module.write_text(f"import os\nos.kill(os.getpid(), {int(number)})\nfor _ in range(99):\n    pass\nwhole = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "half_way", raising=False)

    def imports(*_: object) -> None:
        importlib.import_module("half_way")
        time.sleep(20)

    monkeypatch.setattr("weakreset.cli.show.parameters_of", imports)
    with ctrl_c_heard():
        assert main(["show", "majumdar2021"]) == code
    assert sys.modules["half_way"].whole
    assert "interrupted" in capsys.readouterr().err


def test_before_torch_is_there_nothing_is_looked_up(monkeypatch, capsys):
    """Loading it takes longer than anybody waits who pressed Ctrl-C."""
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    with pytest.raises(typer.Exit) as stop, resumable(lambda: pytest.fail("torch would be loaded")):
        raise KeyboardInterrupt
    assert stop.value.exit_code == 130
    assert "nothing was begun" in capsys.readouterr().err


def test_a_table_of_millions_of_rows_hears_ctrl_c():
    def hear(*_: object) -> None:
        raise KeyboardInterrupt

    numbers = itertools.count()
    before = signal.signal(signal.SIGVTALRM, hear)
    signal.setitimer(signal.ITIMER_VIRTUAL, 0.02)
    try:
        with pytest.raises(KeyboardInterrupt):
            _csv([], ["n"], zip(itertools.islice(numbers, 3_000_000)))
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
    assert next(numbers) < 2_000_000


@pytest.mark.parametrize(("stop", "code"), [(KeyboardInterrupt(), 130), (Terminated(), 143)])
def test_an_interrupt_that_comes_before_the_command_is_no_traceback(stop, code, monkeypatch, capsys):
    def interrupted(arguments: list[str]) -> int:
        raise stop

    monkeypatch.setattr("weakreset.cli.app.run", interrupted)
    assert main(["show"]) == code
    assert capsys.readouterr().err == "interrupted; what was written is whole\n"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupt_that_python_drops_is_not_lost(number, code, monkeypatch, capsys):
    class Removed:
        def __del__(self) -> None:
            os.kill(os.getpid(), number)
            for _ in range(99):  # the handler is called in here, and what it raises is ignored
                pass

    def removes(*_: object) -> None:
        Removed()
        time.sleep(20)

    monkeypatch.setattr("weakreset.cli.show.parameters_of", removes)
    with ctrl_c_heard():
        assert main(["show", "majumdar2021"]) == code
    said = capsys.readouterr().err
    assert "interrupted" in said
    assert "ignored" not in said
