"""Rows of the report's tables; text only, the template escapes it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from weakreset.display import as_ohms, number, percent, plus_minus
from weakreset.fitting import DeviceFit, Estimate, FitSet, FitStatus, PooledNoise
from weakreset.model import SHAPES, NoiseKind, noise_kinds
from weakreset.parameter_file import NotIdentifiable, ParameterFile
from weakreset.parameter_file.people import FAMILY_WORDS, in_words, law_in_words, spread_words
from weakreset.plots.traces_with_fits import STATUS_WORDS
from weakreset.population import GoodnessOfFit, Population
from weakreset.report.content import ReportInput
from weakreset.traces.group_labels import group_labels

__all__ = ["Cell", "Table", "as_number", "device_table", "law_table", "noise_rows", "training_rows"]

_LAW_COLUMNS = (
    "parameter", "median", "90 % of devices", "spread", "law: numbers ± standard error", "informed by",
    "other laws, notes",
)


@dataclass(frozen=True)
class Cell:
    """Text, the number it sorts by, and what to say on hovering."""

    text: str
    sort: float | None = None
    hint: str = ""


@dataclass(frozen=True)
class Table:
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    omitted: int = 0


def device_table(fits: FitSet) -> Table:
    """A row a device; what is not identifiable is a dash that says why."""
    names = fits.drift.parameters
    units = fits.drift.units
    drift = (f"{name} ({units[name]})" for name in names)
    left_out = (item.trace for item in fits.traces.exclusions if item.trace is not None)
    labels = fits.groups or group_labels([*fits.traces, *left_out])
    columns = ("device", "status", "pulses", "R0 (ohm)", *drift, "1/f α (ln R)", "RTN A (ln R)", "RTN steps", *labels)
    return Table(columns, tuple((*_device_row(fit, names), *_place(fit, labels)) for fit in fits))


def _place(fit: DeviceFit, labels: Mapping[str, Mapping[str, str]]) -> tuple[Cell, ...]:
    """Lot, wafer, die, row and column, as numbers where they are such: axes of the map."""
    found = [of.get(fit.device, "–") for of in labels.values()]
    return tuple(Cell(text, as_number(text)) for text in found)


def as_number(text: str) -> float | None:
    """The number that a label is, if it is one; float() takes "nan" and "1_0", isdigit() signs that float() refuses."""
    return float(text) if re.fullmatch(r"-?\d+(\.\d+)?", text) else None


def _device_row(fit: DeviceFit, names: tuple[str, ...]) -> tuple[Cell, ...]:
    missing = Estimate(None, status=fit.excluded_because or fit.status.sentence)
    pulses = int(fit.pulses[-1]) if len(fit.pulses) else None
    estimates = [fit.estimates.get(name, missing) for name in ("r0_ohm", *names)]
    amplitude = fit.rtn.amplitude
    hint = "" if fit.rtn.status == "ok" else fit.rtn.status.replace("_", " ")
    return (
        Cell(fit.device),
        Cell(STATUS_WORDS[fit.status], hint=fit.excluded_because),
        Cell("–" if pulses is None else str(pulses), pulses),
        *(_estimate_cell(estimate, estimate is fit.knee) for estimate in estimates),
        Cell(number(fit.alpha, 3), fit.alpha),
        Cell(plus_minus(amplitude, fit.rtn.amplitude_stderr), amplitude, hint),
        Cell(str(len(fit.rtn.steps)) if fit.numbers else "–", float(len(fit.rtn.steps)) if fit.numbers else None),
    )


def _estimate_cell(estimate: Estimate, is_knee: bool) -> Cell:
    hint = "" if estimate.status == "ok" else estimate.status.replace("_", " ")
    if estimate.value is None:
        return Cell("–", None, hint)
    if estimate.status == "upper_limit_only" and estimate.high is not None:
        return Cell(f"< {number(estimate.high, 2)}", estimate.high, hint)
    if is_knee and estimate.low is not None and estimate.high is not None:
        return Cell(f"{estimate.value:.0f} [{estimate.low:.0f}, {estimate.high:.0f}]", estimate.value, hint)
    return Cell(plus_minus(estimate.value, estimate.stderr), estimate.value, hint)


def law_table(content: ReportInput) -> Table:
    """A row a parameter, from the population where there is one, else from the parameter file."""
    source: Population | ParameterFile | None = content.population or content.params
    entries: Iterable[dict[str, Any]] = ()
    if isinstance(source, Population):
        fits = [*source.laws.values(), *([source.rtn_amplitude] if source.rtn_amplitude is not None else [])]
        entries = [
            {"name": fit.parameter, "law": fit.law, "limits": (fit.law.lower, fit.law.upper), **_evidence(fit)}
            for fit in fits
        ]
    elif source is not None:
        entries = [
            {"name": name, "law": entry.law(), "limits": (entry.law().lower, entry.law().upper), **_evidence(entry)}
            for name, entry in source.parameters.items()
        ]
    model = source.drift if isinstance(source, Population) else source.model if source is not None else ""
    direction = "reset" if source is None else source.direction
    rows = [_law_row(entry, model, direction) for entry in entries]
    if source is not None:
        rows += [_unknown_row(name, entry) for name, entry in source.not_identifiable.items()]
    return Table(_LAW_COLUMNS, tuple(rows))


def _unknown_row(name: str, entry: NotIdentifiable) -> tuple[Cell, ...]:
    bound = "–" if entry.lower is None else f"above {number(entry.lower, 3)}"
    informed = f"{entry.n_informative} of {entry.n_devices} devices"
    texts = (f"{name} ({entry.unit})", "not identifiable", bound, "–", "–", informed, entry.note)
    return tuple(Cell(text) for text in texts)


def _evidence(entry: Any) -> dict[str, Any]:
    """A fitted law and an entry of the parameter file name these alike."""
    names = ("unit", "stderr", "n_informative", "n_devices", "n_censored", "candidates", "note", "interval")
    tests = [
        test if isinstance(test, GoodnessOfFit) else GoodnessOfFit(**test.model_dump())
        for test in entry.goodness_of_fit or ()
    ]
    return {name: getattr(entry, name) for name in names} | {"tests": tests}


def _law_row(entry: dict[str, Any], model: str, direction: str) -> tuple[Cell, ...]:
    shape = SHAPES.get(model)
    law, stderr = entry["law"], entry["stderr"] or {}
    intervals = entry["interval"] or {}
    numbers = "; ".join(
        f"{key} {plus_minus(value, stderr.get(key))}"
        + (" [{}, {}]".format(*(number(end, 3) for end in intervals[key])) if key in intervals else "")
        for key, value in law.params.items()
    )
    low, high = entry["limits"]
    limits = f"{number(low, 3)} to {number(high, 3)}" if math.isfinite(low) or math.isfinite(high) else "–"
    known = entry["n_informative"] is not None
    informed = f"{entry['n_informative']} of {entry['n_devices']} devices" if known else "no devices"
    if entry["n_censored"]:
        informed += f", {entry['n_censored']} {FitStatus.KNEE_UNRESOLVED.value}"
    say = in_words(model, entry["name"], "ln R" if entry["name"] == "rtn_amplitude" else entry["unit"])
    median, reach = law_in_words(law, say, shape.sign(entry["name"], direction) if shape is not None else 1)
    family = FAMILY_WORDS.get(law.family, law.family)
    words = f"{family}: {numbers}" + (f"; in {limits}" if limits != "–" else "")
    notes = "; ".join(filter(None, [_runner_up(entry), *(test.sentence for test in entry["tests"]), entry["note"]]))
    spread = spread_words(law)
    if entry["unit"] == "ohm" and law.family != "constant":
        low, high = map(float, law.ppf((0.16, 0.84)))
        spread += f" (± {as_ohms(0.5 * (high - low))})"
    texts = (f"{entry['name']} ({entry['unit']})", median, reach, spread, words, informed, notes or "–")
    return tuple(Cell(text) for text in texts)


def _runner_up(entry: Mapping[str, Any]) -> str:
    candidates = list(entry["candidates"] or [])
    if len(candidates) < 2:
        return ""
    second = candidates[1]
    more = second.aic - candidates[0].aic  # below zero where the laws together decided otherwise than one alone
    return (
        f"{'next best' if more >= 0 else 'near'} {FAMILY_WORDS.get(second.family, second.family)} (AIC {more:+.1f}, "
        f"weight {percent(second.weight, 0)} against {percent(candidates[0].weight, 0)})"
    )


def noise_rows(content: ReportInput) -> list[tuple[str, str]]:
    """Name and value of each noise figure, from the fits where there are some."""
    if content.fit_set is not None:
        return _fitted_noise(content.fit_set.noise)
    if content.params is None:
        return []
    return [row for kind, block in content.params.noise.blocks() for row in _block_rows(kind, dict(block))]


def _fitted_noise(noise: PooledNoise) -> list[tuple[str, str]]:
    rows = []
    for kind in noise_kinds().values():
        if kind.name in noise.others:
            rows += _block_rows(kind, noise.others[kind.name])
        elif kind.in_every_file:
            pooled = {number.name: getattr(noise, kind.known_as(number)) for number in kind.numbers}
            errors = {f"{name}_stderr": getattr(noise, f"{name}_stderr", None) for name in pooled}
            # a kind that is off unless the file says otherwise is one that the fit may find none of
            none = not kind.enabled and kind.silent(pooled)
            rows += _block_rows(kind, pooled | errors | {"enabled": not none}, off="none found")
    rows += [
        ("telegraph transitions seen", str(noise.n_transitions)),
        ("devices behind these figures", str(noise.n_devices)),
    ]
    return [*rows, ("note", noise.note)] if noise.note else rows


def _block_rows(kind: NoiseKind, block: Mapping[str, Any], off: str = "off") -> list[tuple[str, str]]:
    """A row a number, from the block of a kind of noise."""
    if not block.get("enabled", kind.enabled):
        return [(kind.words(number), off) for number in kind.numbers]
    rows = []
    for known in kind.numbers:
        value, stderr = block.get(known.name, known.default), block.get(f"{known.name}_stderr")
        text = plus_minus(value, stderr) if known.uncertain == "stderr" else number(value, 3)
        rows.append((kind.words(known), text))
    return rows


def training_rows(content: ReportInput) -> list[tuple[str, str, str, str]]:
    """Name, epochs, last test accuracy, mean pulses a device."""
    return [
        (
            run.name,
            str(len(run.metrics)),
            percent(run.final_accuracy, 2),
            "–" if run.pulses_mean is None else f"{run.pulses_mean:.0f}",
        )
        for run in content.runs
    ]
