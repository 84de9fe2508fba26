"""What the page needs to draw any device: compact JSON inside the page, read by device.js."""

from __future__ import annotations

import json
import math
from itertools import combinations
from typing import Any

import numpy as np

from weakreset.display import number, plus_minus
from weakreset.fitting import DeviceFit, Estimate, FitSet
from weakreset.plots.traces_with_fits import STATUS_WORDS
from weakreset.report.thinning import autocorrelation, bends, column, extremes, positions

__all__ = ["device_lines"]

_LAGS = 40  # of the autocorrelation that a page of one device shows
_FEWEST, _MOST = 120, 300
_POINTS_IN_ALL = 300_000  # numbers in the page: a few megabytes, however many devices


class _Words:
    """Sentences that many devices share, written once."""

    def __init__(self) -> None:
        self.known: dict[str, int] = {}

    def __call__(self, text: str) -> int:
        return self.known.setdefault(text, len(self.known))


def device_lines(fits: FitSet) -> str:
    """A line of JSON for what devices share, then one for each, in the order of the table; safe in a script element.

    The page reads the line of a device when it is shown. `<`, `>` and `&` are written as escapes of JSON, so no device
    name can end the element, nor a line.
    """
    words = _Words()
    points = int(np.clip(_POINTS_IN_ALL // max(1, len(fits)), _FEWEST, _MOST))
    devices = [_line(_device(fit, words, points)) for fit in fits]
    return "\n".join([_line({"points": points, "words": list(words.known)}), *devices])


def _line(content: dict[str, Any]) -> str:
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")  # JSON reads both alike; HTML sees no tag
    return text


def _device(fit: DeviceFit, words: _Words, points: int) -> dict[str, Any]:
    made: dict[str, Any] = {
        "name": fit.device,
        "status": words(STATUS_WORDS[fit.status]),
        "sentence": words(fit.excluded_because or fit.status.sentence),
        "numbers": [],
    }
    finite = np.isfinite(fit.log_ratio)
    if finite.any():
        pulses, values = fit.pulses[finite], fit.log_ratio[finite]
        shown = extremes(values, points)
        made |= {"n": len(pulses), "x": positions(pulses[shown]), "y": column(values[shown], 2)}
    if fit.numbers:
        made |= {"curve": _curve(fit), **_telegraph(fit), **_residuals(fit, points)}
        knee = fit.knee
        if knee is not None:
            made["knee"] = [_plain(item) for item in (knee.value, knee.low, knee.high)]
    made["numbers"] = _numbers(fit, words)
    if fit.result is not None:
        made["lmfit"] = _lmfit(fit, words)
    return made


def _curve(fit: DeviceFit) -> list[list[Any]]:
    """Drift at pulses spread evenly, geometrically, and around the knee."""
    first, last = int(fit.pulses[0]), int(fit.pulses[-1])
    knots = [np.linspace(first, last, 33), max(first, 1) + np.geomspace(1, max(2, last - first), 12)]
    knee = fit.numbers.get(fit.drift.knee)
    if knee is not None and math.isfinite(knee):
        # pulses are whole numbers, and the bend lies between two
        knots.append(np.array([math.floor(knee), math.ceil(knee)], dtype=float))
    pulses = np.unique(np.rint(np.concatenate(knots)).astype(np.int64))
    pulses = pulses[(pulses >= first) & (pulses <= last)]
    return bends(pulses, fit.drift_at(pulses))


def _telegraph(fit: DeviceFit) -> dict[str, Any]:
    if not fit.rtn.steps and not fit.rtn.starts_high:
        return {}
    start = (fit.rtn.amplitude or 0.0) * fit.rtn.starts_high
    sizes = [_plain(size) for size in fit.rtn.sizes]
    return {"rtn": [_plain(start), [int(step) for step in fit.rtn.steps], sizes]}


def _residuals(fit: DeviceFit, points: int) -> dict[str, Any]:
    """Whitened residuals; finer than 1/255 of their range does not show on a screen."""
    white = fit.white_residuals
    if white is None or len(white) != len(fit.pulses) or not np.isfinite(white).all():
        return {}
    shown = extremes(white, points // 2)
    made = {"rx": positions(fit.pulses[shown]), "ry": column(white[shown], 1), "rn": len(white)}
    related = autocorrelation(white, _LAGS)
    return made | ({"acf": column(related, 1)} if len(related) else {})


def _numbers(fit: DeviceFit, words: _Words) -> list[list[Any]]:
    """Name, value, 95 % interval, and why a number is missing or limited."""
    units = {**fit.drift.units, "r0_ohm": "ohm"}
    rows = [
        [words(f"{name} ({units[name]})"), *_estimate(fit.estimates[name], words)]
        for name in ("r0_ohm", *fit.drift.parameters) if name in fit.estimates
    ]
    if fit.numbers:
        telegraph = Estimate(fit.rtn.amplitude, fit.rtn.amplitude_stderr, status=fit.rtn.status)
        none = fit.rtn.status == "not_detected"
        amplitude = [words("not detected"), "", words("")] if none else _estimate(telegraph, words)
        rows.append([words("RTN A (ln R)"), *amplitude])
        rows.append([words("1/f amplitude α (ln R)"), *_estimate(Estimate(fit.alpha), words)])
    return rows


def _estimate(estimate: Estimate, words: _Words) -> list[Any]:
    why = "" if estimate.status == "ok" else estimate.status.replace("_", " ")
    if estimate.value is None:
        return [words("not identifiable"), "", words(why)]
    if estimate.status == "upper_limit_only" and estimate.high is not None:
        return [f"< {number(estimate.high, 2)}", "", words(why)]
    known = estimate.low is not None and estimate.high is not None
    interval = f"{number(estimate.low, 3)} to {number(estimate.high, 3)}" if known else ""
    return [plus_minus(estimate.value, estimate.stderr), interval, words(why)]


def _lmfit(fit: DeviceFit, words: _Words) -> list[Any]:
    """Shape, names, values, correlations (pairs in the order of names), reduced chi-square, evaluations."""
    parameters = [item for item in fit.result.params.values() if item.vary]
    pairs = combinations(parameters, 2)
    related = [_plain((first.correl or {}).get(second.name), 3) for first, second in pairs]
    return [
        words(fit.fitted_as or fit.drift.name),
        words(" ".join(item.name for item in parameters)),
        [plus_minus(item.value, item.stderr) for item in parameters],
        related,
        number(fit.result.redchi, 3),
        int(fit.result.nfev),
    ]


def _plain(value: float | None, digits: int = 6) -> float | None:
    return float(f"{value:.{digits}g}") if value is not None and math.isfinite(value) else None
