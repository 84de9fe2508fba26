"""What all commands share: consoles, progress, JSON, and errors as one paragraph."""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console

__all__ = ["command_line", "console_for", "print_json", "progress_bar", "resumable"]

Progress = Callable[[int, int, str], None]

_REFRESH_S = 0.1  # a terminal that is redrawn at every device costs more than a fit


def console_for(as_json: bool) -> Console:
    """Where words for people go: stderr when stdout carries JSON."""
    return Console(stderr=as_json, highlight=False, soft_wrap=True)


def print_json(value: Any) -> None:
    """One JSON object on stdout; NaN refused, because JSON has none."""
    sys.stdout.write(json.dumps(value, indent=1, allow_nan=False, default=str) + "\n")


@contextmanager
def progress_bar(console: Console) -> Iterator[Progress]:
    """A rich bar driven by callbacks progress(done, total, what)."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        console=console, transient=not console.is_terminal, auto_refresh=False,
    ) as bar:  # refreshed by the callbacks: a thread would be in the way of forking
        tasks: dict[str, Any] = {}
        shown = -math.inf

        def advance(done: int, total: int, what: str) -> None:
            nonlocal shown
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total)
            bar.update(tasks[what], completed=done, total=total)
            now = time.monotonic()
            if done == total or now - shown > _REFRESH_S:
                shown = now
                bar.refresh()

        yield advance


@contextmanager
def resumable(advice: str) -> Iterator[None]:
    """Turn Ctrl-C into a word of advice on stderr and exit code 130."""
    import typer

    try:
        yield
    except KeyboardInterrupt:
        Console(stderr=True, highlight=False, soft_wrap=True).print(f"interrupted; {advice}", markup=False)
        raise typer.Exit(130) from None


def command_line() -> str:
    """The command as typed, for the provenance."""
    import shlex

    return " ".join(["weakreset", *map(shlex.quote, sys.argv[1:])])
