"""Law of the telegraph amplitude, from the devices in which steps were found.

Amplitudes below about six times the 1/f noise are not found reliably, so the law is fitted to, and
valid for, larger ones only: it is truncated there, and the fraction of devices refers to those.
"""

from __future__ import annotations

import numpy as np

from weakreset.fitting.fit_set import FitSet
from weakreset.fitting.rtn_rates import DETECTABLE_SIGMAS, HiddenHigh
from weakreset.population.families import fit_values
from weakreset.population.result import LawFit
from weakreset.population.stuck import StuckHigh

__all__ = ["fit_rtn_amplitude", "stuck_high"]

_LEAST_DEVICES = 8  # fewer say little of a law of two numbers with a truncation
_FAMILIES = ("expon", "lognorm", "gamma", "weibull")  # amplitudes are positive; a normal law is never tried
_QUANTILES = 5  # of the amplitudes over which the chance to be seen is averaged


def fit_rtn_amplitude(fits: FitSet) -> tuple[LawFit | None, float | None]:
    """Law of A above the detection limit, and the share of devices that have such an A.

    Returns
    -------
    law, fraction
        Both None where too few devices show steps, or the switching rates are not identifiable.
    """
    noise, usable = fits.noise, fits.usable
    if noise.alpha is None or noise.p_up is None or noise.p_down is None:
        return None, None
    limit = DETECTABLE_SIGMAS * noise.alpha
    amplitudes = np.array([fit.rtn.amplitude for fit in usable if (fit.rtn.amplitude or 0.0) > limit])
    if len(amplitudes) < _LEAST_DEVICES:
        return None, None
    fitted = fit_values(amplitudes, _FAMILIES, lower=limit)
    fraction = noise.rtn_share
    if fraction is None:
        return None, None
    note = (
        f"steps smaller than {limit:.3g} in ln R are not found reliably: the law holds above that, "
        f"and {fraction:.0%} of the devices are estimated to lie there"
        + (f" (standard error {noise.rtn_share_stderr:.0%})" if noise.rtn_share_stderr else "")
    )
    law = LawFit(
        "rtn_amplitude", "1", fitted.law, fitted.stderr, fitted.candidates, amplitudes, (limit, np.inf),
        len(usable), len(amplitudes), note=note,
    )
    return law, fraction


def stuck_high(fits: FitSet, law: LawFit | None, fraction: float | None) -> StuckHigh:
    """Chance that a device without steps sat in the high state all along."""
    if law is None or not fraction:
        return StuckHigh()
    rates = HiddenHigh(fits.noise.p_up, fits.noise.p_down, fraction)
    chance = rates.chance([float(fit.pulses[-1] - fit.pulses[0]) for fit in fits.usable])
    amplitudes = tuple(float(a) for a in law.law.ppf((np.arange(_QUANTILES) + 0.5) / _QUANTILES))
    return StuckHigh(chance, amplitudes)
