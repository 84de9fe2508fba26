"""The typer application and what becomes of errors."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import Annotated, TextIO

import typer
from rich.console import Console

from weakreset.cli.ablate import ablate_command
from weakreset.cli.app_window import app_command
from weakreset.cli.common import outputs_held, silence_stdout
from weakreset.cli.compare import compare_command
from weakreset.cli.demo import demo_command
from weakreset.cli.doctor import doctor_command
from weakreset.cli.edit import edit_command
from weakreset.cli.export import export_command
from weakreset.cli.fit import fit_command
from weakreset.cli.imperfections import ImperfectionsCommand
from weakreset.cli.import_table import import_command
from weakreset.cli.inspect import inspect_command
from weakreset.cli.new import new_command
from weakreset.cli.show import show_command
from weakreset.cli.signs import every_sign_can_be_written
from weakreset.cli.simulate import simulate_command
from weakreset.cli.stopped import Interrupted, InterruptibleGroup, kept, say, termination_is_an_error, unforeseen
from weakreset.cli.template import template_command
from weakreset.cli.train import train_command
from weakreset.cli.validate import validate_command
from weakreset.errors import UsageError, WeakResetError, WeakResetWarning
from weakreset.outputs import written_files

__all__ = ["app", "run"]

app = typer.Typer(
    name="weakreset",
    cls=InterruptibleGroup,
    help="From measured weak-RESET traces of resistive memory to fitted devices and trained networks.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command("demo")(demo_command)
app.command("inspect")(inspect_command)
app.command("fit")(fit_command)
app.command("simulate", cls=ImperfectionsCommand)(simulate_command)
app.command("validate")(validate_command)
app.command("train", cls=ImperfectionsCommand)(train_command)
app.command("ablate", cls=ImperfectionsCommand)(ablate_command)
app.command("show")(show_command)
app.command("new")(new_command)
app.command("import")(import_command)
app.command("edit")(edit_command)
app.command("compare")(compare_command)
app.command("export")(export_command)
app.command("template")(template_command)
app.command("doctor")(doctor_command)
app.command("app")(app_command)


@app.callback(invoke_without_command=True)
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
        every_sign_can_be_written(), warnings.catch_warnings(), termination_is_an_error(), outputs_held(),
        written_files() as written,
    ):  # fmt: skip
        warnings.simplefilter("always", WeakResetWarning)
        warnings.showwarning = _shown
        code = _code(arguments, written)
        try:
            sys.stdout.flush()
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
        app(arguments)
    except WeakResetError as error:
        say(f"weakreset: {error}", "red")
        return 2
    except Interrupted as stop:
        say(f"interrupted; {kept(written)}", "yellow")
        return stop.code
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except Exception as error:  # whatever a library under us raises on a stranger's file
        say(unforeseen(error, arguments, written), "red")
        return 3
    return 0
