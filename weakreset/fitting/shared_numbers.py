"""Numbers of a drift shape that all devices share: the likeliest for all of them together.

A width of the knee, say, is hard to see in one device and easy in a hundred. For given shared numbers each device is
scanned as ever; what all devices together explain is then maximised over the shared numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from weakreset.fitting.bases import Basis
from weakreset.fitting.blocks import Group, scan_group
from weakreset.fitting.dictionary import Dictionary
from weakreset.fitting.noise_fit import ColourFit
from weakreset.fitting.step_search import best_knees, search_knees_and_steps
from weakreset.fitting.whitening import Whitener

__all__ = ["Clean", "clean_sample", "fit_shared", "sample_evenly", "shared_errors"]

Array = NDArray[np.float64]

_DEVICES = 96
_READS = 800
_KNEES = 240
_TRIED = 5
_STEP = 0.05


@dataclass(frozen=True)
class Clean:
    """Traces less their telegraph steps, whitened: white (n_devices, n), alpha and n_steps (n_devices,)."""

    whitener: Whitener
    white: Array
    alpha: Array
    n_steps: NDArray[np.int64]


def sample_evenly(groups: Sequence[Group], n_devices: int = _DEVICES, n_reads: int = _READS) -> list[Group]:
    """About `n_devices` of all devices, evenly spaced, with up to `n_reads` reads of the whole of each trace."""
    stride = max(1, round(sum(len(group.traces) for group in groups) / n_devices))
    sample, seen = [], 0
    for group in groups:
        first = -seen % stride
        seen += len(group.traces)
        traces, step = group.traces[first::stride], max(1, -(-len(group.pulses) // n_reads))
        if traces:
            sample.append(Group(group.pulses[::step], traces, group.rows[first::stride, ::step]))
    return sample


def clean_sample(
    sample: Sequence[Group], basis: Basis, noise: ColourFit, rtn: bool, alphas: Sequence[Array] | None = None
) -> list[Clean]:
    """The sample without the telegraph steps that are found beside this drift; `alphas` where they are known."""
    cleaned = []
    for number, group in enumerate(sample):
        whitener = Whitener(group.pulses, noise.colour)
        dictionary = Dictionary(whitener, basis, rtn)
        if alphas is None:
            scanned = list(scan_group(dictionary, group, noise.alpha, rtn))
            found, used = [device.configuration for device in scanned], np.array([device.alpha for device in scanned])
            white, products = dictionary.project(group.rows)
        else:
            used = alphas[number]
            white, products = dictionary.project(group.rows)
            found = best_knees(dictionary, products)
            found = search_knees_and_steps(dictionary, products, used**2, found) if rtn else found
        for i, one in enumerate(found):
            active, steps = one.active(dictionary), list(one.steps)
            if steps:
                coefficients = dictionary.solve(products[i], active)[0][-len(steps) :]
                white[i] = white[i] - dictionary.columns[:, steps] @ coefficients
        cleaned.append(Clean(whitener, white, used, np.array([len(one.steps) for one in found])))
    return cleaned


def fit_shared(cleaned: Sequence[Clean], basis: Basis) -> Basis:
    """The basis with the likeliest shared numbers, started at its own."""
    limits = basis.scan.shared
    names = list(limits)
    low, high = np.log([limits[name] for name in names]).T

    def objective(x: Array) -> float:
        values = np.exp(np.clip(x, low, high))
        outside = float(np.sum((x - np.clip(x, low, high)) ** 2))
        return 1e3 * outside - _explained(cleaned, basis.with_shared(**dict(zip(names, values.tolist(), strict=True))))

    if len(names) == 1:
        best = _best_of_one(objective, float(low[0]), float(high[0]))
    else:
        tried = [np.linspace(a, b, _TRIED + 2)[1:-1] for a, b in zip(low, high, strict=True)]
        corners = np.stack(np.meshgrid(*tried, indexing="ij"), axis=-1).reshape(-1, len(names))
        start = min(corners, key=objective)
        options = {"xatol": 5e-3, "fatol": 0.05, "maxiter": 80, "initial_simplex": _simplex(start)}
        best = optimize.minimize(objective, start, method="Nelder-Mead", options=options).x
    return basis.with_shared(**dict(zip(names, np.exp(np.clip(best, low, high)).tolist(), strict=True)))


def shared_errors(cleaned: Sequence[Clean], basis: Basis) -> dict[str, float | None]:
    """Standard error of each shared number from the curvature at the top; None where it is not one."""
    names = list(basis.shared)
    here = np.log([basis.shared[name] for name in names])

    def at(x: Array) -> float:
        return _explained(cleaned, basis.with_shared(**dict(zip(names, np.exp(x).tolist(), strict=True))))

    size = len(names)
    steps, middle = _STEP * np.eye(size), at(here)
    hessian = np.empty((size, size))
    for i in range(size):
        for j in range(i + 1):
            if i == j:
                bend = (at(here + steps[i]) + at(here - steps[i]) - 2.0 * middle) / _STEP**2
            else:
                corners = [
                    a * b * at(here + a * steps[i] + b * steps[j]) for a in (1, -1) for b in (1, -1)
                ]
                bend = sum(corners) / (4.0 * _STEP**2)
            hessian[i, j] = hessian[j, i] = -0.5 * bend
    try:
        variance = np.diag(np.linalg.inv(hessian))
    except np.linalg.LinAlgError:
        variance = np.full(size, -1.0)
    return {
        name: float(basis.shared[name] * np.sqrt(v)) if v > 0 else None
        for name, v in zip(names, variance.tolist(), strict=True)
    }


def _best_of_one(objective: Callable[[Array], float], low: float, high: float) -> Array:
    """Of one number: the best of a few, then between its neighbours."""
    tried = np.linspace(low, high, 2 * _TRIED)
    values = [objective(np.array([x])) for x in tried]
    at = int(np.argmin(values))
    bracket = (tried[max(at - 1, 0)], tried[min(at + 1, len(tried) - 1)])
    found = optimize.minimize_scalar(
        lambda x: objective(np.array([x])), bounds=bracket, method="bounded", options={"xatol": 5e-3}
    )
    return np.array([found.x if found.fun < values[at] else tried[at]])


def _simplex(start: Array) -> Array:
    return np.vstack([start, start + 0.25 * np.eye(len(start))])


def _explained(cleaned: Sequence[Clean], basis: Basis) -> float:
    """2 ln L of all devices, each at its best knee, but for a constant."""
    total = 0.0
    for part in cleaned:
        pulses = part.whitener.pulses
        t = pulses.astype(np.float64)
        grid = basis.grid(pulses)
        grid = grid[:: max(1, len(grid) // _KNEES)]
        base = basis.columns(t)
        columns = part.whitener.columns(np.hstack([base, basis.profile(t, grid)]))
        q, _ = np.linalg.qr(columns[:, : base.shape[1]])
        left = columns[:, base.shape[1] :]
        left = left - q @ (q.T @ left)
        length = np.einsum("ij,ij->j", left, left)
        product = part.white @ left
        gain = product**2 / np.where(length > 0, length, np.inf)
        if basis.sign:
            gain = np.where(product * basis.sign > 0, gain, 0.0)
        best = _tops(gain) + np.einsum("ij,ij->i", part.white @ q, part.white @ q)
        total += float(np.sum(best / part.alpha**2))
    return total


def _tops(gain: Array) -> Array:
    """Largest gain of each device, between candidates too: a parabola through the top and its neighbours."""
    at = np.clip(gain.argmax(axis=1), 1, gain.shape[1] - 2)
    rows = np.arange(len(gain))
    before, here, after = (gain[rows, at + step] for step in (-1, 0, 1))
    bend = before - 2.0 * here + after
    shift = np.where(bend < 0, (before - after) ** 2 / np.where(bend < 0, -8.0 * bend, 1.0), 0.0)
    inside = np.abs(before - after) < -2.0 * bend
    return np.asarray(np.maximum(gain.max(axis=1), np.where(inside, here + shift, 0.0)))
