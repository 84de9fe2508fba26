"""The plan of a set, with what only fits can tell of all devices: they are those of its sample."""

from __future__ import annotations

from dataclasses import replace

from weakreset.fitting.blocks import fit_groups
from weakreset.fitting.examined import hidden_level
from weakreset.fitting.fit_options import FitOptions
from weakreset.fitting.plan import FitPlan, first_plan, plan_again
from weakreset.fitting.residual_check import SetErrors, least_inflation
from weakreset.fitting.result import FitStatus
from weakreset.fitting.rtn_rates import HiddenHigh, pooled_rates
from weakreset.fitting.step_growth import grown_parts, step_growth, without_growth
from weakreset.fitting.survey import Survey

__all__ = ["plan_of"]


def plan_of(survey: Survey, chosen: FitOptions, jobs: int | None = None) -> FitPlan:
    """The plan of a set that was surveyed."""
    plan, sample = first_plan(survey, chosen)
    fits = list(fit_groups(sample, plan, jobs))
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
    floors = least_inflation([fit.check for fit in fits if fit.check is not None])
    return replace(plan, errors=SetErrors(growth.stderr, hidden, floors))
