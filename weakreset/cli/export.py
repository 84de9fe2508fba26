"""`weakreset export`: a parameter file as plain tables, or for another simulator."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from weakreset.cli.common import claim_outputs, console_for, print_json
from weakreset.cli.parameters import AssumeOption, parameters_of
from weakreset.errors import UsageError
from weakreset.resources import write_atomically

if TYPE_CHECKING:
    from weakreset.parameter_file import ParameterFile

__all__ = ["export_command"]


_TO = "laws (a row a number, with errors), devices (a row a drawn device), ngspice, verilog-a, aihwkit or neurosim"


def export_command(
    params: Annotated[str, typer.Argument(help="parameter file or preset")],
    output: Annotated[Path, typer.Option("--output", "-o", help="OUT.csv; devices also OUT.h5; or as --to wants")],
    to: Annotated[str, typer.Option(help=_TO)] = "laws",
    devices: Annotated[
        int | None,
        typer.Option(min=1, help="how many devices are drawn (100; ngspice, verilog-a 4; aihwkit, neurosim 1000)"),
    ] = None,
    pulses: Annotated[int, typer.Option(min=1, help="RESET pulses, for other simulators")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="same seed, same devices")] = 0,
    assume: AssumeOption = "",
    json_: Annotated[bool, typer.Option("--json", help="print one JSON object on stdout")] = False,
) -> None:
    """Write the laws, or devices drawn from them, as a table or for another simulator (drawn devices are simulated)."""
    claim_outputs(output)
    file = parameters_of(params, assume)
    said: dict[str, Any] = {"output": str(output), "name": file.name, "to": to}
    if to == "laws":
        what = _laws(file, output)
    elif to == "devices":
        said |= {"devices": devices or 100, "seed": seed}
        what = _devices(file, output, devices or 100, seed)
    else:
        from weakreset.exports import ExportSettings, target_named

        target = target_named(to, output.suffix)
        settings = ExportSettings(devices or target.devices, pulses, seed, output.suffix)
        said |= {"devices": settings.devices, "pulses": pulses, "seed": seed}
        write_atomically(output, target.write(file, settings))
        what = f"{file.name} for {to} ({settings.devices} simulated devices, seed {seed}; what it leaves out: its top)"
    console_for(json_).print(f"{what}: {output}", markup=False)
    if json_:
        print_json(said)


def _laws(file: ParameterFile, output: Path) -> str:
    from weakreset.exports import write_datapackage
    from weakreset.parameter_file import write_laws

    if output.suffix != ".csv":
        raise UsageError(f"{output}: laws are written as CSV; use a name that ends in .csv")
    write_laws(file, output)
    words = ("parameter", "unit", "family", "number")
    write_datapackage(output, {}, f"laws of {file.name}", bool(file.provenance.simulated), words)
    return f"laws of {file.name}"


def _devices(file: ParameterFile, output: Path, devices: int, seed: int) -> str:
    from weakreset.exports import columns_of, write_datapackage
    from weakreset.parameter_file import write_devices

    what = f"{devices} simulated devices of {file.name} (seed {seed})"
    write_devices(file, output, devices, seed)
    if output.suffix == ".csv":
        write_datapackage(output, columns_of(file), what, True, ("device",))
    return what
