"""How alpha and the exponent of the 1/f noise differ between devices: their laws, or that none can be told.

ln alpha of a device is known to 1 / sqrt(2 n) from n reads, and its exponent to what the bend of its likelihood says. A
spread is what devices differ by beyond that: lognormal for alpha, normal for the exponent. It is not identifiable where
it could be chance, or is not larger than its own error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy import special

from weakreset.fitting.fit_rows import those
from weakreset.fitting.fit_set import PooledNoise
from weakreset.fitting.own_colour import OwnColour
from weakreset.fitting.result import DeviceFit

__all__ = ["noise_laws_in_words", "with_noise_laws"]

_LEAST_DEVICES = 8  # a spread of fewer is known to no better than a third
_LEVEL = 1e-3  # of the test that all devices have one alpha
_LEAST_SPREAD = 0.1  # of ln alpha: steps below the search, and drifts not quite of the shape, make up to half of this
_LEAST_EXPONENT_SPREAD = 0.1  # what the curves of less cannot be told from: an exponent is known to 0.05 at best
_LEAST_SIGMAS = 2.0


def with_noise_laws(noise: PooledNoise, usable: Sequence[DeviceFit], own: OwnColour | None) -> PooledNoise:
    """The pooled noise with the spread of alpha and of the exponent between devices.

    Parameters
    ----------
    noise : PooledNoise
    usable : sequence of DeviceFit
        Ordinary devices; those whose noise is far from that of most are named elsewhere and do not count.
    own : OwnColour or None
        What the survey says of exponents.
    """
    known = those(usable, lambda fit: fit.alpha and fit.noise_ratio is None)
    if len(known) < _LEAST_DEVICES:
        return replace(noise, own_noise_note=f"spread between devices: not identifiable from {len(known)} of them")
    log_alpha = np.log([float(fit.alpha or np.nan) for fit in known])
    error = 0.5 / np.array([max(fit.n_reads - fit.n_numbers, 1) for fit in known])
    n, middle = len(known), float(log_alpha.mean())
    distance = float(np.sum((log_alpha - middle) ** 2 / error))
    spread = float(np.sqrt(max(0.0, log_alpha.var(ddof=1) - error.mean())))
    spread_error = float(log_alpha.var(ddof=1) / max(spread, 1e-9) / np.sqrt(2.0 * (n - 1)))
    found = replace(noise, n_own_noise=n)
    if special.chdtrc(n - 1, distance) < _LEVEL and spread > max(_LEAST_SPREAD, _LEAST_SIGMAS * spread_error):
        found = replace(
            found, alpha_spread=spread, alpha_spread_stderr=spread_error, alpha_middle=float(np.exp(middle)),
            alpha_middle_stderr=float(log_alpha.std(ddof=1) / np.sqrt(n)),
        )
    if own is not None and own.spread > max(_LEAST_EXPONENT_SPREAD, _LEAST_SIGMAS * (own.spread_stderr or np.inf)):
        found = replace(
            found, exponent_spread=own.spread, exponent_spread_stderr=own.spread_stderr,
            exponent_middle=own.pooled + own.middle,
        )
    if not (found.alpha_spread or found.exponent_spread):
        found = replace(found, own_noise_note="no spread of alpha or exponent between devices is seen")
    return found


def noise_laws_in_words(noise: PooledNoise) -> list[str]:
    """A sentence on the spreads that were found."""
    said = []
    if noise.alpha_spread:
        said.append(f"alpha lognormal with a spread of {noise.alpha_spread:.2g} +- {noise.alpha_spread_stderr:.1g}")
    if noise.exponent_spread:
        said.append(f"exponent with a spread of {noise.exponent_spread:.2g} +- {noise.exponent_spread_stderr:.1g}")
    if not said:
        return []
    return [f"1/f noise differs between devices: {' and '.join(said)}; noise.own_pink of the parameter file holds both"]
