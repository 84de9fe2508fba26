"""`weakreset export`: a parameter file as plain tables."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from weakreset.cli.common import console_for, print_json
from weakreset.cli.parameters import AssumeOption, parameters_of
from weakreset.errors import UsageError
from weakreset.resources import check_outputs

__all__ = ["export_command"]


def export_command(
    params: Annotated[str, typer.Argument(help="parameter file or preset")],
    output: Annotated[Path, typer.Option("--output", "-o", help="OUT.csv; devices also OUT.h5")],
    to: Annotated[str, typer.Option(help="laws (a row a number, with errors) or devices (a row a drawn device)")] = (
        "laws"
    ),
    devices: Annotated[int, typer.Option(min=1, help="how many devices, with --to devices")] = 100,
    seed: Annotated[int, typer.Option(min=0, help="same seed, same devices")] = 0,
    assume: AssumeOption = "",
    json_: Annotated[bool, typer.Option("--json", help="print one JSON object on stdout")] = False,
) -> None:
    """Write the laws, or devices drawn from them, as a table (drawn devices are labelled as simulated)."""
    from weakreset.parameter_file import write_devices, write_laws

    if to not in ("laws", "devices"):
        raise UsageError(
            f"--to {to!r}: choose laws or devices (verilog-a, ngspice and aihwkit are planned for a later version)"
        )
    check_outputs(output)
    file = parameters_of(params, assume)
    said = {"output": str(output), "name": file.name, "to": to}
    if to == "devices":
        write_devices(file, output, devices, seed)
        what = f"{devices} simulated devices of {file.name} (seed {seed})"
    else:
        if output.suffix != ".csv":
            raise UsageError(f"{output}: laws are written as CSV; use a name that ends in .csv")
        write_laws(file, output)
        what = f"laws of {file.name}"
    console_for(json_).print(f"{what}: {output}", markup=False)
    if json_:
        print_json(said | ({"devices": devices, "seed": seed} if to == "devices" else {}))
