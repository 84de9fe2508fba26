"""One device: from its best configuration to numbers, intervals and a status in words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from weakreset.fitting.bases import Basis, basis_of
from weakreset.fitting.design import Design
from weakreset.fitting.dictionary import Dictionary
from weakreset.fitting.drift_fit import WhitenedModel, run_lmfit
from weakreset.fitting.knee_posterior import KneePosterior, ScanMoments, knee_posterior, scan_moments
from weakreset.fitting.likelihood_draws import LikelihoodDraws, draw_likelihood
from weakreset.fitting.missed_steps import StepPrior, log_missed_steps
from weakreset.fitting.result import DeviceFit, Estimate, FitStatus, r0_estimate
from weakreset.fitting.rtn_fit import RtnFit
from weakreset.fitting.step_search import Configuration
from weakreset.traces import PulseTrace

__all__ = ["RESOLVED_LR", "Outlook", "ScannedDevice", "fit_device", "likelihood_ratio"]

Array = NDArray[np.float64]

RESOLVED_LR = 25.0
"""2*delta(ln L) of a knee against none, above which it may count as resolved."""

_DETECTED_LR = 12.0  # below it the two slopes are not told apart, and one slope is fitted
_WIDEST_RATIO = 1.45  # a knee known to about +-20 %, or it is called unresolved
_UPPER_LIMIT_SIGMAS = 2.0  # 95 %, as in every table of limits


@dataclass(frozen=True)
class ScannedDevice:
    """A trace with its whitened form and best configuration."""

    trace: PulseTrace
    log_ratio: Array
    white: Array
    products: Array
    configuration: Configuration
    design: Design
    alpha: float
    own_alpha: float


@dataclass(frozen=True)
class Outlook:
    """What the first devices of a set say of all: every device is fitted with it.

    Attributes
    ----------
    cap : float
        The number that is never negative (m2) is drawn below this; infinite for shapes without one.
    steps : StepPrior
    """

    cap: float
    steps: StepPrior


def fit_device(
    dictionary: Dictionary, scanned: ScannedDevice, outlook: Outlook, fingerprint: bytes
) -> tuple[DeviceFit, Array]:
    """Decide what can be known, run lmfit, and put the result into words.

    Returns
    -------
    DeviceFit
    ndarray, shape (n, n_numbers)
        Whitened derivatives of the model by lmfit's parameters, in units of alpha.
    """
    # what is drawn for a device comes from its readings: its name, and who else is fitted, move no number
    rng = np.random.default_rng(int.from_bytes(fingerprint, "big"))
    basis = dictionary.basis
    moments = _moments(dictionary, scanned, outlook.steps)
    posterior = knee_posterior(basis, moments) if basis.scanned else None
    lr = likelihood_ratio(dictionary, scanned) if basis.scanned else 0.0
    draws = draw_likelihood(basis, moments, outlook.cap, rng)
    resolved = posterior is None or (lr > RESOLVED_LR and posterior.high < _WIDEST_RATIO * posterior.low)
    without = basis.scan.without
    used = basis if without is None or lr > _DETECTED_LR else basis_of(without)
    result, jacobian = _lmfit(dictionary, used, scanned)
    numbers = _numbers(basis, used, result, scanned)
    known, colour = posterior if resolved else None, dictionary.whitener.colour
    if not result.success:
        status = FitStatus.NOT_CONVERGED
    elif scanned.configuration.more_steps:
        status = FitStatus.RESTLESS
    else:
        status = FitStatus.OK if resolved else FitStatus.KNEE_UNRESOLVED
    fit = DeviceFit(
        device=scanned.trace.key,
        parent=scanned.trace.device,
        status=status,
        estimates=_estimates(scanned.trace, basis, used, result, known, draws, status, lr),
        drift=basis.shape,
        pulses=dictionary.whitener.pulses,
        log_ratio=scanned.log_ratio,
        numbers=numbers,
        rtn=_telegraph(dictionary, scanned, result),
        alpha=scanned.own_alpha,
        result=result,
        white_residuals=np.asarray(result.residual)[dictionary.whitener.kept],
        knee_lr=lr,
        knee_profile=None if posterior is None else (posterior.grid, posterior.probability),
        first_read_ohm=float(scanned.trace.resistance_ohm[0]),
        fitted_as=used.shape.name,
        exponent=colour.exponent, read_ratio=colour.read_ratio, averaged=colour.averaged, profile=colour.profile,
        wander=colour.wander,
        alpha_used=scanned.alpha,
        draws=draws,
        deviance=_deviance(dictionary, scanned, result),
        n_numbers=len(result.params) + len(scanned.design.steps),
        fingerprint=fingerprint,
        n_reads=len(scanned.log_ratio),
    )
    return fit, jacobian


def _moments(dictionary: Dictionary, scanned: ScannedDevice, steps: StepPrior) -> ScanMoments:
    """Of the likelihood that allows for one step more than were found."""
    moments = scan_moments(dictionary, scanned.products, scanned.design, scanned.alpha**2)
    log_p = moments.log_z + np.log(moments.width)
    more = log_missed_steps(dictionary, scanned.products, scanned.design, scanned.alpha**2, steps, log_p)
    return replace(moments, log_z=moments.log_z + more)


def _deviance(dictionary: Dictionary, scanned: ScannedDevice, result: Any) -> float:
    """-2 ln L of the device at lmfit's optimum."""
    n = len(scanned.log_ratio)
    constant = n * float(np.log(2.0 * np.pi * scanned.alpha**2)) + dictionary.whitener.log_det
    return constant + float(result.chisqr)


