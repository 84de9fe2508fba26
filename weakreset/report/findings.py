"""The summary: what was found and what can be trusted, in sentences a manager understands."""

from __future__ import annotations

from collections.abc import Mapping

from weakreset.display import number, percent, plus_minus
from weakreset.fitting import FitSet, FitStatus
from weakreset.model import SHAPES
from weakreset.parameter_file import ParameterFile
from weakreset.population.defects import name_defects
from weakreset.report.content import ReportInput

__all__ = ["found", "trusted"]

_CLEAR_WEIGHT = 0.9  # Akaike weight: below it another family is said to describe the devices about as well
_DEFECTS_SHOWN = 12  # as many as fit in a paragraph; the table has them all


def found(content: ReportInput) -> list[str]:
    """What was found, one finding a line."""
    lines = list(content.summary)
    if content.fit_set is not None:
        lines += _defects(content.fit_set)
        lines += _of_fits(content.fit_set)
    if content.params is not None:
        lines.append(_typical_device(content.params))
    if content.verdict is not None:
        lines.append(content.verdict.sentence)
    for run in content.runs:
        if run.final_accuracy is not None:
            pulses = f", {run.pulses_mean:.0f} pulses a device on average" if run.pulses_mean is not None else ""
            lines.append(f"{run.name}: test accuracy {percent(run.final_accuracy)} after the last epoch{pulses}.")
    return lines


def trusted(content: ReportInput) -> list[str]:
    """What limits the numbers: what could not be known, and what was left out."""
    lines = []
    fits = content.fit_set
    if fits is not None:
        lines += list(fits.notes)
        counts = fits.counts()
        fitted = len(fits) - counts[FitStatus.EXCLUDED.value]
        unresolved = counts[FitStatus.KNEE_UNRESOLVED.value]
        if unresolved:
            lines.append(_unresolved(fits, unresolved, fitted))
        if counts[FitStatus.NOT_CONVERGED.value]:
            lines.append(f"{counts[FitStatus.NOT_CONVERGED.value]} fits did not converge and inform nothing.")
    if content.population is not None:
        caveat = fits.caveat if fits is not None else ""
        lines += [note for note in content.population.notes if note != caveat]
        lines += content.population.cycle_sentences()
        unclear = [
            name for name, law in content.population.laws.items()
            if len(law.candidates) > 1 and law.candidates[0].weight < _CLEAR_WEIGHT
        ]
        if unclear:
            lines.append(
                f"The family of the law is not settled by these data for {', '.join(unclear)}: others fit about as "
                "well (see the table of laws). The tails are what differs most."
            )
    if content.verdict is not None:
        lines += [f"Not checked: {reason}." for reason in content.verdict.skipped]
        if content.verdict.passed:
            lines.append("A passed validation means that these checks, on this many devices, saw no difference.")
    if len(content.runs) > 1:
        lines.append("Each training run is one seed: small differences in accuracy between runs mean nothing.")
    return lines


def _defects(fits: FitSet) -> list[str]:
    """Devices that are open, short or stuck, or became so midway; and a unit that was assumed."""
    assumed = [f"{note[0].upper()}{note[1:]}." for note in fits.traces.notes if note.startswith("unit assumed")]
    defects = name_defects(fits)
    if not defects:
        return [f"Yield 100 %: no defect (open, short or stuck) among {len(fits)} devices.", *assumed]
    working = len(fits) - len(defects)
    devices = {fit.device: fit.of_device for fit in fits}
    n_devices = len(set(devices.values()))
    counted = "devices" if n_devices == len(fits) else f"cycles of {n_devices} devices"
    first = f"Yield {percent(working / len(fits))}: {working} of {len(fits)} {counted} work."
    found = [f"{device}: {reason}" for device, reason in _by_device(defects, devices)]
    shown = "; ".join(found[:_DEFECTS_SHOWN])
    more = f"; and {len(found) - _DEFECTS_SHOWN} more" if len(found) > _DEFECTS_SHOWN else ""
    what = "device is a defect" if len(found) == 1 else "devices are defects"
    kinds = "(open, short or stuck, some from a pulse on)"
    return [first, f"{len(found)} of {n_devices} {what} {kinds}: {shown}{more}.", *assumed]


def _by_device(defects: list[tuple[str, str]], devices: Mapping[str, str]) -> list[tuple[str, str]]:
    """Each device once: with the reason of its first cycle, and how many cycles of it are defects."""
    cycles: dict[str, list[str]] = {}
    for name, reason in defects:
        cycles.setdefault(devices.get(name, name), []).append(reason)
    return [
        (device if len(reasons) == 1 else f"{device} ({len(reasons)} cycles)", reasons[0])
        for device, reasons in cycles.items()
    ]


def _of_fits(fits: FitSet) -> list[str]:
    counts = fits.counts()
    excluded = counts[FitStatus.EXCLUDED.value]
    left_out = f" {excluded} {'was' if excluded == 1 else 'were'} excluded, with reasons below." if excluded else ""
    clear, seen = counts[FitStatus.OK.value], "show a clear knee" if fits.drift.knee else "identify every number"
    n_devices = len({fit.of_device for fit in fits})
    whole = f"{len(fits)} devices" if n_devices == len(fits) else f"{len(fits)} cycles of {n_devices} devices"
    line = f"{len(fits) - excluded} of {whole} were fitted; {clear} {seen}.{left_out}"
    noise = fits.noise
    if noise.alpha is None or noise.exponent is None:
        return [line]
    pink = (
        f"The noise is 1/f: α = {plus_minus(noise.alpha, noise.alpha_stderr)} in ln R, "
        f"exponent {plus_minus(noise.exponent, noise.exponent_stderr)}."
    )
    telegraph = sum(fit.rtn.amplitude is not None for fit in fits.usable)
    return [line, f"{pink} Telegraph noise was found in {telegraph} {_counted(fits)}."]


def _unresolved(fits: FitSet, count: int, fitted: int) -> str:
    scan = fits.drift.scan
    hidden = [] if scan is None else [scan.number, *([scan.nonnegative] if scan.beyond else [])]
    what = "knee" if fits.drift.knee else f"clear {hidden[0]}"
    return (
        f"{count} of {fitted} fitted {_counted(fits)} show no {what}. For them {' and '.join(hidden)} "
        f"{'are' if len(hidden) > 1 else 'is'} not identifiable, and no number is given. The population laws know that "
        "these devices exist."
    )


def _counted(fits: FitSet) -> str:
    return "cycles" if any(fit.of_device != fit.device for fit in fits) else "devices"


def _typical_device(params: ParameterFile) -> str:
    """Medians of the laws, in words."""
    laws = {name: entry.law() for name, entry in params.parameters.items()}
    known = "r0_ohm" in laws
    start = f"starts at {number(laws['r0_ohm'].median())} Ω" if known else "has a resistance that is not known"
    text = f"The median device of {params.name} {start}"
    shape = SHAPES[params.model]
    words = shape.words
    if words is not None and not params.not_identifiable:
        text += f", {words({name: shape.sign(name, params.direction) * law.median() for name, law in laws.items()})}"
    unknown = "".join(f" {name} is not identifiable: {e.note}." for name, e in params.not_identifiable.items())
    return text + "." + unknown
