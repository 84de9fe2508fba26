"""Everything the fit of a device needs to know of the set: estimated once, from a sample, then the same for all.

With a plan each block of devices is fitted for itself, in whatever process or order, today or after a restart: same
plan, same trace, same bits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from weakreset.fitting.bases import Basis, basis_of
from weakreset.fitting.choose_drift import FixedNoise, choose_drift, prepared
from weakreset.fitting.clean_traces import clean_sample, sample_evenly
from weakreset.fitting.device_fit import Outlook, ScannedDevice
from weakreset.fitting.dictionary import Dictionary
from weakreset.fitting.direction import Direction, direction_of
from weakreset.fitting.first_look import Glance, glance, outlook
from weakreset.fitting.fit_options import FitOptions
from weakreset.fitting.group import Grid, Group, families, grouped
from weakreset.fitting.noise_fit import MIN_GAIN, ColourFit
from weakreset.fitting.noise_profile import ROUNDS, SizeSeen, noise_profile, profile_in_words, size_seen
from weakreset.fitting.own_colour import NearColours, OwnColour, own_colour
from weakreset.fitting.residual_check import SetErrors
from weakreset.fitting.result import Estimate
from weakreset.fitting.scan import scan_group
from weakreset.fitting.shared_dictionary import SharedDictionary, shared_dictionary
from weakreset.fitting.shared_numbers import shared_errors
from weakreset.fitting.step_growth import StepGrowth
from weakreset.fitting.survey import Survey
from weakreset.model import SHAPES, DriftShape

__all__ = ["FitPlan", "first_plan", "fixed_noise", "plan_again", "plan_wandering", "replanned"]

_SHARES_OF_READ_NOISE = (1.0, 0.5, 0.25, 0.1, 0.0)  # of its variance beside one exponent for all


@dataclass(frozen=True, eq=False)
class FitPlan:
    """How the devices of a set are fitted; it can be sent to other processes.

    Attributes
    ----------
    basis_key : tuple
        The drift, from which `basis` is made.
    rtn : bool
        Whether telegraph steps are looked for.
    noise : ColourFit
        Of all devices.
    outlook : Outlook
    own : OwnColour or None
        How devices get an exponent of their own; None where they do not.
    grids : tuple of Grid
        Pulses at which (most) traces were read.
    direction : Direction
    shared : mapping of str to Estimate
        Numbers that all devices share.
    notes : tuple of str
        How direction and drift were found.
    errors : SetErrors
    growth : StepGrowth
        How telegraph steps grow with the resistance.
    before : FitPlan or None
        The plan for steps of constant size, where they are found to grow: a trace is fitted by it first, then again
        less what its steps have grown by.
    """

    basis_key: tuple[DriftShape, str, tuple[tuple[str, float], ...]]
    rtn: bool
    noise: ColourFit
    outlook: Outlook
    own: OwnColour | None
    grids: tuple[Grid, ...]
    direction: Direction
    shared: Mapping[str, Estimate] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    errors: SetErrors = field(default_factory=SetErrors)
    growth: StepGrowth = field(default_factory=StepGrowth)
    before: FitPlan | None = None

    @property
    def basis(self) -> Basis:
        """How the drift is scanned."""
        return basis_of(*self.basis_key)


class _Look(NamedTuple):
    """Of the sample: steps and numbers hard to see, exponents of devices, size of the noise along the traces.

    `mixed`: exponents differ, and where each device has its own the read noise of the pooled colour explains nothing.
    """

    outlook: Outlook
    own: OwnColour | None
    sizes: list[SizeSeen | None]
    mixed: bool = False


def first_plan(survey: Survey, chosen: FitOptions) -> tuple[FitPlan, list[Group]]:
    """The plan of a set that was surveyed, before a device is fitted; and the groups of the sample."""
    grids = survey.grids()
    sample = grouped(survey.sample, grids)
    direction = direction_of(survey.votes, chosen.direction)
    fixed = fixed_noise(chosen)
    basis, noise, note = _prepared(sample, direction, fixed, chosen)
    look = _looked_at(sample, basis, noise, chosen)
    # a size that changes is looked for only where the noise is not given: who gives an exponent means it throughout
    for _ in range(ROUNDS if chosen.exponent is None else 0):
        profile = noise_profile(look.sizes, noise.colour.profile)
        if profile == noise.colour.profile:
            break
        fixed = replace(fixed, profile=profile)
        basis, noise, note = _prepared(sample, direction, fixed, chosen)
        look = _looked_at(sample, basis, noise, chosen)
    if look.mixed and chosen.read_sd is None:
        basis, noise, note = _prepared(sample, direction, replace(fixed, read_sd=0.0), chosen)
        look = _looked_at(sample, basis, noise, chosen)
    return FitPlan(
        basis.key, chosen.rtn, noise, look.outlook, look.own, grids, direction, _shared(sample, basis, noise, chosen),
        tuple(filter(None, (note, direction.note, profile_in_words(noise.colour.profile)))),
    ), sample


def _prepared(
    sample: Sequence[Group], direction: Direction, fixed: FixedNoise, chosen: FitOptions
) -> tuple[Basis, ColourFit, str]:
    """The drift, the noise beside it, and how the drift was chosen."""
    if chosen.drift == "auto":
        choice = choose_drift(sample, direction.name, fixed)
        return choice.basis, choice.noise, choice.sentence
    given = tuple((chosen.shared or {}).items())
    return *prepared(sample, basis_of(SHAPES[chosen.drift], direction.name, given), fixed, not given), ""


def fixed_noise(chosen: FitOptions, seen: FitPlan | None = None, wanders: bool = False) -> FixedNoise:
    """What the user fixed of the noise; what a plan has `seen` of it: how it changes, wanders, is a mixture."""
    if seen is None:
        return FixedNoise(chosen.alpha, chosen.exponent, chosen.read_sd, chosen.rtn, wanders=wanders)
    colour, read_sd = seen.noise.colour, chosen.read_sd
    if read_sd is None and seen.own is not None and seen.own.spread > 0.0 and not colour.read_ratio:
        read_sd = 0.0
    wanders = wanders or colour.wander > 0.0
    return FixedNoise(chosen.alpha, chosen.exponent, read_sd, chosen.rtn, colour.profile, wanders)


def plan_again(plan: FitPlan, sample: Sequence[Group], growth: StepGrowth, chosen: FitOptions) -> FitPlan:
    """The plan for traces less what their steps have grown by, from a sample of such."""
    basis, noise = prepared(
        sample, plan.basis, fixed_noise(chosen, plan), not chosen.shared
    )
    again = replanned(plan, sample, basis, noise, chosen)
    return replace(again, growth=growth, before=plan, notes=(*plan.notes, *growth.sentences))


def plan_wandering(plan: FitPlan, sample: Sequence[Group], walk: float, chosen: FitOptions) -> FitPlan:
    """The plan where the baselines of devices may wander, all alike by at least `walk`; the same where they do not."""
    fixed = fixed_noise(chosen, plan, wanders=True)
    basis, noise = prepared(sample, plan.basis, fixed, not chosen.shared)
    if not max(noise.colour.wander, walk):
        return plan
    if walk > noise.colour.wander:
        noise = replace(noise, colour=replace(noise.colour, wander=walk))
    return replace(
        replanned(plan, sample, basis, noise, chosen), notes=(*plan.notes, _wander_in_words(noise))
    )


def _wander_in_words(noise: ColourFit) -> str:
    sd = noise.alpha * float(np.sqrt(noise.colour.wander))
    return (
        f"the baselines of the devices wander beside their drift: a random walk of {sd:.2g} in ln R after one pulse, "
        f"{10 * sd:.2g} after 100. Fits allow for it (noise.wander of the parameter file)"
    )


def replanned(plan: FitPlan, sample: Sequence[Group], basis: Basis, noise: ColourFit, chosen: FitOptions) -> FitPlan:
    """The plan with another drift or noise, nothing known yet of the errors of all."""
    look = _looked_at(sample, basis, noise, chosen)
    shared = _shared(sample, basis, noise, chosen)
    return replace(
        plan, basis_key=basis.key, noise=noise, outlook=look.outlook, own=look.own, shared=shared,
        growth=StepGrowth(), before=None, errors=SetErrors(),
    )


def _looked_at(
    sample: Sequence[Group], basis: Basis, noise: ColourFit, chosen: FitOptions
) -> _Look:
    """What the devices of the sample say of steps, of numbers hard to see, and of noise that differs."""
    sizes: list[SizeSeen | None] = []
    glances: list[Glance] = []
    away, error = np.empty((2, 0))
    scanned: list[tuple[SharedDictionary, Dictionary, list[ScannedDevice]]] = []
    colours = [replace(noise.colour, averaged=family[0].averaged) for family in families(sample)]
    exponent = noise.colour.exponent if chosen.exponent is None else None
    for family, colour in zip(families(sample), colours, strict=True):
        shared = shared_dictionary(family[0].common, colour, basis, chosen.rtn)
        for group in family:
            dictionary = shared.at(group.pulses)
            devices = list(scan_group(dictionary, group, noise.alpha, chosen.rtn))
            glances.append(glance(dictionary, devices))
            sizes.append(size_seen(dictionary, devices))
            scanned.append((shared, dictionary, devices))
            if exponent is not None:
                more = shared.near.exponents_of(dictionary, devices)
                away, error = np.append(away, more[0]), np.append(error, more[1])
    own = None if exponent is None else own_colour(away, error, exponent)
    differ = own is not None and own.spread > 0.0 and noise.colour.read_ratio > 0.0
    return _Look(outlook(basis, glances), own, sizes, differ and _read_noise_is_a_mixture(scanned))


def _read_noise_is_a_mixture(scanned: Sequence[tuple[SharedDictionary, Dictionary, list[ScannedDevice]]]) -> bool:
    """Whether devices with an exponent each have no read noise: flat and steep ones together look like 1/f and white.

    Beside own exponents there may be less read noise than beside one for all, so smaller ones are tried too.
    """
    log_l = np.zeros(len(_SHARES_OF_READ_NOISE))
    for shared, dictionary, devices in scanned:
        whitener = shared.whole.whitener
        ratios = whitener.colour.read_ratio * np.array(_SHARES_OF_READ_NOISE)
        tried = [NearColours(whitener.pulses, replace(whitener.colour, read_ratio=float(ratio))) for ratio in ratios]
        log_l += [near.log_likelihood(dictionary, devices) for near in tried]
    return 2.0 * float(log_l.max() - log_l[-1]) < MIN_GAIN


def _shared(sample: Sequence[Group], basis: Basis, noise: ColourFit, chosen: FitOptions) -> dict[str, Estimate]:
    """Numbers that all devices share, with their errors."""
    if not basis.shared:
        return {}
    if chosen.shared:
        return {name: Estimate(value, status="given") for name, value in basis.shared.items()}
    errors = shared_errors(clean_sample(sample_evenly(sample), basis, noise, chosen.rtn), basis)
    return {
        name: Estimate(value) if (error := errors[name]) is None else Estimate.normal(value, error)
        for name, value in basis.shared.items()
    }
