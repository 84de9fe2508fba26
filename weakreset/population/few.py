"""Too few devices for a spread: the typical device, and nothing more."""

from __future__ import annotations

import math

import numpy as np

from weakreset.errors import FitError
from weakreset.fitting.fit_set import FitSet
from weakreset.model import TruncatedLaw
from weakreset.population.cycles import cycle_spreads
from weakreset.population.left_out import left_out
from weakreset.population.result import Candidate, LawFit, Population
from weakreset.traces.lot_sentence import counted_devices

__all__ = ["few_devices", "shared_law"]


def few_devices(fits: FitSet) -> Population:
    """Constant laws at the medians of the devices' own estimates.

    Raises
    ------
    FitError
        No usable device, or a parameter that not one identifies though it shows before any knee.
    """
    usable = fits.usable
    n_devices = len({fit.of_device for fit in usable})
    counted = counted_devices(n_devices, len(usable))
    note = f"informed by {counted}: device-to-device spread not identifiable, the median stands for all"
    cycles = cycle_spreads(usable, fits.drift)
    laws, unknown = {}, {}
    hidden = set(fits.drift.parameters) - set(fits.drift.scan.beyond if fits.drift.scan else fits.drift.parameters)
    for name in ("r0_ohm", *fits.drift.parameters):
        known = np.array([fits.size(name, v) for fit in usable if (v := fit.estimates[name].value) is not None])
        if name == "r0_ohm" and not len(known):
            known = np.array([fit.first_read_ohm for fit in usable])
        if not len(known) and usable and name in hidden:
            unknown[name] = left_out(name, fits.drift, usable, ())
            continue
        if not len(known):
            raise FitError(
                f"{name} is not identifiable in any of {counted} that can be used ({len(fits)} in all), so there is "
                "no parameter file; measure more devices or more pulses (the table of devices is complete)"
            )
        value = float(np.median(known))
        unit = "ohm" if name == "r0_ohm" else fits.drift.units[name]
        law = TruncatedLaw("constant", {"value": value})
        laws[name] = LawFit(
            name, unit, law, {}, (Candidate("constant", math.nan, 1.0),), known, (-math.inf, math.inf),
            n_devices, len({fit.of_device for fit in usable if fit.estimates[name].value is not None}) or n_devices,
            note=note,
        )
    return Population(
        fits.drift.name, laws, fits.noise, None, None, fits, notes=(note,), cycles=cycles, not_identifiable=unknown,
        direction=fits.direction,
    )


def shared_law(fits: FitSet, name: str) -> LawFit:
    """Constant law of a number that all devices share."""
    found, n = fits.shared[name], len(fits.usable)
    value = float(found.value or 0.0)
    stderr = {} if found.stderr is None else {"value": found.stderr}
    return LawFit(
        name, fits.drift.units[name], TruncatedLaw("constant", {"value": value}), stderr,
        (Candidate("constant", math.nan, 1.0),), np.full(n, value), (-math.inf, math.inf), n, n,
        note="all devices share it; its spread is not estimated",
    )
