"""How well a drift shape explains a whole set: the likelihood with every device's numbers integrated out.

What a shape gains by the best knee of each device says little: a knee that may lie anywhere always gains something. So
each device's numbers are integrated over the law that they follow in the set,

    L = prod_i sum_k P(k) integral L_i(theta, k) N(theta; B (1, ln k), S) dtheta,

with a normal law of the linear numbers theta that may depend on the scanned number k, a lognormal law of k (the case
beyond the trace included), all by expectation maximisation (Dempster, Laird and Rubin 1977). Gaussian integrals are
exact; k is summed over candidates. It is a criterion to compare shapes, not the laws of a parameter file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from weakreset.fitting.bases import Basis
from weakreset.fitting.clean_traces import Clean, scanned_columns

__all__ = ["log_evidence", "n_law_numbers"]

Array = NDArray[np.float64]

_CANDIDATES = 160
_ROUNDS = 25
_LEAST_SPREAD = 0.05
_RIDGE = 1e-6
_WIDE = 1e10


@dataclass(frozen=True)
class _Candidates:
    """Of all devices: precision (i, k, p, p) and its product with the estimate (i, k, p), edges of ln k, ln L at 0."""

    precision: Array
    product: Array
    log_k: Array
    edges: Array
    fixed: Array


def n_law_numbers(basis: Basis) -> int:
    """How many numbers the laws of the set have."""
    p = len(basis.linear)
    return p * (p + 1) // 2 + (2 * p + 2 if basis.scanned else p)


def log_evidence(cleaned: Sequence[Clean], basis: Basis) -> float:
    """2 ln L of the set at the likeliest laws."""
    parts = [_candidates(*one, basis) for one in scanned_columns(cleaned, basis, _CANDIDATES)]
    lengths = [np.median(part.precision.diagonal(axis1=2, axis2=3), axis=(0, 1)) for part in parts]
    scale = np.sqrt(np.mean(lengths, axis=0))
    p, depends = len(basis.linear), bool(basis.scanned)
    middle = float(np.mean([part.log_k.mean() for part in parts]))
    law = np.zeros((p, 1 + depends)), np.eye(p) * _WIDE, middle, 1.0
    total = 0.0
    for _ in range(_ROUNDS):
        total, law = _round(parts, scale, law, depends)
    return 2.0 * total


def _candidates(part: Clean, grid: Array, white: Array, basis: Basis) -> _Candidates:
    p, m = len(basis.linear), white.shape[1] - len(grid)
    designs = [np.column_stack([white[:, :m], white[:, m + j]]) @ basis.inverse for j in range(len(grid))]
    if not basis.scanned:
        designs = [white[:, :m] @ basis.inverse]
    log_k, edges = np.zeros(1), np.array([-np.inf, np.inf])
    if basis.scanned:
        log_k = np.log(grid)
        edges = np.concatenate([[log_k[0]], 0.5 * (log_k[1:] + log_k[:-1]), [log_k[-1]], [np.inf]])
        if basis.scan.beyond:
            beyond = np.zeros((len(white), p))
            seen = [basis.linear.index(name) for name in basis.scan.beyond]
            beyond[:, seen] = white[:, :m] @ np.linalg.inv(basis.transform[seen, :m])
            designs, log_k = [*designs, beyond], np.append(log_k, log_k[-1] + 0.5)
        else:
            edges = np.concatenate([edges[:-2], [np.inf]])
    stacked = np.stack(designs)
    gram = np.einsum("kna,knb->kab", stacked, stacked, optimize=True)
    product = np.einsum("in,kna->ika", part.white, stacked, optimize=True)
    variance = part.alpha**2
    n = len(part.whitener.pulses)
    fixed = -0.5 * (n * np.log(2.0 * np.pi * variance) + part.whitener.log_det)
    fixed -= 0.5 * np.einsum("ij,ij->i", part.white, part.white) / variance
    return _Candidates(
        gram[None] / variance[:, None, None, None], product / variance[:, None, None], log_k, edges, fixed
    )


_Law = tuple[Array, Array, float, float]


def _round(parts: Sequence[_Candidates], scale: Array, law: _Law, depends: bool) -> tuple[float, _Law]:
    """ln L at the law, and the law one step on; everything in units of `scale`."""
    means, spread, centre, width = law
    p = len(scale)
    inverse = np.linalg.inv(spread)
    log_det = float(np.linalg.slogdet(spread)[1])
    total, n, weight_k, sum_k, square_k = 0.0, 0, 0.0, 0.0, 0.0
    cross, outer = np.zeros((p, 1 + depends)), np.zeros((1 + depends, 1 + depends))
    kept: list[tuple[Array, Array, Array, Array]] = []
    for part in parts:
        phi = np.column_stack([np.ones_like(part.log_k), part.log_k - centre])[:, : 1 + depends]
        prior_mean = phi @ means.T
        precision = part.precision / np.outer(scale, scale) + inverse
        pull = part.product / scale + prior_mean @ inverse
        covariance = np.linalg.inv(precision)
        theta = np.einsum("ikab,ikb->ika", covariance, pull)
        log_l = 0.5 * np.einsum("ika,ika->ik", pull, theta) - 0.5 * np.linalg.slogdet(precision)[1]
        log_l -= 0.5 * np.einsum("ka,ab,kb->k", prior_mean, inverse, prior_mean) + 0.5 * log_det
        if depends:
            chance = np.diff(special.ndtr((part.edges - centre) / width))
            chance[0] += 1e-12
            log_l = log_l + np.log(np.maximum(chance, 1e-300) / max(float(chance.sum()), 1e-300))
        each = special.logsumexp(log_l, axis=1)
        total += float(np.sum(each + part.fixed))
        share = np.exp(log_l - each[:, None])
        n += len(share)
        by_k = share.sum(axis=0)
        weight_k, sum_k = weight_k + float(by_k.sum()), sum_k + float(by_k @ part.log_k)
        square_k += float(by_k @ part.log_k**2)
        cross += np.einsum("ik,ika,kf->af", share, theta, phi)
        outer += np.einsum("k,kf,kg->fg", by_k, phi, phi)
        kept.append((share, theta, covariance, phi))
    new = cross @ np.linalg.inv(outer + _RIDGE * np.eye(1 + depends))
    within = np.zeros((p, p))
    for share, theta, covariance, phi in kept:
        away = theta - phi @ new.T
        within += np.einsum("ik,ika,ikb->ab", share, away, away) + np.einsum("ik,ikab->ab", share, covariance)
    within = within / n + _RIDGE * np.eye(p)
    if not depends:
        return total, (new, within, centre, width)
    moved = sum_k / weight_k
    spread_k = max(_LEAST_SPREAD, float(np.sqrt(max(square_k / weight_k - moved**2, 0.0))))
    new = np.column_stack([new[:, 0] + new[:, 1] * (moved - centre), new[:, 1]])  # the same law about the new centre
    return total, (new, within, moved, spread_k)
