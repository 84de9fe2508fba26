"""`weakreset demo`: the whole road on the bundled data."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from weakreset.cli.common import claim_outputs, console_for, print_json, progress_bar

__all__ = ["demo_command"]


def demo_command(
    output: Annotated[Path, typer.Option("--output", "-o", help="folder for everything the demo makes")] = Path(
        "weakreset-demo"
    ),
    seed: Annotated[int, typer.Option(help="seed of validation and training")] = 0,
    json_: Annotated[bool, typer.Option("--json", help="print one JSON object on stdout")] = False,
) -> None:
    """Fit, export, validate, train and report on the bundled (simulated) traces."""
    from weakreset.demo import run_demo

    claim_outputs(folder=output)
    console = console_for(json_)
    start = time.perf_counter()
    with progress_bar(console) as progress:
        result = run_demo(output, seed, progress)
    for line in (*result.summary(), *result.places()):
        console.print(line, markup=False)
    console.print(f"({time.perf_counter() - start:.0f} s)", style="dim")
    if json_:
        print_json({"summary": result.summary(), "folder": str(output), "passed": result.verdict.passed})
