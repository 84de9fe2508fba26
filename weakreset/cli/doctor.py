"""`weakreset doctor`: does this installation work?"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from weakreset.cli.common import console_for, print_json

__all__ = ["doctor_command"]

_STYLES = {"ok": "green", "missing": "", "slow": "yellow", "broken": "red"}


def doctor_command(
    json_: Annotated[bool, typer.Option("--json", help="print one JSON object on stdout")] = False,
) -> None:
    """Say whether torch, compiled kernel, threads, cache folders and extras work; exit code 1 where one is broken."""
    from weakreset.environment import examine, versions

    console = console_for(json_)
    findings = []
    for finding in examine():
        findings.append(finding)
        console.print(f"{finding.state:8}", style=_STYLES[finding.state], end="")
        console.print(f"{finding.what}: {finding.words}", markup=False)
    broken = [finding.what for finding in findings if finding.state == "broken"]
    console.print(f"broken: {', '.join(broken)}" if broken else "everything that is installed works", markup=False)
    if json_:
        print_json({"findings": [asdict(finding) for finding in findings], "versions": dict(versions())})
    if broken:
        raise typer.Exit(1)
