"""Fit every device of a set: a plan from a sample of it, then device by device, then all of them together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import EllipsisType

import numpy as np

from weakreset.errors import FitError, expect
from weakreset.fitting.bases import basis_of, fittable
from weakreset.fitting.better_drift import better_drift, needs_another_drift
from weakreset.fitting.blocks import fit_groups
from weakreset.fitting.common_mode import common_mode
from weakreset.fitting.examined import examined
from weakreset.fitting.far_noise import far_noise_in_words, with_far_noise
from weakreset.fitting.fit_options import FitOptions
from weakreset.fitting.fit_rows import joined, taken, those
from weakreset.fitting.fit_set import FitSet, PooledNoise, excluded_fits
from weakreset.fitting.group import grouped
from weakreset.fitting.noise_laws import noise_laws_in_words, with_noise_laws
from weakreset.fitting.other_noise import with_other_noise
from weakreset.fitting.plan import FitPlan
from weakreset.fitting.result import DeviceFit, FitStatus
from weakreset.fitting.rtn_rates import HiddenHigh, pooled_rates
from weakreset.fitting.scan import OWN_ALPHA_RATIO
from weakreset.fitting.second_look import plan_and_fits
from weakreset.fitting.survey import Survey
from weakreset.fitting.threads import one_blas_thread
from weakreset.fitting.used_reads import UsedReads, reads_in_words, used_reads
from weakreset.model import SHAPES
from weakreset.options import named_options
from weakreset.progress import Progress, to_no_one
from weakreset.traces import Exclusion, PulseTrace, TraceSet
from weakreset.traces.fit_needs import LEAST_READS
from weakreset.traces.pulse_settings import count_settings, refuse_mixed

__all__ = ["check_drift", "finished", "fit_devices", "read_all", "with_a_way"]



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
    expect(traces, TraceSet, "wr.fit_devices(wr.load_traces(files))")
    given = {
        "drift": drift, "alpha": alpha, "exponent": exponent, "read_sd": read_sd, "rtn": rtn,
        "mixed_pulses": mixed_pulses, "direction": direction, "shared": shared,
    }
    changed = {name: value for name, value in given.items() if value is not ...}
    chosen = replace(options or FitOptions(), **changed)  # type: ignore[arg-type]
    if not chosen.mixed_pulses:
        refuse_mixed(count_settings(traces))
    check_drift(chosen.drift)
    used, short = read_all(traces)
    if not used:
        raise FitError(
            f"no trace has the {LEAST_READS} reads after the first pulse that a fit needs "
            f"({len(traces)} traces, {len(traces.exclusions)} exclusions)"
        )
    survey = Survey()
    survey.add(used)
    report = to_no_one if progress is None else progress
    report(0, len(used), "noise of the technology")
    with one_blas_thread():
        plan, of_sample = plan_and_fits(survey, chosen, jobs)
        fits = {fit.device: fit for fit in of_sample}
        report(len(fits), len(used), "devices")
        left = [one for one in used if one.trace.key not in fits]
        for fit in fit_groups(grouped(left, plan.grids), plan, jobs):
            fits[fit.device] = fit
            report(len(fits), len(used), "devices")
    known = [fits[one.trace.key] for one in used]
    fitted = [replace(fit, set_aside=one.lone) if one.lone else fit for fit, one in zip(known, used, strict=True)]
    notes = [one.note for one in used if one.note]
    return with_a_way(finished(fitted, plan, chosen, traces, short, notes), survey, plan, chosen)


def with_a_way(fits: FitSet, survey: Survey, plan: FitPlan, chosen: FitOptions) -> FitSet:
    """With the shape that describes the devices where this one does not."""
    verdict = fits.drift_test
    if chosen.drift == "auto" or verdict is None or not needs_another_drift(verdict, len(fits.usable)):
        return fits
    with one_blas_thread():
        verdict = replace(verdict, way=better_drift(grouped(survey.sample, plan.grids), plan, chosen))
    return replace(fits, drift_test=verdict, caveat=verdict.sentence)


def check_drift(name: str) -> None:
    """Refuse what cannot be fitted before any work is done."""
    if name not in (*SHAPES, "auto"):
        raise FitError(f"unknown drift {name!r}: choose from {', '.join(fittable())}, auto")
    if name != "auto":
        basis_of(SHAPES[name])


def read_all(traces: Iterable[PulseTrace]) -> tuple[list[UsedReads], list[Exclusion]]:
    """The reads of each trace that is long enough, and the others."""
    used: list[UsedReads] = []
    short: list[Exclusion] = []
    for trace in traces:
        one = used_reads(trace)
        if isinstance(one, Exclusion):
            short.append(one)
        else:
            used.append(one)
    return used, short


def finished(
    fits: Sequence[DeviceFit], plan: FitPlan, chosen: FitOptions, traces: TraceSet, short: Sequence[Exclusion],
    notes: Sequence[str],
) -> FitSet:
    """The fits of a whole set together: what they say of its noise and its drift, and of each other."""
    # added up in an order that no name or file decides: a sum has other bits in another order
    prints = [fit.fingerprint for fit in fits]
    order = sorted(range(len(fits)), key=prints.__getitem__)
    together = with_far_noise(taken(fits, order))
    growth = plan.growth
    summary = replace(
        _summary(together, plan, chosen), rtn_growth=growth.value, rtn_growth_stderr=growth.stderr or None
    )
    rates = HiddenHigh(summary.p_up, summary.p_down, summary.rtn_share)
    with one_blas_thread():
        together, verdict = examined(together, plan.basis, rates, plan.direction.against)
    ordered = taken(together, np.argsort(order).tolist())
    left_out = excluded_fits((*traces.exclusions, *short), plan.basis.shape)
    return with_other_noise(FitSet(
        joined(ordered, left_out),
        summary,
        plan.basis.shape,
        traces,
        method="lmfit on residuals whitened for pooled 1/f noise, started at the exact scan of all knees",
        caveat=verdict.sentence,
        notes=(
            *plan.notes, *notes, *noise_laws_in_words(summary), *common_mode(together).sentences,
            *reads_in_words(ordered), *far_noise_in_words(ordered),
        ),
        drift_test=verdict,
        direction=plan.direction.name,
        shared=plan.shared,
    ))


def _summary(fits: Sequence[DeviceFit], plan: FitPlan, options: FitOptions) -> PooledNoise:
    """Pooled alpha over every ordinary device, and telegraph rates."""
    noise = plan.noise
    usable = those(fits, lambda fit: fit.status in (FitStatus.OK, FitStatus.KNEE_UNRESOLVED) and fit.alpha)
    ordinary = np.array([
        (fit.n_reads, fit.alpha) for fit in usable
        if fit.alpha is not None and fit.alpha < OWN_ALPHA_RATIO * noise.alpha and fit.noise_ratio is None
    ], dtype=np.float64).reshape(-1, 2)
    freedom, squares = ordinary[:, 0], ordinary[:, 1] ** 2
    fixed = options.alpha is not None or not len(ordinary)
    alpha = noise.alpha if fixed else float(np.sqrt((freedom @ squares) / freedom.sum()))
    rates = pooled_rates(usable)
    pooled = PooledNoise(
        alpha=alpha,
        exponent=noise.colour.exponent,
        alpha_stderr=noise.alpha_stderr if fixed else alpha / float(np.sqrt(2.0 * freedom.sum())),
        exponent_stderr=noise.exponent_stderr,
        read_sd=alpha * float(np.sqrt(noise.colour.read_ratio)),
        wander_sd=alpha * float(np.sqrt(noise.colour.wander)),
        n_devices=len(usable),
        **rates.pooled(),
    )
    return pooled if options.alpha is not None else with_noise_laws(pooled, usable, plan.own)
