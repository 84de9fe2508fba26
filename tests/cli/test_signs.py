"""Terminals that cannot show every sign."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import here

TRACES = Path(__file__).parents[2] / "data" / "lot_a.csv"
ASCII = {"PYTHONIOENCODING": "ascii"}


def _run(*arguments: object, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "weakreset", *map(str, arguments)]
    return subprocess.run(words, env=here() | environment, capture_output=True, text=True, check=False, cwd=cwd)


@pytest.mark.parametrize("verb", [("inspect", TRACES), ("show", "majumdar2021")])
def test_output_in_ascii_is_plain_words(verb):
    done = _run(*verb, **ASCII)
    assert (done.returncode, done.stderr.strip()) == (0, "")
    assert done.stdout.isascii()
    assert "\\u" not in done.stdout
    assert "Ohm" in done.stdout or "ohm" in done.stdout


def test_a_name_that_is_no_text_is_shown_and_ends_nothing(tmp_path):
    name = os.fsdecode(b"caf\xe9.csv")
    (tmp_path / name).write_bytes(TRACES.read_bytes())
    done = _run("inspect", ".", cwd=tmp_path)
    assert done.returncode == 0
    assert "not foreseen" not in done.stderr
    assert "\\udce9" in done.stdout
