"""Fit every device of a set: noise first, pooled; then knees and telegraph steps; then lmfit."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import EllipsisType

import numpy as np

from weakreset.errors import FitError
from weakreset.fitting.averaged import steps_on_reads, without_torn_blocks
from weakreset.fitting.bases import Basis, basis_of, fittable
from weakreset.fitting.blocks import OWN_ALPHA_RATIO, Group, fit_groups
from weakreset.fitting.examined import examined
from weakreset.fitting.far_noise import far_noise_in_words, with_far_noise
from weakreset.fitting.fit_set import FitSet, PooledNoise, excluded_fits
from weakreset.fitting.grouped import grouped, reads_in_words
from weakreset.fitting.noise_fit import ColourFit
from weakreset.fitting.noise_survey import survey_noise
from weakreset.fitting.other_noise import with_other_noise
from weakreset.fitting.own_colour import own_exponents
from weakreset.fitting.result import DeviceFit, FitStatus
from weakreset.fitting.rtn_rates import HiddenHigh, pooled_rates
from weakreset.fitting.step_growth import grown_parts, step_growth, with_growth, without_growth
from weakreset.fitting.threads import one_blas_thread
from weakreset.model import SHAPES
from weakreset.options import named_options
from weakreset.traces import TraceSet
from weakreset.traces.fit_needs import LEAST_READS
from weakreset.traces.pulse_settings import count_settings, refuse_mixed

__all__ = ["FitOptions", "fit_devices"]

Progress = Callable[[int, int, str], None]


@named_options
@dataclass(frozen=True)
class FitOptions:
    """What may be fixed by the user.

    Attributes
    ----------
    drift : str
        A key of `weakreset.model.SHAPES`, or "auto": the one with the lowest AIC over the whole set.
    alpha : float, optional
        Amplitude of the 1/f noise (unit-variance drive, in ln R); estimated unless given.
    exponent : float, optional
        beta of 1/f^beta; estimated from all devices together unless given.
    read_sd : float, optional
        Read noise in ln R; estimated unless given.
    rtn : bool
        Whether to look for telegraph steps.
    mixed_pulses : bool
        Whether pulses of different amplitude or width may be fitted together.
    """

    drift: str = "two-slope"
    alpha: float | None = None
    exponent: float | None = None
    read_sd: float | None = None
    rtn: bool = True
    mixed_pulses: bool = False


@named_options
def fit_devices(
    traces: TraceSet,
    options: FitOptions | None = None,
    progress: Progress | None = None,
    *,
    jobs: int | None = None,
    drift: str | EllipsisType = ...,
    alpha: float | EllipsisType | None = ...,
    exponent: float | EllipsisType | None = ...,
    read_sd: float | EllipsisType | None = ...,
    rtn: bool | EllipsisType = ...,
    mixed_pulses: bool | EllipsisType = ...,
) -> FitSet:
    """Fit each device's drift and telegraph noise under 1/f noise estimated from all of them.

    Parameters
    ----------
    traces : TraceSet
    options : FitOptions, optional
    progress : callable, optional
        Called as progress(done, total, what).
    jobs : int, optional
        Processes; 0 means one a core. The numbers do not depend on it. None: one a core where they can be
        forked (Linux, a program of one thread), else none besides this one, because starting them afresh takes
        seconds and needs the `if __name__ == "__main__"` of a script.
    drift, alpha, exponent, read_sd, rtn, mixed_pulses
        See `FitOptions`; in the place of what `options` says (`...`: as there).

    Returns
    -------
    FitSet
        A fit for every trace and every excluded device. Of traces with more than 4,096 reads the later ones are
        averaged (every second, third, ... is used where they do not come at an even pace); `notes` says so.

    Raises
    ------
    FitError
        Unknown drift, one that cannot be fitted, or not one trace that is long enough.
    TraceError
        The traces mix pulses of different amplitude or width.
    UsageError
        For an option that does not exist.
    """
    given = {
        "drift": drift, "alpha": alpha, "exponent": exponent, "read_sd": read_sd, "rtn": rtn,
        "mixed_pulses": mixed_pulses,
    }
    changed = {name: value for name, value in given.items() if value is not ...}
    chosen = replace(options or FitOptions(), **changed)  # type: ignore[arg-type]
    if not chosen.mixed_pulses:
        refuse_mixed(count_settings(traces))
    if chosen.drift == "auto":
        return _best_drift(traces, chosen, progress, jobs)
    return _fit_one_drift(traces, chosen, progress, jobs)


def _fit_one_drift(traces: TraceSet, chosen: FitOptions, progress: Progress | None, jobs: int | None) -> FitSet:
    if chosen.drift not in SHAPES:
        raise FitError(f"unknown drift {chosen.drift!r}: choose from {', '.join(fittable())}, auto")
    basis = basis_of(SHAPES[chosen.drift])
    groups, short, lone, notes = grouped(traces)
    if not groups:
        raise FitError(
            f"no trace has the {LEAST_READS} reads after the first pulse that a fit needs "
            f"({len(traces)} traces, {len(traces.exclusions)} exclusions)"
        )
    report = progress or (lambda done, total, what: None)
    total = sum(len(group.traces) for group in groups)
    report(0, total, "noise of the technology")
    fits: dict[str, DeviceFit] = {}
    with one_blas_thread():
        noise = survey_noise(groups, basis, chosen.alpha, chosen.exponent, chosen.read_sd, chosen.rtn)
        for fit in fit_groups(groups, basis, noise, chosen.rtn, jobs):
            fits[fit.device] = fit
            report(len(fits), total, "devices")
        groups, torn = without_torn_blocks(groups, fits)
        for fit in fit_groups(torn, basis, noise, chosen.rtn, jobs):
            fits[fit.device] = fit
        growth = step_growth(list(fits.values()))
        parts = grown_parts(list(fits.values()), growth)
        if parts:
            groups = without_growth(groups, parts)
            noise = survey_noise(groups, basis, chosen.alpha, chosen.exponent, chosen.read_sd, chosen.rtn)
            for fit in fit_groups(groups, basis, noise, chosen.rtn, jobs):
                fits[fit.device] = fit
        if chosen.exponent is None and noise.colour.exponent is not None:
            own = own_exponents(list(fits.values()), noise.colour.exponent)
            exponents = dict(zip(fits, own.exponents.tolist(), strict=True))
            for fit in _again(groups, basis, noise, chosen.rtn, jobs, exponents):
                fits[fit.device] = fit
    fits = {name: with_growth(fit, growth, parts) for name, fit in fits.items()}
    known = [trace for trace in traces if trace.key in fits]
    ordered = with_far_noise([steps_on_reads(fits[trace.key], *trace.log_ratio()) for trace in known])
    ordered = [replace(fit, set_aside=lone[fit.device]) if fit.device in lone else fit for fit in ordered]
    summary = _summary(ordered, noise, chosen)
    with one_blas_thread():
        rates = HiddenHigh(summary.p_up, summary.p_down, summary.rtn_share)
        ordered, verdict = examined(ordered, basis.shape, basis.scanned, rates, growth.stderr)
    left_out = excluded_fits((*traces.exclusions, *short), basis.shape)
    return with_other_noise(FitSet(
        tuple(ordered + left_out),
        summary,
        basis.shape,
        traces,
        method="lmfit on residuals whitened for pooled 1/f noise, started at the exact scan of all knees",
        caveat=verdict.sentence,
        notes=(*notes, *growth.sentences, *reads_in_words(ordered), *far_noise_in_words(ordered)),
        drift_test=verdict,
    ))


def _again(
    groups: list[Group], basis: Basis, noise: ColourFit, rtn: bool, jobs: int | None, exponents: Mapping[str, float]
) -> Iterator[DeviceFit]:
    """Fits of the devices whose noise has an exponent of its own."""
    for exponent in sorted(set(exponents.values()) - {noise.colour.exponent}):
        colour = replace(noise, colour=replace(noise.colour, exponent=exponent), alpha=math.nan)
        parts = [
            group.part(np.array([exponents[trace.key] == exponent for trace in group.traces])) for group in groups
        ]
        yield from fit_groups([part for part in parts if part.traces], basis, colour, rtn, jobs)


def _best_drift(traces: TraceSet, options: FitOptions, progress: Progress | None, jobs: int | None) -> FitSet:
    """The drift shape with the lowest AIC over the whole set, the others' AIC in the notes."""
    tried = {name: _fit_one_drift(traces, replace(options, drift=name), progress, jobs) for name in fittable()}
    ranked = sorted(tried, key=lambda name: tried[name].aic)
    best = tried[ranked[0]]
    gaps = ", ".join(f"{name} +{tried[name].aic - best.aic:.1f}" for name in ranked[1:])
    note = f"drift chosen by AIC over {len(best.usable)} devices: {ranked[0]}; the others: {gaps}"
    return replace(best, notes=(note, *best.notes))


