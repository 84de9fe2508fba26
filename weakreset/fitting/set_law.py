"""A law of the drift's numbers over a set, and one step of expectation maximisation towards the likeliest.

Normal in the linear numbers theta of a device, with means that may depend on ln k of its scanned number k; lognormal in
k, the case beyond the trace included; exponential in the number that is never negative, where the form says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

__all__ = ["Candidates", "SetLaw", "first_law", "improved"]

Array = NDArray[np.float64]

_LEAST_SPREAD = 0.05
_RIDGE = 1e-6
_WIDE = 1e10
_UNSEEN = 1e-6


@dataclass(frozen=True)
class Candidates:
    """Of devices of equal noise: precision (k, p, p), its product with each one's estimate (i, k, p), edges of ln k.

    `fixed` is ln L at 0. One precision for all of them is what makes this fast: most devices have the pooled alpha.
    """

    precision: Array
    product: Array
    log_k: Array
    edges: Array
    fixed: Array


@dataclass(frozen=True)
class SetLaw:
    """The law, all numbers in units of their errors.

    Attributes
    ----------
    means : ndarray, shape (r, 1) or (r, 2)
        Of the normal numbers, and their slopes with ln k - `centre`.
    spread : ndarray, shape (r, r)
        Their covariance.
    centre, width : float
        Mean and standard deviation of ln k.
    positive : int
        Place in theta of the exponential number, -1 where there is none.
    size : float
        Its mean.
    """

    means: Array
    spread: Array
    centre: float
    width: float
    positive: int
    size: float

    @property
    def normal(self) -> list[int]:
        """Places of the normal numbers."""
        return [i for i in range(len(self.means) + (self.positive >= 0)) if i != self.positive]


def first_law(p: int, depends: bool, centre: float, positive: int) -> SetLaw:
    """One that is as wide as can be: p numbers, `depends` on ln k or not."""
    r = p - (positive >= 0)
    return SetLaw(np.zeros((r, 1 + depends)), np.eye(r) * _WIDE, centre, 1.0, positive, float(np.sqrt(_WIDE)))


@dataclass(frozen=True)
class _Posterior:
    """Of each device and candidate: share (i, k), mean (i, k, p), ln of the evidence (i,).

    `outer` is the covariance summed over devices and candidates, weighted by the share; `by_k` the regressors of k.
    """

    share: Array
    mean: Array
    outer: Array
    evidence: Array
    by_k: Array


def improved(law: SetLaw, parts: Sequence[Candidates], scale: Array) -> tuple[float, SetLaw]:
    """ln L of the set under the law, and the law one step on; numbers in units of 1/`scale`."""
    posteriors = [_posterior(law, part, scale) for part in parts]
    total = sum(float(np.sum(one.evidence)) for one in posteriors)
    n = sum(len(one.share) for one in posteriors)
    normal, q = law.normal, law.means.shape[1]
    cross, regressors = np.zeros((len(normal), q)), np.zeros((q, q))
    for one in posteriors:
        cross += np.einsum("ik,ika,kf->af", one.share, one.mean[:, :, normal], one.by_k)
        regressors += np.einsum("k,kf,kg->fg", one.share.sum(axis=0), one.by_k, one.by_k)
    means = cross @ np.linalg.inv(regressors + _RIDGE * np.eye(q))
    spread = np.zeros_like(law.spread)
    for one in posteriors:
        away = one.mean[:, :, normal] - one.by_k @ means.T
        spread += np.einsum("ik,ika,ikb->ab", one.share, away, away) + one.outer[np.ix_(normal, normal)]
    size = law.size
    if law.positive >= 0:
        size = sum(float(np.sum(one.share * one.mean[:, :, law.positive])) for one in posteriors) / n
    spread = spread / n + _RIDGE * np.eye(len(normal))
    centre, width = law.centre, law.width
    if q > 1:
        weights = [one.share.sum(axis=0) for one in posteriors]
        centre = sum(float(w @ part.log_k) for w, part in zip(weights, parts, strict=True)) / n
        square = sum(float(w @ (part.log_k - centre) ** 2) for w, part in zip(weights, parts, strict=True)) / n
        width = max(_LEAST_SPREAD, float(np.sqrt(square)))
        means = np.column_stack([means[:, 0] + means[:, 1] * (centre - law.centre), means[:, 1]])
    return total, SetLaw(means, spread, centre, width, law.positive, max(size, _RIDGE))


def _posterior(law: SetLaw, part: Candidates, scale: Array) -> _Posterior:
    normal, p = law.normal, len(scale)
    inverse = np.linalg.inv(law.spread)
    by_k = np.column_stack([np.ones_like(part.log_k), part.log_k - law.centre])[:, : law.means.shape[1]]
    prior_mean = by_k @ law.means.T
    prior, pull = np.zeros((p, p)), part.product / scale
    prior[np.ix_(normal, normal)] = inverse
    pull[:, :, normal] += prior_mean @ inverse
    if law.positive >= 0:
        # e^(-x/size) tilts a normal law; a number that a knee beyond the trace hides needs a width all the same
        prior[law.positive, law.positive] = _UNSEEN / law.size**2
        pull[:, :, law.positive] -= 1.0 / law.size
    precision = part.precision / np.outer(scale, scale) + prior
    covariance = np.linalg.inv(precision)
    mean = np.einsum("kab,ikb->ika", covariance, pull)
    log_l = 0.5 * np.einsum("ika,ika->ik", pull, mean) - 0.5 * np.linalg.slogdet(precision)[1]
    log_l -= 0.5 * np.einsum("ka,ab,kb->k", prior_mean, inverse, prior_mean)
    log_l -= 0.5 * float(np.linalg.slogdet(law.spread)[1])
    spared = np.zeros(log_l.shape)
    if law.positive >= 0:
        q, sd = law.positive, np.sqrt(covariance[:, law.positive, law.positive])
        away = mean[:, :, q] / sd
        above = special.log_ndtr(away)
        log_l += above + 0.5 * np.log(2.0 * np.pi) - np.log(law.size)
        mills = np.exp(-0.5 * away**2 - 0.5 * np.log(2.0 * np.pi) - above)
        mean = mean + (covariance[:, :, q] / sd[:, None]) * mills[:, :, None]
        spared = mills * (mills + away)  # the share of the variance that the limit takes away
    if law.means.shape[1] > 1:
        chance = np.diff(special.ndtr((part.edges - law.centre) / law.width))
        chance[0] += 1e-12
        log_l = log_l + np.log(np.maximum(chance, 1e-300) / max(float(chance.sum()), 1e-300))
    each = special.logsumexp(log_l, axis=1)
    share = np.exp(log_l - each[:, None])
    outer = np.einsum("k,kab->ab", share.sum(axis=0), covariance)
    if law.positive >= 0:
        column = covariance[:, :, law.positive] / np.sqrt(covariance[:, law.positive, law.positive])[:, None]
        outer -= np.einsum("k,ka,kb->ab", (share * spared).sum(axis=0), column, column)
    return _Posterior(share, mean, outer, each + part.fixed, by_k)
