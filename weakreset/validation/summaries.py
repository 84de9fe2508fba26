"""Summaries of a replica: numbers that are ranked among all replicas, the measured set in row 0."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from weakreset.validation.verdict import FALSE_ALARM_RATE, Check, Figure

__all__ = ["Summary", "column_quantiles", "judge", "standardized", "step_down"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Summary:
    """One check before it is judged.

    Attributes
    ----------
    name : str
    values : ndarray, shape (n_replicas + 1, k)
        Figures of each replica; row 0 is the measured set.
    places : tuple of str
        Where each of the k figures was taken, in words ("at pulse 100"); empty where there is no place.
    what : str
        What the figures are, as the subject of a sentence.
    distance : bool
        The figures are distances: only large ones speak against the model.
    weight : float
        Share of the level that this check gets, relative to others.
    """

    name: str
    values: Array
    places: tuple[str, ...]
    what: str
    distance: bool = False
    weight: float = 1.0


def standardized(values: Array) -> Array:
    """Deviations from the mean of all replicas in units of their standard deviation, column by column."""
    centred = values - values.mean(axis=0)
    spread = values.std(axis=0)
    return np.asarray(np.divide(centred, spread, out=np.zeros_like(centred), where=spread > 0))


def judge(summaries: list[Summary]) -> tuple[Check, ...]:
    """Rank the measured set in each summary and correct for their number."""
    ranked = [_rank(summary) for summary in summaries]
    weighted = [p / summary.weight for summary, (*_, p) in zip(summaries, ranked, strict=True)]
    corrected = step_down(np.stack(weighted, axis=1)) if ranked else np.zeros(0)
    return tuple(
        _check(summary, column, statistic, float(p[0]), float(p_corrected))
        for summary, (column, statistic, p), p_corrected in zip(summaries, ranked, corrected, strict=True)
    )


def step_down(p_values: Array) -> Array:
    """P-values of the first row, corrected for the number of checks; shape (n_checks,).

    Step-down on the smallest p-value (Westfall and Young 1993): how often does a replica have one as small in any of
    the checks? Every replica is ranked as the measured set is, so checks that overlap are not counted twice, as Holm's
    correction would, and the chance of any false alarm is still at most the level.

    Parameters
    ----------
    p_values : ndarray, shape (n_replicas + 1, n_checks)
        Row 0 is the measured set. Divided by weights, checks of large weight get more of the level; the chance of any
        false alarm stays what it is (Genovese, Roeder, Wasserman 2006).
    """
    order = np.argsort(p_values[0], kind="stable")
    corrected = np.zeros(len(order))
    running = 0.0
    for i, check in enumerate(order):
        smallest = p_values[:, order[i:]].min(axis=1)
        running = max(running, float(np.mean(smallest <= p_values[0, check] * (1 + 1e-12))))
        corrected[check] = running
    return corrected


def _rank(summary: Summary) -> tuple[int, float, Array]:
    """Worst column of the measured set, its deviation, and for every row the share of rows at least as far off."""
    scores = standardized(summary.values)
    deviations = scores if summary.distance else np.abs(scores)
    worst = deviations.max(axis=1)
    # a hair of slack: replicas that are equal but for rounding count as equally far off
    below = np.searchsorted(np.sort(worst), worst - 1e-12 * np.abs(worst), side="left")
    return int(deviations[0].argmax()), float(worst[0]), 1.0 - below / len(worst)


def _check(summary: Summary, column: int, statistic: float, p: float, p_corrected: float) -> Check:
    passed = p_corrected > FALSE_ALARM_RATE
    figures = _figures(summary)
    worst = figures[column]
    where = f" {worst.place}" if worst.place else ""
    expected = f"below {worst.high:.3g}" if summary.distance else f"{worst.low:.3g} to {worst.high:.3g}"
    share = "97.5 %" if summary.distance else "95 %"
    verb = "agrees with" if passed else "differs from"
    furthest = f"furthest off{where}, " if len(figures) > 1 else ""
    sentence = (
        f"{summary.what} {verb} the model: {furthest}measured {worst.measured:.3g}, {share} of replicas {expected}."
    )
    return Check(
        summary.name, statistic, p, p_corrected, passed, sentence, worst.measured, worst.low, worst.high, figures,
        summary.distance,
    )


def _figures(summary: Summary) -> tuple[Figure, ...]:
    low, high = np.quantile(summary.values[1:], (0.025, 0.975), axis=0).tolist()
    return tuple(map(Figure, summary.places, summary.values[0].tolist(), low, high))


def column_quantiles(values: Array, levels: tuple[float, ...]) -> Array:
    """Quantiles over axis -2, linear between order statistics, NaN left out; shape (..., n_levels, k).

    NaN must stand in the same places of every replica, so the counts are those of the first one. A column
    of NaN only gives NaN.
    """
    ordered = np.sort(values, axis=-2)
    counts = np.isfinite(ordered).reshape(-1, *ordered.shape[-2:])[0].sum(axis=0)
    columns = np.arange(ordered.shape[-1])
    result = []
    for level in levels:
        place = level * np.maximum(counts - 1, 0)
        below = np.floor(place).astype(int)
        above = np.minimum(below + 1, np.maximum(counts - 1, 0))
        low, high = ordered[..., below, columns], ordered[..., above, columns]
        result.append(low + (place - below) * (high - low))
    return np.stack(result, axis=-2)
