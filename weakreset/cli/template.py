"""`weakreset template`: example files to copy from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from weakreset.errors import UsageError

__all__ = ["template_command"]

_FILES = {"csv-long": "template_long.csv", "csv-wide": "template_wide.csv", "hdf5": "template.h5"}
_N_DEVICES, _N_PULSES, _SEED = 4, 60, 1


def template_command(
    format_: Annotated[str, typer.Argument(metavar="[FORMAT]", help="csv-long, csv-wide or hdf5; all without")] = "",
    output: Annotated[Path, typer.Option("--output", "-o", help="folder, or the file to write")] = Path("."),
) -> None:
    """Write small example files (simulated, and labelled so) whose shape your own may copy."""
    from weakreset.traces import write_csv_long, write_csv_wide, write_hdf5
    from weakreset.twin import simulate_traces

    if format_ and format_ not in _FILES:
        raise UsageError(f"format {format_!r} has no template; there are {', '.join(_FILES)}")
    chosen = [format_] if format_ else list(_FILES)
    to_file = bool(output.suffix) and not output.is_dir()
    if to_file and len(chosen) > 1:
        raise UsageError(f"{output}: several templates need a folder; or choose one of {', '.join(_FILES)}")
    writers = {"csv-long": write_csv_long, "csv-wide": write_csv_wide, "hdf5": write_hdf5}
    traces = simulate_traces("majumdar2021", _N_DEVICES, _N_PULSES, _SEED)
    console = Console(highlight=False, soft_wrap=True)
    for name in chosen:
        target = output if to_file else output / _FILES[name]
        if target.exists():
            raise UsageError(f"{target} is there already; name another file or folder with -o")
        console.print(f"{name}: {writers[name](traces, target)} (simulated)", markup=False)
    console.print("Fill in your own readings, then: weakreset inspect FILE", markup=False)
