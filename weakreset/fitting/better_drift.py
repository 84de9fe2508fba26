"""Where a drift shape does not describe a set: which of the others does, tried and tested before it is named."""

from __future__ import annotations

from collections.abc import Sequence

from weakreset.fitting.blocks import fit_groups
from weakreset.fitting.choose_drift import choose_drift
from weakreset.fitting.drift_test import DriftTest
from weakreset.fitting.examined import examined
from weakreset.fitting.fit_options import FitOptions
from weakreset.fitting.group import Group
from weakreset.fitting.plan import FitPlan, fixed_noise, replanned
from weakreset.fitting.rtn_rates import HiddenHigh

__all__ = ["better_drift", "needs_another_drift"]

_MANY = 0.1


def needs_another_drift(verdict: DriftTest, n_devices: int) -> bool:
    """Whether the shape fails for the set, or for more than a tenth of its devices."""
    return not verdict.holds or len(verdict.wrong_devices) > max(1.0, _MANY * n_devices)


def better_drift(sample: Sequence[Group], plan: FitPlan, chosen: FitOptions) -> str:
    """A sentence with the shape that `--drift auto` takes, and whether it describes a sample of the devices."""
    choice = choose_drift(sample, plan.direction.name, fixed_noise(chosen, plan))
    if choice.name == plan.basis.shape.name:
        return "No other shape that is offered describes them better: `--drift auto` takes this one too."
    fits = list(fit_groups(sample, replanned(plan, sample, choice.basis, choice.noise, chosen), 1))
    verdict = examined(fits, choice.basis, HiddenHigh(None, None, None))[1]
    if not needs_another_drift(verdict, len(fits)):
        return f"`--drift auto` takes {choice.name}, which describes them."
    why = verdict.reason or f"{len(verdict.wrong_devices)} of {len(fits)} devices do not follow it"
    return f"`--drift auto` takes {choice.name}, which describes them better, but not well: {why}."
