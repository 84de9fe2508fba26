"""Fits after a look at their residuals: errors that are too small grow, a shape that does not describe them is said.

What a device's own residuals say is done with its fit (`examined_alone`), what needs all devices at the end
(`examined`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from weakreset.fitting.bases import Basis
from weakreset.fitting.drift_test import DriftTest, drift_test
from weakreset.fitting.fit_rows import changed
from weakreset.fitting.residual_check import CONTRASTS
from weakreset.fitting.result import DeviceFit, Estimate, FitStatus, ResidualCheck
from weakreset.fitting.rtn_rates import HiddenHigh

__all__ = ["WIDEST_RATIO", "examined", "examined_alone", "hidden_level"]

Array = NDArray[np.float64]

WIDEST_RATIO = 1.45
"""An interval of the scanned number wider than this, high over low, does not resolve it."""

_BENDS = CONTRASTS.index("they are bent throughout")
_SURE = 4.0  # sd, one-sided: one device in 30,000 by chance


def examined(
    fits: Sequence[DeviceFit], basis: Basis, rates: HiddenHigh, against: Collection[str] = ()
) -> tuple[Sequence[DeviceFit], DriftTest]:
    """Fits that were `examined_alone` after a look at all of them together, and the verdict on the shape.

    Parameters
    ----------
    fits : sequence of DeviceFit
    basis : Basis
        What the set is fitted with.
    rates : HiddenHigh
        Telegraph noise of the set: a device that shows none may have sat in the high state all along.
    against : collection of str
        Devices that run against the direction of the set.
    """
    shape = basis.shape
    whole = [(fit.device, fit.check.scores) for fit in fits if fit.check is not None and fit.fitted_as == shape.name]
    # a slope that falls at the knee leaves a bump there where it falls more sharply than fitted; mirrored where R falls
    sharp = -basis.falls * basis.scan.sign if basis.scan.knee else 0
    test = drift_test(shape.name, [device for device, _ in whole], [scores for _, scores in whole], sharp)
    alone = [fit.device for fit in fits if fit.check is not None and fit.check.against_shape]
    wrong = {*test.wrong_devices, *alone, *against}
    hidden = hidden_level(fits, rates)

    def at_last(fit: DeviceFit) -> DeviceFit:
        return fit if fit.check is None else _examined(fit, not test.holds or fit.device in wrong, hidden)

    return changed(fits, at_last), replace(test, wrong_devices=tuple(sorted(wrong)))


def examined_alone(fit: DeviceFit, basis: Basis) -> DeviceFit:
    """The fit with errors that its own residuals bear out, and a status that they do not put in doubt."""
    check, scanned, status = fit.check, basis.scanned, fit.status
    if check is None:
        return fit
    estimates = {name: _grown(estimate, check.inflation.get(name, 1.0)) for name, estimate in fit.estimates.items()}
    if fit.rtn.steps:
        offset = fit.drift.offset
        estimates[offset] = _plus(estimates[offset], float(np.std(fit.rtn.offset(fit.pulses))))
    if scanned and status is FitStatus.OK:
        estimates[scanned] = _tempered(fit, check.inflation.get(scanned, 1.0), estimates[scanned])
        doubt = _doubt(fit, scanned, estimates[scanned])
        if doubt:
            status = FitStatus.KNEE_UNRESOLVED
            estimates[scanned] = Estimate(None, status=doubt)
    against_shape = _rises_late(fit, check, basis) or _turns(fit, check, basis)
    check = replace(check, against_shape=against_shape)
    return replace(fit, estimates=estimates, status=status, inflation=check.inflation, check=check)


def _rises_late(fit: DeviceFit, check: ResidualCheck, basis: Basis) -> bool:
    """Fitted without a knee, and the slope grows: no knee of the shape's own sign can describe that."""
    return bool(fit.fitted_as != basis.shape.name and basis.sign < 0 and check.scores[_BENDS] > _SURE)