def _summary(fits: list[DeviceFit], noise: ColourFit, options: FitOptions) -> PooledNoise:
    """Pooled alpha over every ordinary device, and telegraph rates."""
    usable = [fit for fit in fits if fit.status in (FitStatus.OK, FitStatus.KNEE_UNRESOLVED) and fit.alpha]
    ordinary = [
        fit for fit in usable
        if fit.alpha is not None and fit.alpha < OWN_ALPHA_RATIO * noise.alpha and fit.noise_ratio is None
    ]
    freedom = np.array([len(fit.pulses) for fit in ordinary], dtype=np.float64)
    squares = np.array([fit.alpha or 0.0 for fit in ordinary]) ** 2
    fixed = options.alpha is not None or not ordinary
    alpha = noise.alpha if fixed else float(np.sqrt((freedom @ squares) / freedom.sum()))
    rates = pooled_rates(usable)
    return PooledNoise(
        alpha=alpha,
        exponent=noise.colour.exponent,
        alpha_stderr=noise.alpha_stderr if fixed else alpha / float(np.sqrt(2.0 * freedom.sum())),
        exponent_stderr=noise.exponent_stderr,
        read_sd=alpha * float(np.sqrt(noise.colour.read_ratio)),
        n_devices=len(usable),
        **rates.pooled(),
    )
