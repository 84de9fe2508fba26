"""Terminals that cannot show every sign."""

from __future__ import annotations

import json
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


def test_a_report_of_a_file_whose_name_is_no_text_holds_the_command_that_repeats_it(tmp_path):
    name = os.fsdecode(b"caf\xe9 'x'.csv")
    text = [line for line in TRACES.read_text().splitlines() if not line.startswith("A0") or line < "A004"]
    (tmp_path / name).write_text("\n".join(text) + "\n")
    done = _run("fit", name, "-o", "made.json", "--report", "made.html", cwd=tmp_path)
    assert (done.returncode, done.stderr.strip()) == (0, "")
    command = json.loads((tmp_path / "made.json").read_text())["provenance"]["command"]
    assert command == "weakreset fit $'caf\\xe9 \\x27x\\x27.csv' -o made.json --report made.html"
    assert (tmp_path / "made.html").stat().st_size > 1000
    word = command.split(" -o ")[0].removeprefix("weakreset fit ")
    again = subprocess.run(["bash", "-c", f"printf %s {word}"], capture_output=True, check=True)
    assert again.stdout == os.fsencode(name)