def _turns(fit: DeviceFit, check: ResidualCheck, basis: Basis) -> bool:
    """A slope lies surely on the other side of zero: the device rises and falls again, or runs against the set."""
    for name in (*basis.shape.slopes, basis.scan.nonnegative):
        if name in fit.result.params:
            number, inflation = fit.result.params[name], max(1.0, check.inflation.get(name, 1.0))
            if number.stderr and basis.falls * number.value < -_SURE * inflation * number.stderr:
                return True
    return False


def hidden_level(fits: Sequence[DeviceFit], rates: HiddenHigh) -> float:
    """Standard deviation that a telegraph state which never changed adds to the offset of a device without steps."""
    seen = np.array([fit.rtn.amplitude for fit in fits if fit.rtn.status == "ok" and fit.rtn.amplitude])
    if not len(seen):
        return 0.0
    chance = rates.chance([float(fit.pulses[-1] - fit.pulses[0]) for fit in fits if len(fit.pulses)])
    return float(np.sqrt(chance * (1.0 - chance) * np.mean(seen**2)))


def _examined(fit: DeviceFit, wrong: bool, hidden: float) -> DeviceFit:
    estimates, status = dict(fit.estimates), fit.status
    if not fit.rtn.steps:
        estimates[fit.drift.offset] = _plus(estimates[fit.drift.offset], hidden)
    if wrong and status in (FitStatus.OK, FitStatus.KNEE_UNRESOLVED):
        status = FitStatus.WRONG_DRIFT
        estimates = {name: _bare(estimate) if name != "r0_ohm" else estimate for name, estimate in estimates.items()}
    return replace(fit, estimates=estimates, status=status)


def _bare(estimate: Estimate) -> Estimate:
    """The value alone: its error would be that of another shape."""
    if estimate.value is None:
        return estimate
    return Estimate(estimate.value, status=FitStatus.WRONG_DRIFT.value)


def _grown(estimate: Estimate, factor: float) -> Estimate:
    """Standard error and interval `factor` times as wide; never narrower."""
    if estimate.value is None or estimate.stderr is None or not factor > 1.0:
        return estimate
    low = None if estimate.low is None else estimate.value - factor * (estimate.value - estimate.low)
    if estimate.status == "upper_limit_only":
        low = estimate.low
    high = None if estimate.high is None else estimate.value + factor * (estimate.high - estimate.value)
    return replace(estimate, stderr=estimate.stderr * factor, low=low, high=high)


def _plus(estimate: Estimate, sd: float) -> Estimate:
    """With an independent error more."""
    if estimate.value is None or not estimate.stderr or sd <= 0:
        return estimate
    return _grown(estimate, float(np.hypot(estimate.stderr, sd)) / estimate.stderr)


def _tempered(fit: DeviceFit, factor: float, estimate: Estimate) -> Estimate:
    """The scanned number from its posterior made `factor` times as wide: p^(1/factor^2)."""
    if not factor > 1.0 or fit.knee_profile is None or estimate.value is None:
        return estimate
    grid, probability = fit.knee_profile
    log_p = np.log(np.maximum(probability, 1e-300)) / factor**2
    weight = np.exp(log_p - log_p.max()) * np.gradient(grid) ** (1.0 - 1.0 / factor**2)
    weight /= weight.sum()
    edges = np.concatenate([[grid[0]], 0.5 * (grid[1:] + grid[:-1]), [grid[-1]]])
    low, high = np.interp([0.025, 0.975], np.concatenate([[0.0], np.cumsum(weight)]), edges)
    mean = float(grid @ weight)
    return replace(
        estimate, value=mean, stderr=float(np.sqrt(weight @ (grid - mean) ** 2)), low=float(low), high=float(high)
    )


def _doubt(fit: DeviceFit, scanned: str, estimate: Estimate) -> str:
    """Why the scanned number is not resolved after all, or "".

    The interval allows for a telegraph step that was not found, lmfit does not: where its optimum lies outside, the
    data have two answers, and neither is given.
    """
    if estimate.low is None or estimate.high is None:
        return ""
    if estimate.high >= WIDEST_RATIO * estimate.low:
        return "interval_too_wide"
    optimum = float(fit.result.params[scanned].value)
    return "" if estimate.low <= optimum <= estimate.high else "two_answers"
