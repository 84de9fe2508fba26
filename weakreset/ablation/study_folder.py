"""The folder of a study: what it says that it holds, and its small files."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from weakreset.ablation.study_settings import StudySettings
from weakreset.errors import UsageError, WeakResetError
from weakreset.outputs import write_atomically
from weakreset.parameter_file import ParameterFile, dump_parameters, parse_parameters

__all__ = ["claim", "read_small"]

_MAX_BYTES = 1 << 28  # parameters of an empirical file are in it


def claim(folder: Path, params: ParameterFile, settings: StudySettings, mine: dict[str, Any]) -> None:
    """Write down what the folder holds, or make sure that it holds the same.

    `mine` is what of the study is its user's own, `{"own": ...}` or nothing.

    Raises
    ------
    UsageError
        The folder has results of another study.
    """
    note = folder / "study.json"
    if not note.exists():
        _write(note, params, settings, mine)
        return
    found = read_small(note)
    try:
        # compared as numbers: another version may write them otherwise
        same_parameters = parse_parameters(json.dumps(found["parameters"])) == params
        same_settings = StudySettings(**found["settings"]) == settings
    except (KeyError, TypeError, WeakResetError) as error:
        raise UsageError(f"{note}: does not say what the study is ({error}); name another folder") from None
    same_task = found.get("own") == mine.get("own")
    if same_settings and same_parameters and same_task:
        return
    if _has_results(folder):
        raise UsageError(f"{folder} holds a study with other settings or parameters: name another folder")
    _write(note, params, settings, mine)  # of a command with a typing error, or stopped before its first epoch


def _has_results(folder: Path) -> bool:
    from weakreset.training.run_folder import holds_run

    return any(holds_run(run) for run in folder.glob("*/seed-*"))


def _write(note: Path, params: ParameterFile, settings: StudySettings, mine: dict[str, Any]) -> None:
    about = {"settings": asdict(settings), "parameters": json.loads(dump_parameters(params)), **mine}
    write_atomically(note, json.dumps(about, indent=1) + "\n")


def read_small(path: Path) -> dict[str, Any]:
    """A small JSON file of a study, which anyone may have changed since."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ValueError(f"{path.stat().st_size} bytes")
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{path}: cannot be read ({error}); remove it, or name another folder") from None
    if not isinstance(found, dict):
        raise UsageError(f"{path}: not what a study writes; remove it, or name another folder")
    return found
