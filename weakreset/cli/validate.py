"""`weakreset validate`: does the model reproduce the measurement?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from weakreset.cli.common import command_line, console_for, print_json, progress_bar
from weakreset.resources import write_atomically

__all__ = ["validate_command"]


def validate_command(
    params: Annotated[str, typer.Argument(help="parameter file or preset (majumdar2021)")],
    traces: Annotated[list[str], typer.Argument(help="trace files, folders or patterns")],
    report: Annotated[Path | None, typer.Option(help="HTML report")] = None,
    replicas: Annotated[int, typer.Option(help="simulated populations to compare with", min=1)] = 999,
    seed: Annotated[int, typer.Option(help="same seed, same verdict", min=0)] = 0,
    map_: Annotated[str, typer.Option("--map", help="role=column,... where the guess is wrong")] = "",
    pulses: Annotated[str, typer.Option(help="only pulses A:B (both included); A becomes pulse 0")] = "",
    json_: Annotated[bool, typer.Option("--json", help="print one JSON object on stdout")] = False,
) -> None:
    """Compare traces with simulated replicas; exit code 1 when the model does not reproduce them."""
    from weakreset.cli.fit import parse_pulse_range
    from weakreset.parameter_file import load_parameters
    from weakreset.traces import load_traces
    from weakreset.validation import validate

    console = console_for(json_)
    file = load_parameters(params)
    loaded = load_traces(traces, column_map=map_ or None)
    if pulses:
        loaded = loaded.select_pulses(*parse_pulse_range(pulses))
    with progress_bar(console) as progress:
        verdict = validate(file, loaded, n_replicas=replicas, seed=seed, progress=progress)
    console.print(_check_table(verdict))
    for reason in verdict.skipped:
        console.print(f"Not checked: {reason}", markup=False)
    console.print(verdict.sentence, style="green" if verdict.passed else "red", markup=False)
    if report is not None:
        from weakreset.report import ReportInput, build_report

        title = f"Validation of {file.name}"
        content = ReportInput(title=title, params=file, verdict=verdict, traces=loaded, commands=(command_line(),))
        write_atomically(report, build_report(content))
        console.print(f"report: {report}", markup=False)
    if json_:
        print_json(verdict.to_dict() | ({} if report is None else {"report": str(report)}))
    if not verdict.passed:
        raise typer.Exit(1)


def _check_table(verdict: Any) -> Any:
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=escape(f"{verdict.params_name} against {verdict.n_devices} devices"), title_justify="left")
    for column in ("check", "outcome", "p", "p corrected", "in words"):
        table.add_column(column, justify="right" if column.startswith("p") else "left")
    for check in verdict.checks:
        outcome = "[green]passed[/]" if check.passed else "[red]failed[/]"
        figures = (f"{check.p_value:.3f}", f"{check.p_corrected:.3f}")
        table.add_row(check.name, outcome, *figures, check.sentence)
    return table
