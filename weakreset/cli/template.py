"""`weakreset template`: example files to copy from."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from weakreset.cli.common import claim_outputs
from weakreset.errors import UsageError

__all__ = ["template_command"]

_FILES = {"csv-long": "template_long.csv", "csv-wide": "template_wide.csv", "hdf5": "template.h5"}
_INSTRUMENTS = {
    "b1500a": "b1500a.csv", "keithley-4200": "keithley_4200.xls", "smu-csv": "smu.csv",
    "arc-one": "arc_one.csv", "arc-two": "arc_two.h5", "excel": "sample.xlsx",
    "matlab": "matlab_5.mat", "tdms": "sample.tdms", "parquet": "sample.parquet",
}  # fmt: skip
_LAYOUTS = {
    name: f"{name}.csv"
    for name in (
        "row-a-read", "row-a-read-cycles", "one-device", "currents", "decimal-commas", "bursts", "operations",
        "column-a-device", "column-a-cycle", "row-a-device",
    )
}
_ALL = _FILES | _INSTRUMENTS | _LAYOUTS
_MAPS = {"smu-csv": " --map pulse=Item"}
_N_DEVICES, _N_PULSES, _SEED = 4, 60, 1


def template_command(
    format_: Annotated[
        str,
        typer.Argument(metavar="[FORMAT]", help=f"{', '.join(_ALL)}; the first three without"),
    ] = "",
    output: Annotated[Path, typer.Option("--output", "-o", help="folder, or the file to write")] = Path("."),
) -> None:
    """Write small example files (simulated, and labelled so) whose shape your own may copy."""
    if format_ and format_ not in _ALL:
        raise UsageError(f"format {format_!r} has no template; there are {', '.join(_ALL)}")
    chosen = [format_] if format_ else list(_FILES)
    to_file = bool(output.suffix) and not os.path.isdir(output)
    if to_file and len(chosen) > 1:
        raise UsageError(f"{output}: several templates need a folder; or choose one of {', '.join(_FILES)}")
    claim_outputs(*([output] if to_file else []), folder=None if to_file else output)
    console = Console(highlight=False, soft_wrap=True)
    targets = {name: output if to_file else output / _ALL[name] for name in chosen}
    if there := [str(target) for target in targets.values() if target.exists()]:
        raise UsageError(f"{there[0]} is there already; name another file or folder with -o")
    for name, target in targets.items():
        console.print(f"{name}: {_write(name, target)} (simulated)", markup=False)
    console.print(f"Fill in your own readings, then: weakreset inspect FILE{_MAPS.get(format_, '')}", markup=False)
    if not format_:
        console.print(f"Other layouts, shown in docs/readers.md: weakreset template {'|'.join(_LAYOUTS)}", markup=False)
        console.print(f"Files as instruments write them: weakreset template {'|'.join(_INSTRUMENTS)}", markup=False)


def _write(name: str, target: Path) -> Path:
    from weakreset.resources import bundled, write_atomically
    from weakreset.traces import write_csv_long, write_csv_wide, write_hdf5
    from weakreset.traces.example_layouts import LAYOUTS
    from weakreset.twin import simulate_traces

    if name in _INSTRUMENTS:
        return write_atomically(target, (bundled("data") / _INSTRUMENTS[name]).read_bytes())
    example = simulate_traces("majumdar2021", _N_DEVICES, _N_PULSES, _SEED)
    if name in _LAYOUTS:
        return write_atomically(target, "# simulated: true\n" + LAYOUTS[name](example))
    writers = {"csv-long": write_csv_long, "csv-wide": write_csv_wide, "hdf5": write_hdf5}
    return writers[name](example, target)