def likelihood_ratio(dictionary: Dictionary, scanned: ScannedDevice) -> float:
    """2 ln of the likelihood with the profile over that without, the telegraph steps kept."""
    active = [*dictionary.base, *scanned.configuration.steps]
    explained = dictionary.solve(scanned.products, active)[1]
    return max(0.0, (scanned.configuration.explained - explained) / scanned.alpha**2)


def _lmfit(dictionary: Dictionary, used: Basis, scanned: ScannedDevice) -> tuple[Any, Array]:
    d, design = dictionary, scanned.design
    scans = bool(used.scanned)
    model = WhitenedModel(
        used,
        scanned.white,
        d.columns(design.fixed) @ design.mix,
        d.columns(d.profiles) if scans else np.empty((len(scanned.white), 0)),
        d.grid,
        design.names,
        scanned.alpha,
    )
    active = [*d.base, *([scanned.configuration.knee] if scans and scanned.configuration.knee is not None else [])]
    matrix = np.column_stack([model.columns, d.columns(active[len(d.base) :])])
    coefficients = np.linalg.lstsq(matrix, scanned.white, rcond=None)[0]
    p, q = len(d.base), len(design.names)
    linear = np.concatenate([coefficients[:p], coefficients[p + q :]])
    k = float(d.grid[active[-1] - d.profiles.start]) if scans else 0.0
    numbers = used.numbers(linear, k)
    start = {name: numbers[name] for name in used.own} | {
        name: abs(value) if name == "rtn_amplitude" else value
        for name, value in zip(design.names, map(float, coefficients[p : p + q]), strict=True)
    }
    result = run_lmfit(model, start)[1]
    return result, model.jacobian(result.params).T


def _numbers(basis: Basis, used: Basis, result: Any, scanned: ScannedDevice) -> dict[str, float]:
    """Best-fit numbers of the full shape; without its profile it is one whose knee is the last read."""
    values = {name: float(result.params[name].value) for name in used.own}
    if used is basis:
        return {name: (values | basis.shared)[name] for name in basis.shape.parameters}
    coefficients = used.inverse @ [values[name] for name in used.linear]
    return basis.numbers(np.append(coefficients, 0.0), float(scanned.trace.n_pulses))


def _estimates(
    trace: PulseTrace,
    basis: Basis,
    used: Basis,
    result: Any,
    posterior: KneePosterior | None,
    draws: LikelihoodDraws,
    status: FitStatus,
    lr: float,
) -> dict[str, Estimate]:
    estimates = {"r0_ohm": r0_estimate(trace)}
    for name in basis.shape.parameters:
        if status in (FitStatus.NOT_CONVERGED, FitStatus.RESTLESS):
            estimates[name] = Estimate(None, status=status.value)
        elif name in basis.shared:
            estimates[name] = Estimate(basis.shared[name], status="shared by all devices")
        elif name == basis.scanned:
            estimates[name] = _scanned_estimate(posterior, lr)
        elif posterior is None and draws.beyond is not None:
            seen = name in basis.scan.beyond
            unresolved = Estimate(None, status=FitStatus.KNEE_UNRESOLVED.value)
            sign = basis.shape.sign(name, basis.direction)
            estimates[name] = _averaged_estimate(name, draws, sign) if seen else unresolved
        else:
            estimates[name] = _linear_estimate(name, used, result, posterior, basis.falls)
    return estimates


