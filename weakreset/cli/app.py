"""The typer application and what becomes of errors."""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, TextIO

import typer
from rich.console import Console

from weakreset.cli.common import outputs_held, say, silence_stdout
from weakreset.cli.imperfections import ImperfectionsCommand
from weakreset.cli.signs import every_sign_can_be_written
from weakreset.cli.stopped import Interrupted, InterruptibleGroup, kept, signals_unwind, unforeseen
from weakreset.errors import UsageError, WeakResetError, WeakResetWarning
from weakreset.outputs import written_files

__all__ = ["application", "run"]

_COMMANDS = {
    "demo": "demo", "inspect": "inspect", "fit": "fit", "simulate": "simulate", "validate": "validate",
    "train": "train", "ablate": "ablate", "show": "show", "new": "new", "import": "import_table", "edit": "edit",
    "compare": "compare", "export": "export", "template": "template", "doctor": "doctor", "app": "app_window",
}
"""Each command, in the order of the help, and the file in this folder that holds it as COMMAND_command."""
_NAME_IMPERFECTIONS = ("simulate", "train", "ablate")


def application(names: Iterable[str] = tuple(_COMMANDS)) -> typer.Typer:
    """The command line with these commands. One that is asked for is made alone: making all takes a tenth of a second.

    Parameters
    ----------
    names : iterable of str
        Of commands; all there are unless given.
    """
    app = typer.Typer(
        name="weakreset",
        cls=InterruptibleGroup,
        help="From measured weak-RESET traces of resistive memory to fitted devices and trained networks.",
        no_args_is_help=True,
        context_settings={"help_option_names": ["--help", "-h"]},
        pretty_exceptions_enable=False,
    )
    app.callback(invoke_without_command=True)(_options)
    for name in names:
        command = getattr(importlib.import_module(f"weakreset.cli.{_COMMANDS[name]}"), f"{name}_command")
        app.command(name, cls=ImperfectionsCommand if name in _NAME_IMPERFECTIONS else None)(command)
    return app


def _options(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="show it, and stop")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="with --version: all that a bug report needs")] = False,
) -> None:
    if not version:
        if context.invoked_subcommand is None:
            raise UsageError("--verbose goes with --version; or name a command: weakreset --help lists them")
        return
    from weakreset.environment import versions
    from weakreset.version import __version__

    console = Console(highlight=False, soft_wrap=True)
    for name, found in versions() if verbose else [("weakreset", __version__)]:
        console.print(f"{name} {found}", markup=False)
    raise typer.Exit


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code.

    A user's mistake is one paragraph on stderr and 2; an error that weakreset did not foresee is one too, with the
    place of its traceback, and 3; Ctrl-C is 130 and SIGTERM 143.
    """
    with (
        every_sign_can_be_written(), warnings.catch_warnings(), signals_unwind(), outputs_held(),
        written_files() as written,
    ):  # fmt: skip
        warnings.simplefilter("always", WeakResetWarning)
        warnings.showwarning = _shown
        code = _code(arguments, written)
        try:
            sys.stdout.flush()  # here, where a closed pipe can still be answered; at exit it would be a traceback
        except BrokenPipeError:
            silence_stdout()
        return code


def _shown(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """A warning of ours as a line for people; others with their names."""
    named = "" if issubclass(category, WeakResetWarning) else f"{category.__name__}: "
    say(f"note: {named}{message}", "yellow")


def _code(arguments: list[str], written: list[Path]) -> int:
    try:
        named = arguments[:1] if arguments and arguments[0] in _COMMANDS else _COMMANDS
        application(named)(arguments)
    except WeakResetError as error:
        say(f"weakreset: {error}", "red")
        return 2
    except Interrupted as stop:
        say(f"interrupted; {kept(written)}", "yellow")
        return stop.code
    # typer ends every command so, with 0 too
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except Exception as error:  # whatever a library under us raises on a stranger's file
        say(unforeseen(error, arguments, written), "red")
        return 3
    return 0
