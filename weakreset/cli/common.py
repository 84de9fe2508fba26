"""What all commands share: consoles, progress, JSON, and errors as one paragraph."""

from __future__ import annotations

import json
import math
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from rich.console import Console
from rich.segment import Segment

from weakreset.display import printable
from weakreset.errors import OutputError
from weakreset.locks import held
from weakreset.outputs import check_outputs
from weakreset.paths import shown_path
from weakreset.progress import Progress

__all__ = [
    "Terminated", "claim_outputs", "command_line", "console_for", "outputs_held", "print_json",
    "progress_bar", "resumable", "say", "silence_stdout",
]


_HELD: list[ExitStack] = []  # of the command that runs, where one runs
_REFRESH_S = 0.1  # a terminal that is redrawn at every device costs more than a fit
_BRIEF_S = 1.0
_NOT_BEGUN = "nothing was begun, and what was there before is as it was: run the same command again"


@contextmanager
def outputs_held() -> Iterator[None]:
    """What `claim_outputs` claims meanwhile is let go at the end."""
    with ExitStack() as stack:
        _HELD.append(stack)
        try:
            yield
        finally:
            _HELD.remove(stack)  # by itself: commands run inside tests and notebooks too, one in another


def claim_outputs(
    *files: str | os.PathLike[str] | None, folder: str | os.PathLike[str] | None = None,
    read: Iterable[str | os.PathLike[str]] = (),
) -> None:
    """Before any work: these files can be written and files in this folder, and no other run is writing the files.

    A folder is held by what fills it, so that it is held in programs and notebooks too. `read` is what the command
    reads, files and perhaps names of presets: a measurement is not written over by its own fit.

    Raises
    ------
    OutputError
        As from `check_outputs` and `held`; an output is one of the files that are read.
    """
    check_outputs(*files, folder=folder)
    sources = {os.path.realpath(source) for source in read}
    for file in files:
        if file is not None and os.path.realpath(file) in sources:
            raise OutputError(f"{shown_path(file)}: is read by this command, and is not written over; name another")
    if _HELD:
        _HELD[-1].enter_context(held(*(file for file in files if file is not None)))


class Terminated(KeyboardInterrupt):
    """SIGTERM: ends the work as Ctrl-C does, with another exit code."""

    code = 143


class _Patient(Console):
    """A console whose reader may leave (`| head`): words are lost, the work and its files are not."""

    def print(self, *objects: Any, **options: Any) -> None:
        try:
            super().print(*objects, **options)
        except BrokenPipeError:
            self.on_broken_pipe()

    def render(self, renderable: Any, options: Any = None) -> Iterator[Segment]:
        """Names of devices and files come from strangers: what a terminal would obey in them is shown, not sent."""
        for text, style, control in super().render(renderable, options):
            # control: what rich itself sends
            yield Segment(text if control else printable(text, line_ends=True), style, control)

    def on_broken_pipe(self) -> None:
        self.quiet = True
        silence_stdout()


def silence_stdout() -> None:
    """What is still to be flushed to a reader that left goes nowhere, and raises nothing when Python ends."""
    # the number of the file is replaced: what is buffered in libraries goes the same way
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def console_for(as_json: bool) -> Console:
    """Where words for people go: stderr when stdout carries JSON."""
    return _Patient(stderr=as_json, highlight=False, soft_wrap=True)


def say(text: str, style: str | None) -> None:
    """One paragraph on stderr."""
    console_for(as_json=True).print(text, style=style, markup=False)


def print_json(value: Any) -> None:
    """One JSON object on stdout; NaN refused, because JSON has none."""
    try:
        sys.stdout.write(json.dumps(value, indent=1, allow_nan=False, default=str) + "\n")
    except BrokenPipeError:
        silence_stdout()


@contextmanager
def progress_bar(console: Console) -> Iterator[Progress]:
    """A rich bar driven by callbacks progress(done, total, what)."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        console=console, transient=not console.is_terminal, auto_refresh=False,
    ) as bar:  # refreshed by the callbacks: a thread would be in the way of forking
        tasks: dict[str, Any] = {}
        began: dict[str, float] = {}
        shown = -math.inf

        def advance(done: int, total: int, what: str) -> None:
            nonlocal shown
            now = time.monotonic()
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total)
                began[what] = now
            # a step that was over at once leaves no line behind
            bar.update(tasks[what], completed=done, total=total, visible=done < total or now - began[what] > _BRIEF_S)
            if done == total or now - shown > _REFRESH_S:
                shown = now
                bar.refresh()

        yield advance


@contextmanager
def resumable(advice: Callable[[], str]) -> Iterator[None]:
    """Turn Ctrl-C into a word of advice on stderr, thought of then, and exit code 130."""
    import typer

    try:
        yield
    except KeyboardInterrupt as stop:
        # to look, torch would be loaded, which takes longer than anybody waits who pressed Ctrl-C
        begun = "torch" in sys.modules
        say(f"interrupted; {advice() if begun else _NOT_BEGUN}", None)
        # 128 + the number of the signal, as shells count
        raise typer.Exit(143 if isinstance(stop, Terminated) else 130) from None


def command_line() -> str:
    """The command as typed, for the provenance."""
    return " ".join(["weakreset", *map(_word, sys.argv[1:])])


def _word(argument: str) -> str:
    """For a shell; a name whose bytes are no text as bash writes it, $'caf\\xe9.csv'."""
    import shlex

    if argument.isprintable():
        return shlex.quote(argument)
    plain = frozenset(range(32, 127)) - set(b"\\'")
    return "$'" + "".join(chr(byte) if byte in plain else f"\\x{byte:02x}" for byte in os.fsencode(argument)) + "'"