def _scanned_estimate(posterior: KneePosterior | None, lr: float) -> Estimate:
    if posterior is None:
        return Estimate(None, status=FitStatus.KNEE_UNRESOLVED.value if lr <= RESOLVED_LR else "interval_too_wide")
    sd = float(np.sqrt(posterior.probability @ (posterior.grid - posterior.mean) ** 2))
    return Estimate(posterior.mean, sd, posterior.low, posterior.high)


def _linear_estimate(
    name: str, used: Basis, result: Any, posterior: KneePosterior | None, falls: int
) -> Estimate:
    """lmfit's value; its stderr, or the posterior's where the knee's uncertainty makes that larger.

    A number that is never negative (m2) is the posterior's, which knows that; lmfit's may come out below zero.
    """
    parameter = result.params[name]
    stderr = float(parameter.stderr) if parameter.stderr is not None else None
    if posterior is not None and name in used.linear:
        folded = float(posterior.linear_sd[used.linear.index(name)])
        stderr = folded if stderr is None else max(stderr, folded)
    value = float(parameter.value)
    if stderr is None or not np.isfinite(stderr):
        return Estimate(None, status="no standard error: not identifiable")
    if name == used.scan.nonnegative and posterior is not None:
        seen = falls * value > _UPPER_LIMIT_SIGMAS * stderr
        i = used.linear.index(name)
        mean, sd = float(posterior.linear_mean[i]), float(posterior.linear_sd[i])
        if seen:
            return Estimate.normal(mean, sd)
        return _signed(_upper_limit(falls * mean, sd), falls)
    return Estimate.normal(value, stderr)


def _upper_limit(mean: float, sd: float) -> Estimate:
    """A number that is never negative and cannot be told from 0: a normal law cut at 0, its 95 % upper limit."""
    mean = max(mean, -30.0 * sd)  # further below, the law's tail is smaller than any float
    above = float(special.ndtr(mean / sd))
    mills = float(np.exp(-0.5 * (mean / sd) ** 2)) / (np.sqrt(2.0 * np.pi) * above)
    centre = mean + sd * mills
    spread = sd * float(np.sqrt(max(1.0 - mills * (mills + mean / sd), 1e-12)))
    high = mean - sd * float(special.ndtri(0.05 * above))
    return Estimate(centre, spread, 0.0, high, "upper_limit_only")


def _signed(size: Estimate, sign: int) -> Estimate:
    """The number whose size this is."""
    if sign > 0 or size.value is None or size.low is None or size.high is None:
        return size
    return replace(size, value=-size.value, low=-size.high, high=-size.low)


def _averaged_estimate(name: str, draws: LikelihoodDraws, sign: int) -> Estimate:
    """A number of a device whose knee cannot be told: averaged over every place it may be, beyond the trace too.

    The slope of the whole trace would be neat and wrong: it mixes both slopes where a faint knee lies inside.
    """
    return _signed(Estimate.normal(*draws.averaged(name), "averaged over possible knees"), sign)


def _telegraph(dictionary: Dictionary, scanned: ScannedDevice, result: Any) -> RtnFit:
    design = scanned.design
    if not design.steps:
        return RtnFit()
    pulses = dictionary.whitener.pulses
    steps = tuple(int(pulses[read]) for read in design.steps)
    if design.status == "ok":
        amplitude = float(result.params["rtn_amplitude"].value)
        error = result.params["rtn_amplitude"].stderr
        sizes = tuple(float(sign) * amplitude for sign in design.signs)
        return RtnFit("ok", amplitude, steps, sizes, design.starts_high, None if error is None else float(error))
    sizes = tuple(float(result.params[name].value) for name in design.names)
    return RtnFit(design.status, None, steps, sizes)
