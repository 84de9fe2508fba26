"""The plan of a set, with what only fits can tell of all devices: they are those of its sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from weakreset.fitting.blocks import Unchecked, checked, fit_groups, fit_sample
from weakreset.fitting.common_mode import common_mode, shared_walk
from weakreset.fitting.examined import examined, hidden_level
from weakreset.fitting.fit_options import FitOptions
from weakreset.fitting.group import Group
from weakreset.fitting.plan import FitPlan, first_plan, plan_again, plan_wandering
from weakreset.fitting.residual_check import SetErrors, least_inflation
from weakreset.fitting.residual_colour import power_of_set, slower_than_assumed
from weakreset.fitting.result import DeviceFit, FitStatus
from weakreset.fitting.rtn_rates import HiddenHigh, pooled_rates
from weakreset.fitting.shared_dictionary import shared_dictionary
from weakreset.fitting.step_growth import grown_parts, step_growth, without_growth
from weakreset.fitting.survey import Survey

__all__ = ["plan_and_fits", "plan_of"]


def plan_of(survey: Survey, chosen: FitOptions, jobs: int | None = None) -> FitPlan:
    """The plan of a set that was surveyed."""
    return plan_and_fits(survey, chosen, jobs)[0]


def plan_and_fits(
    survey: Survey, chosen: FitOptions, jobs: int | None = None
) -> tuple[FitPlan, list[DeviceFit]]:
    """The plan, and the fits by it of those devices of the sample that need not be fitted again."""
    plan, sample = first_plan(survey, chosen)
    found = fit_sample(sample, plan, jobs)
    fits = [fit for fit, _ in found]
    walk = _walk(fits, plan)
    if walk is not None:
        without, plan = plan, plan_wandering(plan, sample, walk, chosen)
        found = found if plan is without else fit_sample(sample, plan, jobs)
        fits = [fit for fit, _ in found]
    growth = step_growth(fits)
    parts = grown_parts(fits, growth)
    if parts:
        plan = plan_again(plan, without_growth(sample, parts), growth, chosen)
    else:
        plan = replace(plan, growth=growth)
    rates = pooled_rates([fit for fit in fits if fit.status in (FitStatus.OK, FitStatus.KNEE_UNRESOLVED)])
    hidden = hidden_level(fits, HiddenHigh(rates.p_up, rates.p_down, rates.share))
    if parts:
        plan = replace(plan, errors=SetErrors(growth.stderr, hidden))
        fits = list(fit_groups(sample, plan, jobs))
    checks = [fit.check for fit in fits if fit.check is not None]
    slow = power_of_set([check.slow for check in checks])
    plan = replace(plan, errors=SetErrors(growth.stderr, hidden, least_inflation(checks), slow))
    return plan, [] if parts else _checked_again(plan, sample, [before for _, before in found])


def _walk(fits: Sequence[DeviceFit], plan: FitPlan) -> float | None:
    """How far the devices walk together; 0 where each may walk for itself, None where nothing is slower than assumed.

    Where the shape of the drift is wrong, what it misses is smooth and much the same in all: none is looked for there.
    """
    slow = slower_than_assumed([fit.check.slow for fit in fits if fit.check is not None])
    together = common_mode(fits).seen
    if not (slow or together) or not examined(fits, plan.basis, HiddenHigh(None, None, None))[1].holds:
        return None
    return shared_walk(fits, plan.noise.alpha, plan.noise.colour) if together else 0.0


def _checked_again(plan: FitPlan, sample: Sequence[Group], found: Sequence[Unchecked]) -> list[DeviceFit]:
    """Fits that only the errors of the set change, those by the noise of all: looked at again, not fitted again."""
    same = {one.fit.device: one for one in found if one.fit.colour == plan.noise.colour}
    fits: list[DeviceFit] = []
    for group in sample:
        known = [same[trace.key] for trace in group.traces if trace.key in same]
        if known:
            shared = shared_dictionary(group.common, plan.noise.colour, plan.basis, plan.rtn)
            fits += checked(plan, shared.whole.whitener.at(group.pulses), known)
    return fits
