"""`--drift auto`: all shapes under one noise, so that what they explain can be compared.

Left to itself each shape calls its own misfit noise, and the likelihoods are then of different noises: a single slope
can beat the two slopes that contain it. So the colour of the noise, and the alpha of each device, come from the shape
that does best with its own, and every shape is scanned again with these. Shapes are compared by

    BIC = -2 ln L + (numbers of the laws) ln N + (shared numbers) ln n + (threshold of a telegraph step) steps,

N devices, n reads of all together (Schwarz 1978), L the likelihood of the set with the devices' own numbers integrated
out (`set_evidence`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from weakreset.fitting.bases import Basis, basis_of, fittable
from weakreset.fitting.clean_traces import Clean, clean_sample, sample_evenly
from weakreset.fitting.group import Group
from weakreset.fitting.noise_fit import ColourFit
from weakreset.fitting.noise_survey import survey_noise
from weakreset.fitting.set_evidence import best_form
from weakreset.fitting.shared_numbers import fit_shared
from weakreset.fitting.step_search import STEP_THRESHOLD
from weakreset.fitting.whitening import NoiseProfile
from weakreset.model import SHAPES

__all__ = ["Choice", "FixedNoise", "choose_drift", "prepared"]

_NEAR = 200.0


@dataclass(frozen=True)
class FixedNoise:
    """What the user fixed of the noise, whether telegraph steps are looked for, and what was seen of its size."""

    alpha: float | None
    exponent: float | None
    read_sd: float | None
    rtn: bool
    profile: NoiseProfile | None = None
    wanders: bool = False


@dataclass(frozen=True)
class Choice:
    """The shape chosen with the noise beside it, its BIC and that of the others, over how many devices."""

    basis: Basis
    noise: ColourFit
    bic: dict[str, float]
    n_devices: int

    @property
    def name(self) -> str:
        return self.basis.shape.name

    @property
    def sentence(self) -> str:
        ranked = sorted(self.bic, key=lambda name: self.bic[name])
        gaps = ", ".join(f"{name} +{self.bic[name] - self.bic[self.name]:.1f}" for name in ranked[1:])
        return (
            f"drift chosen by BIC under one noise over {self.n_devices} devices: {self.name}; the others: {gaps}"
        )


_Ready = tuple[Basis, ColourFit]


def prepared(groups: Sequence[Group], basis: Basis, fixed: FixedNoise, free: bool = True) -> _Ready:
    """Noise of the technology beside this drift; with the numbers that all devices share, where they are `free`."""
    if not (basis.shared and free):
        return basis, _survey(groups, basis, fixed)
    ready = _roughly(groups, basis, fixed)
    return _finely(groups, ready, clean_sample(sample_evenly(groups), *ready, fixed.rtn), fixed)


def _survey(groups: Sequence[Group], basis: Basis, fixed: FixedNoise) -> ColourFit:
    return survey_noise(
        groups, basis, fixed.alpha, fixed.exponent, fixed.read_sd, fixed.rtn, fixed.profile, fixed.wanders
    )


def _roughly(groups: Sequence[Group], basis: Basis, fixed: FixedNoise) -> _Ready:
    """With the shared numbers of a quick look; steps are found, and noise is seen, beside the drift: so again then."""
    noise = _survey(groups, basis, fixed)
    if not basis.shared:
        return basis, noise
    basis = fit_shared(clean_sample(sample_evenly(groups), basis, noise, fixed.rtn), basis, rough=True)
    return basis, _survey(groups, basis, fixed)


def _finely(groups: Sequence[Group], ready: _Ready, cleaned: Sequence[Clean], fixed: FixedNoise) -> _Ready:
    """With the likeliest shared numbers."""
    basis = fit_shared(cleaned, ready[0])
    return basis, _survey(groups, basis, fixed)


def choose_drift(groups: Sequence[Group], direction: str, fixed: FixedNoise) -> Choice:
    """The shape with the lowest criterion.

    A shape that is far behind with a noise of its own is not looked at again: with that of another it does no better.
    """
    sample = sample_evenly(groups)
    ready: dict[str, _Ready] = {}
    own: dict[str, list[Clean]] = {}
    scores: dict[str, float] = {}

    def take(name: str, made: _Ready) -> None:
        ready[name], own[name] = made, clean_sample(sample, *made, fixed.rtn)
        scores[name] = _criterion(own[name], made[0])

    for name in fittable():
        take(name, _roughly(groups, basis_of(SHAPES[name], direction), fixed))
    for name in _near(scores):
        if ready[name][0].shared:
            take(name, _finely(groups, ready[name], own[name], fixed))
    reference = min(scores, key=lambda name: scores[name])
    noise, alphas = ready[reference][1], [part.alpha for part in own[reference]]
    for name in _near(scores):
        if name != reference:
            basis = ready[name][0]
            scores[name] = _criterion(clean_sample(sample, basis, noise, fixed.rtn, alphas), basis)
    best = min(scores, key=lambda name: scores[name])
    return Choice(*ready[best], scores, sum(len(group.traces) for group in sample))


def _near(scores: dict[str, float]) -> list[str]:
    least = min(scores.values())
    return [name for name, score in scores.items() if score < least + _NEAR]


def _criterion(cleaned: Sequence[Clean], basis: Basis) -> float:
    """-2 ln of the evidence of the set, and what its laws, shared numbers and telegraph steps cost."""
    n_reads = sum(len(part.white) * len(part.whitener.pulses) for part in cleaned)
    steps = sum(int(part.n_steps.sum()) for part in cleaned)
    return len(basis.shared) * float(np.log(n_reads)) + STEP_THRESHOLD * steps - best_form(cleaned, basis)[0]
