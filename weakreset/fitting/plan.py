"""Everything the fit of a device needs to know of the set: estimated once, from a sample, then the same for all.

With a plan each block of devices is fitted for itself, in whatever process or order, today or after a restart: same
plan, same trace, same bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from weakreset.fitting.bases import Basis, basis_of
from weakreset.fitting.device_fit import Outlook, ScannedDevice
from weakreset.fitting.first_look import Glance, glance, outlook
from weakreset.fitting.group import Grid, Group, families
from weakreset.fitting.noise_fit import ColourFit
from weakreset.fitting.own_colour import OwnColour, own_colour
from weakreset.fitting.scan import scan_group
from weakreset.fitting.shared_dictionary import SharedDictionary, shared_dictionary
from weakreset.model import DriftShape

__all__ = ["FitPlan", "fit_plan"]


@dataclass(frozen=True, eq=False)
class FitPlan:
    """How the devices of a set are fitted; it can be sent to other processes.

    Attributes
    ----------
    shape : DriftShape
    rtn : bool
        Whether telegraph steps are looked for.
    noise : ColourFit
        Of all devices; its alpha is NaN where each is judged by its own.
    outlook : Outlook
    own : OwnColour or None
        How devices get an exponent of their own; None where they do not.
    grids : tuple of Grid
        Pulses at which (most) traces were read.
    """

    shape: DriftShape
    rtn: bool
    noise: ColourFit
    outlook: Outlook
    own: OwnColour | None
    grids: tuple[Grid, ...]

    @property
    def basis(self) -> Basis:
        return basis_of(self.shape)


def fit_plan(
    sample: Sequence[Group], basis: Basis, noise: ColourFit, rtn: bool, exponent_free: bool, grids: tuple[Grid, ...]
) -> FitPlan:
    """The plan of a set, from the groups of its sample and its noise."""
    level = None if np.isnan(noise.alpha) else noise.alpha
    glances: list[Glance] = []
    away, error = np.empty((2, 0))
    shared: SharedDictionary | None = None
    exponent = noise.colour.exponent
    for family in families(sample):
        colour = replace(noise.colour, averaged=family[0].averaged)
        here = shared_dictionary(family[0].common, colour, basis, rtn)
        shared = shared or here
        for group in family:
            dictionary = here.at(group.pulses)
            devices: list[ScannedDevice] = list(scan_group(dictionary, group, level, rtn))
            glances.append(glance(dictionary, devices))
            if exponent_free and exponent is not None:
                more = here.near.exponents_of(dictionary, devices)
                away, error = np.append(away, more[0]), np.append(error, more[1])
    if shared is None:
        raise ValueError("an empty sample")
    own = own_colour(away, error, exponent) if exponent_free and exponent is not None else None
    return FitPlan(basis.shape, rtn, noise, outlook(shared.whole, glances), own, grids)
