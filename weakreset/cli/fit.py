"""`weakreset fit`: traces in, parameter file out."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer

from weakreset.cli.common import claim_outputs, command_line, console_for, print_json, progress_bar
from weakreset.cli.law_options import FullLikelihoodOption, law_options
from weakreset.cli.law_table import print_laws
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
from weakreset.errors import FitError, UsageError
from weakreset.resources import all_or_none

__all__ = ["fit_command"]


_DRIFTS = "or single-slope, power-law, saturating-exponential, smooth-knee, three-slope, auto"


def fit_command(
    traces: Annotated[list[str], typer.Argument(help="trace files, folders or patterns")],
    output: Annotated[Path, typer.Option("--output", "-o", help="parameter file to write")],
    devices: Annotated[Path | None, typer.Option(help="table of all devices, a row each (CSV)")] = None,
    report: Annotated[Path | None, typer.Option(help="HTML report")] = None,
    map_: MapOption = "",
    where: WhereOption = "",
    limits: LimitsOption = "",
    format_: FormatOption = "",
    read_voltage: VoltageOption = None,
    skip: SkipOption = 0,
    mixed_pulses: Annotated[bool, typer.Option(help="fit pulses of different amplitude or width together")] = False,
    stream: Annotated[bool | None, typer.Option(help="read in parts; without, large HDF5 files are")] = None,
    pulses: PulsesOption = "",
    keep_going: KeepGoingOption = False,
    drift: Annotated[str, typer.Option(help=_DRIFTS)] = "two-slope",
    direction: Annotated[str, typer.Option(help="reset (R rises), set (R falls); auto: what most devices do")] = "auto",
    alpha: Annotated[float | None, typer.Option(help="fix the 1/f amplitude (ln R)")] = None,
    exponent: Annotated[float | None, typer.Option(help="fix the exponent of 1/f^exponent")] = None,
    read_sd: Annotated[str, typer.Option(help="fix the read noise (ln R); `repeats`: as repeated reads show it")] = "",
    rtn: Annotated[bool, typer.Option(help="look for telegraph steps")] = True,
    name: Annotated[str, typer.Option(help="name of the technology in the parameter file")] = "",
    bootstrap: Annotated[int, typer.Option(help="replicas for 95 % intervals of the laws; 200 is usual")] = 0,
    goodness: Annotated[int, typer.Option(help="replicas for the goodness of fit of the laws; 200 is usual")] = 0,
    full_likelihood: FullLikelihoodOption = False,
    empirical: Annotated[bool, typer.Option(help="store the resolved devices; simulations draw from them")] = False,
    holdout: Annotated[float, typer.Option(help="share of the devices to keep out, for `validate --held-out`")] = 0.0,
    seed: Annotated[int, typer.Option(help="of the replicas and of the held-out devices")] = 0,
    jobs: Annotated[int, typer.Option(help="processes; 0 means one a core")] = 0,
    dask: Annotated[str, typer.Option(metavar="ADDRESS", help="fit on a Dask cluster (tls://...), or `local`")] = "",
    trust_network: Annotated[bool, typer.Option(help="accept tcp:// of other machines: Dask sends pickles")] = False,
    json_: Annotated[bool, typer.Option("--json", help="print one JSON object on stdout")] = False,
) -> None:
    """Fit every device, then the population, and write a parameter file."""
    console = console_for(json_)
    chosen = TraceOptions(traces, map_, format_, read_voltage, limits, where, pulses, stream, keep_going, skip)
    fixed = {"drift": drift, "direction": direction, "alpha": alpha, "exponent": exponent, "rtn": rtn}
    fixed["mixed_pulses"] = mixed_pulses
    replicas = law_options(bootstrap, goodness, seed, full_likelihood)
    table = _table_name(output, devices, report, chosen)
    many = {"jobs": jobs, "every_likelihood": full_likelihood}
    fits, held = _fit(chosen, fixed, read_sd, holdout, seed, many, console, _cluster(dask, trust_network, output))
    _print_fits(console, fits)
    summary = {"devices": fits.counts(), "excluded": _excluded(fits), "devices_csv": str(table), **_numbers(fits)}
    extras = {"empirical": empirical, "held_out": held}
    summary |= _write(fits, name or output.stem, output, report, console, replicas, extras, table)
    _print_written(console, summary)
    if json_:
        print_json(summary)
    if "parameter_file" not in summary:
        raise typer.Exit(1)  # a verdict, not a mistake: these traces give no laws; the table of devices is written


def _print_written(console: Any, summary: dict[str, Any]) -> None:
    for key in ("parameter_file", "devices_csv", "report"):
        if key in summary:
            console.print(f"{key.replace('_', ' ')}: {summary[key]}", markup=False)


def _cluster(address: str, trust_network: bool, output: Path) -> dict[str, Any] | None:
    """Where a cluster is and where its finished parts go; None for a fit without one."""
    if address:
        return {"address": address, "trust_network": trust_network, "folder": output.with_suffix(".parts")}
    if trust_network:
        raise UsageError("--trust-network goes with --dask")
    return None


def _print_fits(console: Any, fits: Any) -> None:
    """How many devices have which status, what speaks against the numbers, and notes."""
    console.print(_device_table(fits))
    if fits.caveat:
        console.print(fits.caveat, style="yellow", markup=False)
    left_out = fits.counts()["excluded"]
    for note in (f"fitted: {fits.counted}{f', {left_out} of them excluded' if left_out else ''}", *fits.notes):
        console.print(note, markup=False)


def _fit(
    chosen: TraceOptions, fixed: dict[str, Any], read_sd: str, holdout: float, seed: int, many: dict[str, Any],
    console: Any, cluster: dict[str, Any] | None,
) -> tuple[Any, list[str]]:
    """Fits of all devices, and the names of those that were kept out; `many` is for large sets."""
    from weakreset.fitting import FitOptions, fit_devices, fit_distributed, fit_stream

    held: list[str] = []
    if cluster is not None:
        options = FitOptions(**fixed, read_sd=_read_sd(read_sd, None))
        parts = chosen.parts(holdout, seed, held)
        with progress_bar(console) as progress:
            fits = fit_distributed(parts, options=options, progress=progress, **cluster, **many)
        print_left_out(console, fits.traces)
        console.print(f"finished parts: {cluster['folder']} (may be removed)", markup=False)
    elif chosen.streams():
        options = FitOptions(**fixed, read_sd=_read_sd(read_sd, None))
        with progress_bar(console) as progress:
            fits = fit_stream(chosen.parts(holdout, seed, held), options, progress, **many)
        print_left_out(console, fits.traces)
    else:
        with progress_bar(console) as progress:
            loaded, held = chosen.load(holdout, seed, progress)
        print_left_out(console, loaded)
        options = FitOptions(**fixed, read_sd=_read_sd(read_sd, loaded.read_noise))
        with progress_bar(console) as progress:
            fits = fit_devices(loaded, options, progress, jobs=many["jobs"])  # which keeps every likelihood
    if held:
        console.print(f"{len(held)} devices kept out of the fit; their names are in the parameter file", markup=False)
    return fits, held


def _read_sd(text: str, repeats: Any) -> float | None:
    """The read noise to fix: none, a number, or that of repeated reads."""
    if not text:
        return None
    if text == "repeats":
        if repeats is None:
            raise UsageError("--read-sd repeats: too few reads were repeated without a pulse, or they are streamed")
        return float(repeats.sd)
    try:
        return float(text)
    except ValueError:
        raise UsageError(f"--read-sd {text!r}: give a number in ln R, or `repeats`") from None


def _table_name(output: Path, devices: Path | None, report: Path | None, chosen: TraceOptions) -> Path:
    """Where the table of devices goes, once it is sure that all outputs can be written."""
    try:
        table = devices or output.with_suffix(".devices.csv")
    except ValueError:
        raise UsageError(f"-o {output}: not the name of a file") from None
    claim_outputs(output, table, report, read=chosen.files())
    return table


def _write(
    fits: Any, name: str, output: Path, report: Path | None, console: Any, replicas: dict[str, Any],
    extras: dict[str, Any], table: Path,
) -> dict[str, str]:
    """All files at once; when the population fails or is interrupted, the fits of the devices are kept."""
    from weakreset.report.device_files import device_files

    # the table first: fits of many devices are not lost to an error in the population
    files: dict[Path, str | bytes] = {**device_files(fits, table)}
    try:
        return _results(fits, name, output, report, console, replicas, extras, files)
    finally:
        all_or_none(files)


def _results(
    fits: Any, name: str, output: Path, report: Path | None, console: Any, replicas: dict[str, Any],
    extras: dict[str, Any], files: dict[Path, str | bytes],
) -> dict[str, str]:
    """Parameter file and report into `files`; what is written, or why not."""
    from weakreset.population import export_parameters, fit_population

    written: dict[str, str] = {}
    population = params = None
    try:
        with progress_bar(console) as progress:
            population = fit_population(fits, progress=progress, **replicas)
        params = export_parameters(population, name, command=command_line(), **extras)
        files[output] = params.to_json()
        written["parameter_file"] = str(output)
        if population.not_identifiable:
            written["not_identifiable"] = ", ".join(population.not_identifiable)
        print_laws(console, population)
    except FitError as error:
        written["no_parameter_file_because"] = str(error)
        console.print(f"No parameter file: {error}", style="yellow", markup=False)
    if report is not None:
        from weakreset.report import ReportInput, build_report

        content = ReportInput(title=f"Fit of {name}", fits=fits, population=population, params=params)
        with progress_bar(console) as progress:
            files[report] = build_report(content, progress)
        written["report"] = str(report)
    return written


def _excluded(fits: Any) -> dict[str, dict[str, int]]:
    """Traces and reads that were not fitted, by reason, as `inspect --json` promises them."""
    from weakreset.traces.unread_files import count_left_out

    traces: Counter[str] = Counter()
    if fits.counts()["excluded"]:  # or every fit of a large streamed set would be unpacked for nothing
        traces.update(fit.excluded_because.split(":")[0] for fit in fits if fit.excluded_because)
    return {"traces": dict(traces.most_common()), "reads": count_left_out(fits.traces.exclusions)["reads"]}


def _numbers(fits: Any) -> dict[str, Any]:
    noise = fits.noise
    return {
        "noise": {
            "alpha": noise.alpha, "exponent": noise.exponent, "read_sd": noise.read_sd,
            "p_up": noise.p_up, "p_down": noise.p_down, **noise.others,
        },
        "drift": fits.drift.name,
        "direction": fits.direction,
        "method": fits.method,
        "caveat": fits.caveat,
        "notes": [*fits.traces.notes, *fits.notes],
    }


def _device_table(fits: Any) -> Any:
    from rich.table import Table

    from weakreset.fitting import FitStatus

    table = Table(title="Devices", title_justify="left")
    several = len({fit.of_device for fit in fits}) < len(fits)
    for column in ("status", "cycles" if several else "devices", "what it means"):
        table.add_column(column, justify="right" if column in ("devices", "cycles") else "left")
    for status in FitStatus:
        count = fits.counts()[status.value]
        if count:
            table.add_row(status.value, str(count), status.sentence)
    return table
