"""Kinds of noise from elsewhere: what their own estimators find in the fits of a set."""

from __future__ import annotations

from dataclasses import replace

from weakreset.fitting.fit_set import FitSet
from weakreset.model import noise_kinds

__all__ = ["with_other_noise"]


def with_other_noise(fits: FitSet) -> FitSet:
    """The set with the blocks that estimators of kinds of noise found; kinds not identifiable leave none."""
    found = {kind.name: kind.estimate(fits) for kind in noise_kinds().values() if kind.estimate is not None}
    known = {name: dict(block) for name, block in found.items() if block is not None}
    return replace(fits, noise=replace(fits.noise, others=known)) if known else fits
