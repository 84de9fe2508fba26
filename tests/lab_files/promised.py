"""Whether `weakreset fit` does with a lab file what `weakreset inspect` promises: for any file, right or refused."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import re
from pathlib import Path
from typing import Any

from tests.lab_files.case import Case
from weakreset.cli import main

_USED = ("excluded",)
"""Statuses of devices that a fit did not use."""


def broken_promise(case: Case, folder: Path) -> str:
    """What `fit` did otherwise than `inspect` said, '' where it kept to it; outputs go to `folder`."""
    paths = [str(path) for path in case.paths]
    target = folder / "fitted.json"
    told, said, promised = _run("inspect", *paths, "--json")
    done, heard, code = _run("fit", *paths, "-o", str(target), "--json", "--jobs", "1")
    if code not in ((0, 1) if promised == 0 else (promised,)):  # 1: fitted, but these devices give no laws
        return f"inspect ended with {promised}, fit with {code}: {said[-200:]} / {heard[-200:]}"
    if "Traceback" in said + heard:
        return f"a bare traceback: {(said + heard)[-300:]}"
    found = json.loads(told)
    if promised:
        several = len(found["files"]) > 1
        problem = found["lot"]["problem"] or next(item["problem"] for item in found["files"] if item["problem"])
        return "" if several or _words(problem) in _words(heard) else f"{problem[:200]} / {heard[:200]}"
    return _differs(found["lot"], json.loads(done), found["files"], target.with_suffix(".devices.csv"))


def _differs(lot: dict[str, Any], fit: dict[str, Any], files: list[dict[str, Any]], table: Path) -> str:
    with table.open(newline="", encoding="utf-8-sig") as lines:
        rows = [row for row in csv.DictReader(lines) if row["status"] not in _USED]
    fitted = {re.sub(r"#\d+$", "", row["device"]) for row in rows}
    if fitted != set(lot["devices"]) or len(rows) != lot["n_cycles"]:
        return f"{lot['n_cycles']} traces of {sorted(lot['devices'])} promised, {len(rows)} of {sorted(fitted)} fitted"
    if lot["excluded"] != fit["excluded"]:
        return f"left out: {lot['excluded']} promised, {fit['excluded']} done"
    notes = [note for item in files for note in item["notes"]]
    assumed = [any(note.startswith("unit assumed") for note in some) for some in (notes, fit["notes"])]
    if assumed[0] != assumed[1] or assumed[0] != ("unit assumed" in lot["sentence"]):
        return f"unit: {lot['sentence']} / {notes} / {fit['notes']}"
    return ""


def _words(text: str) -> str:
    """Without the line breaks of a console."""
    return re.sub(r"\s+", "", text)


def _run(*arguments: str) -> tuple[str, str, int]:
    """Standard output, standard error and exit code of a command."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(list(arguments))
    return out.getvalue(), err.getvalue(), code
