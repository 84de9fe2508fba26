"""How well a drift shape explains a whole set: the likelihood with every device's numbers integrated out.

What a shape gains by the best knee of each device says little: a knee that may lie anywhere always gains something. So
each device's numbers are integrated over the law that they follow in the set,

    L = prod_i sum_k P(k) integral L_i(theta, k) P(theta | k) dtheta,

with the law of `set_law`, by expectation maximisation (Dempster, Laird and Rubin 1977). Gaussian integrals are exact; k
is summed over candidates. It is a criterion to compare shapes, not the laws of a parameter file.

A law that does not fit costs a shape more than another shape would, and what is one law in the numbers of one shape is
another in those of another: where slopes do not depend on the knee, the rise of a saturating exponential grows with its
tau. So the form of the law is chosen too (`LawForm`), by the likelihood.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from weakreset.fitting.bases import Basis
from weakreset.fitting.clean_traces import Clean, scanned_columns
from weakreset.fitting.set_law import Candidates, first_law, improved

__all__ = ["LawForm", "best_form", "log_evidence", "n_law_numbers"]

Array = NDArray[np.float64]

_CANDIDATES = 160
_MOST_ROUNDS = 100
_LEAST_GAIN = 0.01
_POWER_STEP = 0.5
_MOST_POWER = 1.0


@dataclass(frozen=True)
class LawForm:
    """Which law: theta over k^`power` (but for the offset) has it; the number never negative `decays` exponentially."""

    power: float = 0.0
    decays: bool = False


def n_law_numbers(basis: Basis, form: LawForm) -> int:
    """How many numbers the laws of the set have."""
    r = len(basis.linear) - form.decays
    return r * (r + 1) // 2 + form.decays + (2 * r + 3 if basis.scanned else r)


def best_form(cleaned: Sequence[Clean], basis: Basis) -> tuple[float, LawForm]:
    """2 ln L less what its numbers cost by BIC, at the best form, and that form."""
    n_devices = sum(len(part.white) for part in cleaned)

    def worth(form: LawForm) -> tuple[float, LawForm]:
        cost = n_law_numbers(basis, form) * float(np.log(n_devices))
        return log_evidence(cleaned, basis, form) - cost, form

    best = worth(LawForm())
    if basis.scan.nonnegative:
        best = max(best, worth(LawForm(decays=True)), key=lambda pair: pair[0])
    for step in (_POWER_STEP, -_POWER_STEP) if basis.scanned else ():
        while abs(best[1].power + step) <= _MOST_POWER:
            further = worth(replace(best[1], power=best[1].power + step))
            if further[0] <= best[0]:
                break
            best = further
    return best


def log_evidence(cleaned: Sequence[Clean], basis: Basis, form: LawForm) -> float:
    """2 ln L of the set at the likeliest law of this form."""
    parts = [
        same for one in scanned_columns(cleaned, basis, _CANDIDATES) for same in _candidates(*one, basis, form.power)
    ]
    lengths = [np.median(part.precision.diagonal(axis1=1, axis2=2), axis=0) for part in parts]
    scale = np.sqrt(np.mean(lengths, axis=0))
    middle = float(np.mean([part.log_k.mean() for part in parts]))
    positive = basis.linear.index(basis.scan.nonnegative) if form.decays else -1
    law = first_law(len(basis.linear), bool(basis.scanned), middle, positive)
    total = -np.inf
    for _ in range(_MOST_ROUNDS):
        before = total
        total, law = improved(law, parts, scale)
        if total - before < _LEAST_GAIN:
            break
    return 2.0 * total


def _candidates(part: Clean, grid: Array, white: Array, basis: Basis, power: float) -> Iterator[Candidates]:
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
    if basis.scan.nonnegative:  # the law is one of sizes
        stacked[:, :, basis.linear.index(basis.scan.nonnegative)] *= basis.falls
    if power:
        # in units of the middle of the whole grid, so that devices of other lengths have the same law
        middle = float(np.log(basis.grid(part.whole.pulses)).mean())
        stacked[:, :, 1:] *= np.exp(power * (log_k - middle))[:, None, None]
    gram = np.einsum("kna,knb->kab", stacked, stacked, optimize=True)
    product = np.einsum("in,kna->ika", part.white, stacked, optimize=True)
    variances, n = part.alpha**2, len(part.whitener.pulses)
    fixed = -0.5 * (n * np.log(2.0 * np.pi * variances) + part.whitener.log_det)
    fixed -= 0.5 * np.einsum("ij,ij->i", part.white, part.white) / variances
    for variance in np.unique(variances):
        same = variances == variance
        yield Candidates(gram / variance, product[same] / variance, log_k, edges, fixed[same])
