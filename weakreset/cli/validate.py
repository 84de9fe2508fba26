"""`weakreset validate`: does the model reproduce the measurement?"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from weakreset.cli.common import claim_outputs, command_line, console_for, print_json, progress_bar
from weakreset.cli.parameters import AssumeOption
from weakreset.cli.trace_options import (
    FormatOption,
    KeepGoingOption,
    LimitsOption,
    MapOption,
    PulsesOption,
    SkipOption,
    TraceOptions,
    VoltageOption,
    WhereOption,
    print_left_out,
)
from weakreset.errors import UsageError
from weakreset.resources import write_atomically

__all__ = ["validate_command"]


def validate_command(
    params: Annotated[str, typer.Argument(help="parameter file or preset (majumdar2021)")],
    traces: Annotated[list[str], typer.Argument(help="trace files, folders or patterns")],
    report: Annotated[Path | None, typer.Option(help="HTML report")] = None,
    replicas: Annotated[int, typer.Option(help="simulated populations to compare with", min=1)] = 999,
    seed: Annotated[int, typer.Option(help="same seed, same verdict", min=0)] = 0,
    held_out: Annotated[bool, typer.Option("--held-out", help="only devices that `fit --holdout` kept out")] = False,
    unseen: Annotated[
        bool, typer.Option("--unseen", help="the fit never saw these traces: let the parameters' errors count (slower)")
    ] = False,
    store: Annotated[bool, typer.Option("--store", help="write the verdict into the parameter file")] = False,
    map_: MapOption = "",
    where: WhereOption = "",
    limits: LimitsOption = "",
    format_: FormatOption = "",
    read_voltage: VoltageOption = None,
    skip: SkipOption = 0,
    mixed_pulses: Annotated[bool, typer.Option(help="take pulses of different amplitude or width together")] = False,
    pulses: PulsesOption = "",
    keep_going: KeepGoingOption = False,
    assume: AssumeOption = "",
    json_: Annotated[bool, typer.Option("--json", help="print one JSON object on stdout")] = False,
) -> None:
    """Compare traces with simulated replicas; exit code 1 when the model does not reproduce them."""
    from weakreset.parameter_file import assumed_numbers, load_parameters
    from weakreset.validation import validate

    console = console_for(json_)
    chosen = TraceOptions(traces, map_, format_, read_voltage, limits, where, pulses, keep_going=keep_going, skip=skip)
    _claim(report, params, store, chosen)
    file = (as_stored := load_parameters(params)).assuming(numbers := assumed_numbers(assume))
    with progress_bar(console) as progress:
        loaded, _ = chosen.load(progress=progress)
    print_left_out(console, loaded)
    loaded = _held_out(file, loaded) if held_out else loaded
    with progress_bar(console) as progress:
        verdict = validate(
            file, loaded, n_replicas=replicas, seed=seed, unseen=unseen or held_out, mixed_pulses=mixed_pulses,
            progress=progress,
        )
    _print_verdict(console, verdict)
    if store:
        # into the file as it was: what was only assumed does not become a law of it
        as_stored.with_verdict(verdict.summary(), numbers).save(params)
        console.print(f"verdict stored in {params}", markup=False)
    if report is not None:
        _page(report, file, verdict, loaded, console)
    if json_:
        print_json(verdict.to_dict() | ({} if report is None else {"report": str(report)}))
    if not verdict.passed:
        raise typer.Exit(1)


def _page(path: Path, file: Any, verdict: Any, traces: Any, console: Any) -> None:
    from weakreset.report import ReportInput, build_report

    title = f"Validation of {file.name}"
    content = ReportInput(title=title, params=file, verdict=verdict, traces=traces, commands=(command_line(),))
    with progress_bar(console) as progress:
        write_atomically(path, build_report(content, progress))
    console.print(f"report: {path}", markup=False)


def _held_out(file: Any, traces: Any) -> Any:
    names = file.provenance.held_out
    if not names:
        raise UsageError(f"{file.name} was fitted to all of its devices: fit it with --holdout 0.3, say")
    part = traces.select_devices(names)
    found = {trace.device for trace in part}
    # all of them or none: a choice among held-out devices would be one made on the test set
    if missing := [name for name in names if name not in found]:
        raise UsageError(
            f"{len(missing)} of the {len(names)} devices held out of {file.name} are not in these traces: "
            f"{', '.join(missing[:5])}{', ...' if len(missing) > 5 else ''}"
        )
    return part


def _claim(report: Path | None, params: str, store: bool, chosen: TraceOptions) -> None:
    if store and not os.path.exists(params):
        raise UsageError(f"{params} is a preset, which cannot hold a verdict: save it as a file first")
    claim_outputs(report, read=[params, *chosen.files()])
    if store:
        claim_outputs(params)


def _print_verdict(console: Any, verdict: Any) -> None:
    console.print(_check_table(verdict))
    for check in verdict.failed:
        console.print(f"{check.name}: {check.sentence}", style="red", markup=False)
    for reason in verdict.skipped:
        console.print(f"Not checked: {reason}", markup=False)
    console.print(verdict.sentence, style="green" if verdict.passed else "red", markup=False)


def _check_table(verdict: Any) -> Any:
    """A line a check: the figure where it deviates most, and what replicas of the model have there."""
    from rich.box import SIMPLE_HEAD
    from rich.markup import escape
    from rich.table import Table

    from weakreset.validation.verdict import FALSE_ALARM_RATE

    title = escape(f"{verdict.params_name} against {verdict.counted}")
    table = Table(
        title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False, pad_edge=False,
        caption=f"p corr.: corrected for the number of checks; {FALSE_ALARM_RATE} or less fails",
        caption_justify="left",
    )  # fmt: skip
    for column in ("check", "outcome", "p", "p corr.", "measured", "replicas (95 %)"):
        table.add_column(column, justify="left" if column in ("check", "outcome") else "right")
    for check in verdict.checks:
        name, outcome, *figures = check.row()
        table.add_row(name, f"[{'green' if check.passed else 'red'}]{outcome}[/]", *figures)
    return table
