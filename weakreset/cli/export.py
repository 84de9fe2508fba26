"""`weakreset export`: a parameter file as plain tables, or for another simulator."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from weakreset.cli.common import claim_outputs, console_for, print_json
from weakreset.cli.parameters import AssumeOption, parameters_of
from weakreset.errors import UsageError
from weakreset.resources import all_or_none, write_atomically

if TYPE_CHECKING:
    from weakreset.parameter_file import ParameterFile

__all__ = ["export_command"]


_TO = (
    "laws (a row a number, with errors), devices (a row a drawn device), ngspice, verilog-a, aihwkit, neurosim; "
    "of a run: onnx, weights"
)
_RUNS = {"onnx": (".onnx",), "weights": (".npz", ".safetensors")}


def export_command(
    params: Annotated[str, typer.Argument(help="parameter file or preset; for onnx and weights the folder of a run")],
    output: Annotated[Path, typer.Option("--output", "-o", help="OUT.csv; devices also OUT.h5; or as --to wants")],
    to: Annotated[str, typer.Option(help=_TO)] = "laws",
    devices: Annotated[
        int | None,
        typer.Option(min=1, help="how many devices are drawn (100; ngspice, verilog-a 4; aihwkit, neurosim 1000)"),
    ] = None,
    pulses: Annotated[int | None, typer.Option(min=1, help="RESET pulses, for other simulators (1000)")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="same seed, same devices (0)")] = None,
    assume: AssumeOption = "",
    json_: Annotated[bool, typer.Option("--json", help="print one JSON object on stdout")] = False,
) -> None:
    """Write the laws, or devices drawn from them, as a table or for another simulator (drawn devices are simulated).

    A trained run is written as an ONNX network, or as its bare binary weights.
    """
    claim_outputs(output, read=[params])
    given = {"--devices": devices, "--pulses": pulses, "--seed": seed, "--assume": assume or None}
    _refuse_unused(to, [name for name, value in given.items() if value is not None])
    said: dict[str, Any] = {"output": str(output), "to": to}
    if to in _RUNS:
        name, what = _run(Path(params), to, output)
    else:
        file = parameters_of(params, assume)
        name, drawn = file.name, _Drawn(devices, pulses or 1000, seed or 0)
        what, numbers = _parameters(file, to, output, drawn)
        said |= numbers
    console_for(json_).print(f"{what}: {output}", markup=False)
    if json_:
        print_json(said | {"name": name})


class _Drawn(NamedTuple):
    """What is drawn; `devices` as the target has it usually where None."""

    devices: int | None
    pulses: int
    seed: int


def _refuse_unused(to: str, given: list[str]) -> None:
    """An option that the target does not know must not look as if it had done something."""
    known = {"laws": ["--assume"], "devices": ["--devices", "--seed", "--assume"], "onnx": [], "weights": []}
    if unused := [name for name in given if name not in known.get(to, given)]:
        raise UsageError(f"--to {to} has no use for {', '.join(unused)}: leave it out")


def _run(folder: Path, to: str, output: Path) -> tuple[str, str]:
    """Write a trained run; its name, and what was written."""
    from weakreset.exports.trained import read_run, weights_files

    if output.suffix not in _RUNS[to]:
        raise UsageError(f"--to {to}: the file must end in {' or '.join(_RUNS[to])}, not {output.suffix!r}")
    run = read_run(folder)
    if to == "weights":
        all_or_none(weights_files(run, output))
        return folder.name, f"binary weights of {folder} (simulated devices; manifest beside it)"
    from weakreset.exports.onnx_network import onnx_of_run

    write_atomically(output, onnx_of_run(run))
    return folder.name, f"{folder} as ONNX, binary weights as int8 (trained on simulated devices)"


def _parameters(file: ParameterFile, to: str, output: Path, drawn: _Drawn) -> tuple[str, dict[str, Any]]:
    """Write a parameter file; what was written, and what of it was drawn."""
    if to == "laws":
        return _laws(file, output), {}
    if to == "devices":
        devices = drawn.devices or 100
        return _devices(file, output, devices, drawn.seed), {"devices": devices, "seed": drawn.seed}
    from weakreset.exports import ExportSettings, target_named

    target = target_named(to, output.suffix)
    settings = ExportSettings(drawn.devices or target.devices, drawn.pulses, drawn.seed, output.suffix)
    write_atomically(output, target.write(file, settings))
    what = f"{settings.devices} simulated devices, seed {drawn.seed}; what it leaves out: its top"
    said = {"devices": settings.devices, "pulses": drawn.pulses, "seed": drawn.seed}
    return f"{file.name} for {to} ({what})", said


def _laws(file: ParameterFile, output: Path) -> str:
    from weakreset.exports import write_datapackage
    from weakreset.parameter_file.tables import LAW_WORDS, write_laws

    if output.suffix != ".csv":
        raise UsageError(f"{output}: laws are written as CSV; use a name that ends in .csv")
    write_laws(file, output)
    write_datapackage(output, {}, f"laws of {file.name}", bool(file.provenance.simulated), LAW_WORDS)
    return f"laws of {file.name}"


def _devices(file: ParameterFile, output: Path, devices: int, seed: int) -> str:
    from weakreset.exports import columns_of, write_datapackage
    from weakreset.parameter_file import write_devices

    what = f"{devices} simulated devices of {file.name} (seed {seed})"
    write_devices(file, output, devices, seed)
    if output.suffix == ".csv":
        write_datapackage(output, columns_of(file), what, True, ("device",))
    return what
