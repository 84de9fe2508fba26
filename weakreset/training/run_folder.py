"""The folder of a training run: config.json, metrics.jsonl, checkpoint.safetensors."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from torch import nn

from weakreset.errors import UsageError
from weakreset.resources import check_outputs, write_atomically
from weakreset.simulation import load_checkpoint, save_checkpoint
from weakreset.training.settings import differences

__all__ = [
    "CHECKPOINT", "RunFolder", "check_numbers", "check_shares", "checked_metrics", "finished_epochs", "holds_run",
]

CHECKPOINT = "checkpoint.safetensors"
_CONFIG, _METRICS = "config.json", "metrics.jsonl"
_IN_REPORTS = (
    "train_loss", "test_accuracy", "seconds", "pulses_mean", "pulses_p99", "pulses_max", "reads", "sets", "flips",
)
_RESULTS = (CHECKPOINT, _METRICS, "final.json", "study.json")  # a study keeps no checkpoints, but results


def checked_metrics(found: Any, where: str, own_score: bool = False) -> list[dict[str, Any]]:
    """The lines of a run, one an epoch, if they can be what they say.

    Raises
    ------
    UsageError
        For what is no list of lines, epochs that do not follow each other, and accuracies that are no shares.
    """
    lines: list[Any] = found if isinstance(found, list) else [None]
    for i, line in enumerate(lines):
        if not isinstance(line, dict) or line.get("epoch") != i + 1:
            raise UsageError(f"{where}: metrics of epoch {i + 1} are damaged; name another folder")
        check_numbers(line, f"{where}, epoch {i + 1}", _IN_REPORTS)
        if not own_score:
            check_shares(line, where)
    return lines


def check_numbers(line: Mapping[str, Any], where: str, needed: Sequence[str]) -> None:
    """Refuse a line of metrics that lacks what is needed, or holds anything but numbers."""
    # NaN is one too: a training may diverge, and is told so
    for key, value in {**dict.fromkeys(needed), **line}.items():
        if type(value) not in (int, float):
            raise UsageError(f"{where}: {key} is no number; the file was changed or damaged")


def check_shares(line: Mapping[str, Any], where: str) -> None:
    """Refuse a line of metrics whose accuracies are not between 0 and 1."""
    for name in ("train_accuracy", "test_accuracy"):
        value = line.get(name)
        if value is not None and not (isinstance(value, int | float) and 0 <= value <= 1):
            raise UsageError(f"{where}: {name} {value!r} is no share between 0 and 1; the file was changed or damaged")


def holds_run(path: Path) -> bool:
    """Whether a folder holds anything that a run computed."""
    return any((path / name).exists() for name in _RESULTS)


def finished_epochs(path: Path) -> int:
    """Epochs from which the run in a folder can go on; 0 where there is none."""
    if not (path / CHECKPOINT).exists():
        return 0
    with suppress(OSError):  # the metrics follow the checkpoint, and may be an epoch behind
        return max(1, len((path / _METRICS).read_bytes().splitlines()))
    return 1


class RunFolder:
    """Writes after every epoch, each file whole or not at all; the checkpoint leads, the metrics follow it.

    Parameters
    ----------
    path : path
    config : mapping
        The effective configuration; a run goes on only under the same one.
    resume : bool
        Go on from the checkpoint when there is one.

    Raises
    ------
    UsageError
        When the folder holds another run, or one that was not meant to be continued.
    """

    def __init__(self, path: str | os.PathLike[str], config: Mapping[str, Any], resume: bool) -> None:
        self.path = Path(path)
        self.checkpoint = self.path / CHECKPOINT
        if not resume and holds_run(self.path):
            raise UsageError(f"{self.path} holds a run: continue it with --resume, or name another folder")
        check_outputs(*(self.path / name for name in (_CONFIG, CHECKPOINT, _METRICS)))
        self._config = json.loads(json.dumps(config))  # as it will be read back: lists for tuples
        if not self.checkpoint.exists():
            self._refuse_strange_config()
            write_atomically(self.path / _CONFIG, json.dumps(self._config, indent=1) + "\n")

    def _refuse_strange_config(self) -> None:
        """A run that was stopped before its first epoch leaves one; another program's, or parameters, are not ours."""
        config = self.path / _CONFIG
        if not config.exists():
            return
        try:
            ours = "parameter_file" in json.loads(config.read_bytes())
        except (OSError, ValueError, TypeError, RecursionError):
            ours = False
        if not ours:
            raise UsageError(f"{config}: is not of a run, and is not written over; name another folder")

    def load(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> list[dict[str, Any]]:
        """Bring model and optimizer to where the run stopped; the metrics of the epochs done so far."""
        if not self.checkpoint.exists():
            return []
        notes = load_checkpoint(self.checkpoint, model, optimizer, check=self._check)
        metrics = checked_metrics(notes.get("metrics"), str(self.checkpoint), self._config.get("score") is not None)
        self._write_metrics(metrics)
        return metrics

    def save(
        self, model: nn.Module, optimizer: torch.optim.Optimizer, metrics: Sequence[Mapping[str, Any]]
    ) -> Path:
        """Checkpoint, then metrics; the path of the checkpoint."""
        notes = {"config": self._config, "metrics": list(metrics)}
        # metrics are in it too, and are written from it on resuming: between the two files a process may be killed
        save_checkpoint(self.checkpoint, model, optimizer, notes=notes)
        self._write_metrics(metrics)
        return self.checkpoint

    def _check(self, notes: Mapping[str, Any]) -> None:
        problems = differences(notes.get("config", {}), self._config)
        if problems:
            raise UsageError(f"{self.path} was started with other settings: {'; '.join(problems)}")

    def _write_metrics(self, metrics: Sequence[Mapping[str, Any]]) -> None:
        lines = "".join(json.dumps(line) + "\n" for line in metrics)
        write_atomically(self.path / _METRICS, lines)
