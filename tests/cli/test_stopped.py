"""Interrupts, closed pipes, and errors that nobody foresaw."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.processes import ctrl_c_heard, here
from weakreset.cli import main


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
