"""`weakreset edit`: numbers of a parameter file changed by hand."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from weakreset.cli.common import claim_outputs, console_for, print_json
from weakreset.errors import UsageError

__all__ = ["edit_command"]


def edit_command(
    params: Annotated[str, typer.Argument(metavar="PARAMS", help="parameter file or preset")],
    set_: Annotated[
        list[str],
        typer.Option(
            "--set", help="PLACE=VALUE, again for more: m1.scale=7e-4, t_star.upper=2000, rtn.enabled=false, "
            "name=lot-7, 'm1=lognorm(s=0.8, scale=5e-4) in [0, 0.01]'",
        ),
    ],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="file to write; PARAMS unless given")] = None,
    json_: Annotated[bool, typer.Option("--json", help="print one JSON object on stdout")] = False,
) -> None:
    """Change numbers of a parameter file: checked, old values remembered in it, a stored verdict dropped."""
    from weakreset.parameter_file import changes_of, edit_parameters, load_parameters

    console = console_for(json_)
    if output is None and not os.path.isfile(params):
        raise UsageError(f"{params} is a preset: say with -o where to write the changed file")
    claim_outputs(output or params)  # before reading: nobody else writes it from here on
    before = load_parameters(params)
    after = edit_parameters(before, changes_of(set_))
    made = after.provenance.edits[len(before.provenance.edits) :]
    target = after.save(output or params)
    for edit in made:
        gone = f" (gone with it: {', '.join(edit.dropped)})" if edit.dropped else ""
        console.print(f"{edit.what}: {edit.old} -> {edit.new}{gone}", markup=False)
    if not made:
        console.print("nothing changed: these are the values it has", markup=False)
    if before.validation is not None and after.validation is None:
        console.print("the stored verdict was of the old numbers, and is dropped", style="yellow", markup=False)
    console.print(f"parameter file: {target}", markup=False)
    if json_:
        print_json({"parameter_file": str(target), "name": after.name, "edits": [e.model_dump() for e in made]})
