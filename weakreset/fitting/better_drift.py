"""Where a drift shape does not describe a set: which of the others does, tried and tested before it is named."""

from __future__ import annotations

from collections.abc import Sequence

from weakreset.fitting.blocks import Group, fit_groups
from weakreset.fitting.choose_drift import FixedNoise, choose_drift
from weakreset.fitting.clean_traces import sample_evenly
from weakreset.fitting.drift_test import DriftTest
from weakreset.fitting.examined import examined
from weakreset.fitting.rtn_rates import HiddenHigh

__all__ = ["better_drift", "needs_another_drift"]

_MANY = 0.1


def needs_another_drift(verdict: DriftTest, n_devices: int) -> bool:
    """Whether the shape fails for the set, or for more than a tenth of its devices."""
    return not verdict.holds or len(verdict.wrong_devices) > max(1.0, _MANY * n_devices)


def better_drift(groups: Sequence[Group], direction: str, fixed: FixedNoise, refused: str) -> str:
    """A sentence with the shape that `--drift auto` takes, and whether it describes a sample of the devices."""
    choice = choose_drift(groups, direction, fixed)
    if choice.name == refused:
        return "No other shape that is offered describes them better: `--drift auto` takes this one too."
    sample = sample_evenly(groups)
    fits = list(fit_groups(sample, choice.basis, choice.noise, fixed.rtn, 1))
    verdict = examined(fits, choice.basis, HiddenHigh(None, None, None))[1]
    if not needs_another_drift(verdict, len(fits)):
        return f"`--drift auto` takes {choice.name}, which describes them."
    why = verdict.reason or f"{len(verdict.wrong_devices)} of {len(fits)} devices do not follow it"
    return f"`--drift auto` takes {choice.name}, which describes them better, but not well: {why}."
