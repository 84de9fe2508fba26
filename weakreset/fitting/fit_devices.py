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
from weakreset.fitting.better_drift import better_drift, needs_another_drift
from weakreset.fitting.blocks import OWN_ALPHA_RATIO, Group, fit_groups
from weakreset.fitting.choose_drift import FixedNoise, choose_drift, prepared
from weakreset.fitting.clean_traces import clean_sample, sample_evenly
from weakreset.fitting.common_mode import common_mode
from weakreset.fitting.direction import Direction, find_direction
from weakreset.fitting.examined import examined
from weakreset.fitting.far_noise import far_noise_in_words, with_far_noise
from weakreset.fitting.fit_set import FitSet, PooledNoise, excluded_fits
from weakreset.fitting.grouped import grouped, reads_in_words
from weakreset.fitting.noise_fit import ColourFit
from weakreset.fitting.other_noise import with_other_noise
from weakreset.fitting.own_colour import own_exponents
from weakreset.fitting.result import DeviceFit, Estimate, FitStatus
from weakreset.fitting.rtn_rates import HiddenHigh, pooled_rates
from weakreset.fitting.shared_numbers import shared_errors
from weakreset.fitting.step_growth import grown_parts, step_growth, with_growth, without_growth
from weakreset.fitting.threads import one_blas_thread
from weakreset.model import SHAPES
from weakreset.options import named_options
from weakreset.traces import Exclusion, TraceSet
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
        A key of `weakreset.model.SHAPES`, or "auto": the one with the lowest BIC under one noise (`choose_drift`).
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
    direction : str
        "reset" where R rises with pulses, "set" where it falls; "auto": what most devices do.
    shared : mapping of str to float, optional
        Numbers of the drift that all devices share (the width of a smooth knee, say); estimated unless given.
    """

    drift: str = "two-slope"
    alpha: float | None = None
    exponent: float | None = None
    read_sd: float | None = None
    rtn: bool = True
    mixed_pulses: bool = False
    direction: str = "auto"
    shared: Mapping[str, float] | None = None


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
    direction: str | EllipsisType = ...,
    shared: Mapping[str, float] | EllipsisType | None = ...,
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
    drift, alpha, exponent, read_sd, rtn, mixed_pulses, direction, shared
        See `FitOptions`; in the place of what `options` says (`...`: as there).

    Returns
    -------
    FitSet
        A fit for every trace and every excluded device. Of traces with more than 4,096 reads the later ones are
        averaged (every second, third, ... is used where they do not come at an even pace); `notes` says so.

    Raises
    ------
    FitError
        Unknown drift, one that cannot be fitted, not one trace that is long enough, or both directions in one set.
    TraceError
        The traces mix pulses of different amplitude or width.
    UsageError
        For an option that does not exist.
    """
    given = {
        "drift": drift, "alpha": alpha, "exponent": exponent, "read_sd": read_sd, "rtn": rtn,
        "mixed_pulses": mixed_pulses, "direction": direction, "shared": shared,
    }
    changed = {name: value for name, value in given.items() if value is not ...}
    chosen = replace(options or FitOptions(), **changed)  # type: ignore[arg-type]
    if not chosen.mixed_pulses:
        refuse_mixed(count_settings(traces))
    if chosen.drift not in (*SHAPES, "auto"):
        raise FitError(f"unknown drift {chosen.drift!r}: choose from {', '.join(fittable())}, auto")
    if chosen.drift != "auto":
        basis_of(SHAPES[chosen.drift])  # refuses what cannot be fitted before any work is done
    groups, short, lone, notes = grouped(traces)
    if not groups:
        raise FitError(
            f"no trace has the {LEAST_READS} reads after the first pulse that a fit needs "
            f"({len(traces)} traces, {len(traces.exclusions)} exclusions)"
        )
    found = find_direction(groups, chosen.direction)
    notes = [*filter(None, [found.note]), *notes]
    report = progress or (lambda done, total, what: None)
    report(0, sum(len(group.traces) for group in groups), "noise of the technology")
    fixed = FixedNoise(chosen.alpha, chosen.exponent, chosen.read_sd, chosen.rtn)
    with one_blas_thread():
        if chosen.drift == "auto":
            choice = choose_drift(groups, found.name, fixed)
            ready, notes = (choice.basis, choice.noise), [choice.sentence, *notes]
        else:
            shared_given = tuple((chosen.shared or {}).items())
            basis = basis_of(SHAPES[chosen.drift], found.name, shared_given)
            ready = prepared(groups, basis, fixed, not shared_given)
        fits = _fit_one_drift(traces, groups, (short, lone), chosen, found, ready, report, jobs)
        if chosen.drift != "auto":
            fits = _with_a_way(fits, groups, found, fixed)
    return replace(fits, notes=(*notes, *fits.notes))


def _with_a_way(fits: FitSet, groups: list[Group], found: Direction, fixed: FixedNoise) -> FitSet:
    """With the shape that describes the devices where this one does not."""
    verdict = fits.drift_test
    if verdict is None or not needs_another_drift(verdict, len(fits.usable)):
        return fits
    if fixed.alpha is None or fixed.exponent is None:
        way = better_drift(groups, found.name, fixed, fits.drift.name)
    else:  # a later part of a stream knows its noise from the first, which has searched
        way = "Fit another shape (`--drift auto`)."
    verdict = replace(verdict, way=way)
    return replace(fits, drift_test=verdict, caveat=verdict.sentence)


def _fit_one_drift(
    traces: TraceSet, groups: list[Group], left: tuple[list[Exclusion], dict[str, tuple[int, ...]]], chosen: FitOptions,
    found: Direction, ready: tuple[Basis, ColourFit], report: Progress, jobs: int | None,
) -> FitSet:
    (short, lone), total = left, sum(len(group.traces) for group in groups)
    fits: dict[str, DeviceFit] = {}
    basis, noise = ready
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
        fixed = FixedNoise(chosen.alpha, chosen.exponent, chosen.read_sd, chosen.rtn)
        basis, noise = prepared(groups, basis, fixed, not chosen.shared)
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
    summary = replace(_summary(ordered, noise, chosen), rtn_growth=growth.value, rtn_growth_stderr=growth.stderr)
    rates = HiddenHigh(summary.p_up, summary.p_down, summary.rtn_share)
    ordered, verdict = examined(ordered, basis, rates, growth.stderr, found.against)
    left_out = excluded_fits((*traces.exclusions, *short), basis.shape)
    return with_other_noise(FitSet(
        tuple(ordered + left_out),
        summary,
        basis.shape,
        traces,
        method="lmfit on residuals whitened for pooled 1/f noise, started at the exact scan of all knees",
        caveat=verdict.sentence,
        notes=(*growth.sentences, *_notes(ordered)),
        drift_test=verdict,
        direction=found.name,
        shared=_shared(groups, basis, noise, chosen),
    ))


def _notes(fits: list[DeviceFit]) -> list[str]:
    return [*common_mode(fits).sentences, *reads_in_words(fits), *far_noise_in_words(fits)]


def _shared(groups: list[Group], basis: Basis, noise: ColourFit, chosen: FitOptions) -> dict[str, Estimate]:
    """Numbers that all devices share, with their errors."""
    if not basis.shared:
        return {}
    if chosen.shared:
        return {name: Estimate(value, status="given") for name, value in basis.shared.items()}
    errors = shared_errors(clean_sample(sample_evenly(groups), basis, noise, chosen.rtn), basis)
    return {
        name: Estimate(value) if (error := errors[name]) is None
        else Estimate(value, error, value - 1.96 * error, value + 1.96 * error)
        for name, value in basis.shared.items()
    }


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
