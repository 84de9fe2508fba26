"""`weakreset import`: a plain table of devices into a parameter file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from weakreset.cli.common import claim_outputs, command_line, console_for, print_json, progress_bar
from weakreset.cli.law_options import FullLikelihoodOption, law_options
from weakreset.errors import UsageError

__all__ = ["import_command"]


def import_command(
    table: Annotated[Path, typer.Argument(metavar="TABLE", help="CSV, a row a device: r0_ohm, m1, t_star, ...")],
    output: Annotated[Path, typer.Option("--output", "-o", help="parameter file to write")],
    name: Annotated[str, typer.Option(help="name of the technology")] = "",
    cite: Annotated[str, typer.Option(help="where the table comes from")] = "",
    drift: Annotated[str, typer.Option(help="drift shape that the numbers belong to")] = "two-slope",
    direction: Annotated[str, typer.Option(help="reset: pulses raise R; set: they lower it")] = "reset",
    empty_knee: Annotated[
        str, typer.Option(help="what an empty knee means: beyond (it lies beyond n_pulses) or unknown (left out)")
    ] = "",
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="noise that a table does not hold: pink.alpha='0.7 %', rtn.p_up=8e-4, ..."),
    ] = None,
    full_likelihood: FullLikelihoodOption = False,
    bootstrap: Annotated[int, typer.Option(help="replicas for 95 % intervals of the laws; 200 is usual")] = 0,
    seed: Annotated[int, typer.Option(help="same seed, same laws")] = 0,
    json_: Annotated[bool, typer.Option("--json", help="print one JSON object on stdout")] = False,
) -> None:
    """Fit the laws of a technology to a table of devices (with or without errors), without traces."""
    from weakreset.cli.law_table import print_laws
    from weakreset.cli.new import nested
    from weakreset.parameter_file import changes_of
    from weakreset.population import export_parameters, fit_population, read_device_table, with_noise

    replicas = law_options(bootstrap, 0, seed, full_likelihood)
    claim_outputs(output, read=[table])
    console = console_for(json_)
    noise = nested(changes_of(set_ or []))
    if wrong := [key for key, block in noise.items() if not isinstance(block, dict)]:
        raise UsageError(f"--set {wrong[0]}: only noise is set here (pink.alpha=...); laws come from the table")
    fits = read_device_table(table, drift, direction, empty_knee, seed)
    with progress_bar(console) as progress:
        population = fit_population(fits, progress=progress, **replicas)
    params = export_parameters(population, name or output.stem, command=command_line(), notes=fits.notes)
    params, said = with_noise(params, fits, noise, cite)
    print_laws(console, population)
    for line in (*fits.notes, *said):
        console.print(line, style="yellow", markup=False)
    params.save(output)
    console.print(f"parameter file: {output} (look at it: weakreset show {output})", markup=False)
    if json_:
        print_json({"parameter_file": str(output), "name": params.name, "devices": fits.counts(), "notes": said})
