"""Numbers of a drift shape that all devices share: the likeliest for all of them together.

A width of the knee, say, is hard to see in one device and easy in a hundred. Each device at its best knee gives a rough
value, and a biased one: every device tunes its own knee to its noise, and a sharper knee leaves it more room to (Neyman
and Scott 1948). So the devices' own numbers are integrated out (`set_evidence`), which is slower, from there on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from weakreset.fitting.bases import Basis
from weakreset.fitting.clean_traces import Clean, scanned_columns
from weakreset.fitting.set_evidence import best_form, log_evidence

__all__ = ["fit_shared", "shared_errors"]

Array = NDArray[np.float64]

_KNEES = 240
_TRIED = 5
_STEP = 0.1
_NEAR = 0.6


def fit_shared(cleaned: Sequence[Clean], basis: Basis, rough: bool = False) -> Basis:
    """The basis with the likeliest shared numbers; `rough`: with every device at its best knee, quick and biased."""
    limits = basis.scan.shared
    low, high = np.log(list(limits.values())).T

    def inside(criterion: Callable[[Sequence[Clean], Basis], float]) -> Callable[[Array], float]:
        def objective(x: Array) -> float:
            nearest = np.clip(x, low, high)
            return 1e3 * float(np.sum((x - nearest) ** 2)) - criterion(cleaned, _with(basis, nearest))

        return objective

    start = _rough(inside(_explained), low, high)
    if rough:
        return _with(basis, np.clip(start, low, high))
    form = best_form(cleaned, _with(basis, np.clip(start, low, high)))[1]
    exact = inside(lambda cleaned, basis: log_evidence(cleaned, basis, form))
    if len(limits) == 1:
        bracket = (max(float(start[0]) - _NEAR, float(low[0])), min(float(start[0]) + _NEAR, float(high[0])))
        found = optimize.minimize_scalar(
            lambda x: exact(np.array([x])), bounds=bracket, method="bounded", options={"xatol": 5e-3}
        )
        return _with(basis, np.array([found.x]))
    return _with(basis, np.clip(_downhill(exact, start, 0.1, 40), low, high))


def _with(basis: Basis, logs: Array) -> Basis:
    """With shared numbers from their logarithms."""
    return basis.with_shared(**dict(zip(basis.shared, np.exp(logs).tolist(), strict=True)))


def _rough(objective: Callable[[Array], float], low: Array, high: Array) -> Array:
    """The best of a lattice, and for several numbers from there on downhill."""
    many = _TRIED if len(low) > 1 else 4 * _TRIED
    tried = [np.linspace(a, b, many + 2)[1:-1] for a, b in zip(low, high, strict=True)]
    corners = np.stack(np.meshgrid(*tried, indexing="ij"), axis=-1).reshape(-1, len(low))
    start = np.asarray(min(corners, key=objective))
    return start if len(low) == 1 else _downhill(objective, start, 0.25, 80)


def _downhill(objective: Callable[[Array], float], start: Array, size: float, most: int) -> Array:
    simplex = np.vstack([start, start + size * np.eye(len(start))])
    options = {"xatol": 5e-3, "fatol": 0.05, "maxiter": most, "initial_simplex": simplex}
    return np.asarray(optimize.minimize(objective, start, method="Nelder-Mead", options=options).x)


def shared_errors(cleaned: Sequence[Clean], basis: Basis) -> dict[str, float | None]:
    """Standard error of each shared number from the curvature at the top; None where it is not one."""
    names = list(basis.shared)
    here = np.log([basis.shared[name] for name in names])

    form = best_form(cleaned, basis)[1]

    def at(x: Array) -> float:
        return log_evidence(cleaned, basis.with_shared(**dict(zip(names, np.exp(x).tolist(), strict=True))), form)

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


def _explained(cleaned: Sequence[Clean], basis: Basis) -> float:
    """2 ln L of all devices, each at its best knee, but for a constant."""
    total = 0.0
    for part, grid, columns in scanned_columns(cleaned, basis, _KNEES):
        n_base = columns.shape[1] - len(grid)
        q, _ = np.linalg.qr(columns[:, :n_base])
        left = columns[:, n_base:]
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
