"""`weakreset simulate`: a parameter file back into traces."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from weakreset.cli.common import claim_outputs, console_for, print_json
from weakreset.cli.imperfections import SWITCHES
from weakreset.cli.parameters import AssumeOption, parameters_of
from weakreset.errors import UsageError

__all__ = ["simulate_command"]


def simulate_command(
    params: Annotated[str, typer.Argument(help="parameter file or preset name")],
    output: Annotated[Path, typer.Option("--output", "-o", help="OUT.csv (long) or OUT.h5")],
    devices: Annotated[int, typer.Option(min=1, help="number of devices")] = 100,
    pulses: Annotated[int, typer.Option(min=1, help="RESET pulses a device")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="same seed, same traces")] = 0,
    without: Annotated[str, typer.Option(help=f"imperfections to switch off, comma between: {SWITCHES}")] = "",
    cycles: Annotated[int, typer.Option(min=1, help="cycles a device, a SET before each")] = 1,
    dies: Annotated[
        int | None, typer.Option(min=1, help="dies the devices sit on; the file must say how dies differ")
    ] = None,
    assume: AssumeOption = "",
    json_: Annotated[bool, typer.Option("--json", help="print one JSON object on stdout")] = False,
) -> None:
    """Simulate traces of a technology (labelled as simulated)."""
    from weakreset.exports import write_datapackage
    from weakreset.traces import write_csv_long, write_hdf5
    from weakreset.twin import extrapolated, simulate_traces

    writers = {".csv": write_csv_long, ".gz": write_csv_long, ".h5": write_hdf5, ".hdf5": write_hdf5}
    if output.suffix not in writers:
        raise UsageError(f"{output}: cannot tell the format from {output.suffix!r}; use .csv or .h5")
    claim_outputs(output, read=[params])
    file = parameters_of(params, assume)
    traces = simulate_traces(file, devices, pulses, seed, without, cycles, dies)
    writers[output.suffix](traces, output)
    if output.suffix == ".csv":
        what = f"simulated traces of {file.name} (seed {seed})"
        write_datapackage(output, {"pulse": "pulse", "resistance_ohm": "ohm"}, what, True, ("device",))
    if beyond := extrapolated(file, pulses):  # on stderr, with --json too: numbers beyond the traces are no measurement
        console_for(True).print(f"warning: {beyond}", style="yellow", markup=False)
    more = f", {cycles} cycles" if cycles > 1 else f", on {dies} dies" if dies else ""
    what = f"{devices} simulated devices of {file.name}, {pulses} pulses each{more}: {output}"
    console_for(json_).print(what, markup=False)
    if json_:
        print_json({"output": str(output), "devices": devices, "pulses": pulses, "seed": seed, "name": file.name})
