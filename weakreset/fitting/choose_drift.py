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
from weakreset.fitting.blocks import Group
from weakreset.fitting.clean_traces import Clean, clean_sample, sample_evenly
from weakreset.fitting.noise_fit import ColourFit
from weakreset.fitting.noise_survey import survey_noise
from weakreset.fitting.set_evidence import log_evidence, n_law_numbers
from weakreset.fitting.shared_numbers import fit_shared
from weakreset.fitting.step_search import STEP_THRESHOLD
from weakreset.model import SHAPES

__all__ = ["Choice", "FixedNoise", "choose_drift", "prepared"]

@dataclass(frozen=True)
class FixedNoise:
    """What the user fixed of the noise, and whether telegraph steps are looked for."""

    alpha: float | None
    exponent: float | None
    read_sd: float | None
    rtn: bool


@dataclass(frozen=True)
class Choice:
    """The shape chosen, its BIC and that of the others, over how many devices."""

    name: str
    bic: dict[str, float]
    n_devices: int

    @property
    def sentence(self) -> str:
        ranked = sorted(self.bic, key=lambda name: self.bic[name])
        gaps = ", ".join(f"{name} +{self.bic[name] - self.bic[self.name]:.1f}" for name in ranked[1:])
        return (
            f"drift chosen by BIC under one noise over {self.n_devices} devices: {self.name}; the others: {gaps}"
        )


def prepared(
    groups: Sequence[Group], basis: Basis, fixed: FixedNoise, free: bool = True
) -> tuple[Basis, ColourFit]:
    """Noise of the technology beside this drift; with the numbers that all devices share, where they are `free`."""

    def survey() -> ColourFit:
        return survey_noise(groups, basis, fixed.alpha, fixed.exponent, fixed.read_sd, fixed.rtn)

    noise = survey()
    if basis.shared and free:
        sample = sample_evenly(groups)
        for rough in (True, False):  # steps are found, and noise is seen, beside the drift: again with a better one
            basis = fit_shared(clean_sample(sample, basis, noise, fixed.rtn), basis, rough)
            noise = survey()
    return basis, noise


def choose_drift(groups: Sequence[Group], direction: str, fixed: FixedNoise) -> Choice:
    """The shape with the lowest criterion."""
    sample = sample_evenly(groups)
    ready = {name: prepared(groups, basis_of(SHAPES[name], direction), fixed) for name in fittable()}
    own = {name: clean_sample(sample, basis, noise, fixed.rtn) for name, (basis, noise) in ready.items()}
    scores = {name: _criterion(own[name], ready[name][0]) for name in ready}
    reference = min(scores, key=lambda name: scores[name])
    noise, alphas = ready[reference][1], [part.alpha for part in own[reference]]
    for name, (basis, _) in ready.items():
        if name != reference:
            scores[name] = _criterion(clean_sample(sample, basis, noise, fixed.rtn, alphas), basis)
    return Choice(min(scores, key=lambda name: scores[name]), scores, sum(len(group.traces) for group in sample))


def _criterion(cleaned: Sequence[Clean], basis: Basis) -> float:
    """-2 ln of the evidence of the set, and what its laws, shared numbers and telegraph steps cost."""
    n_devices = sum(len(part.white) for part in cleaned)
    n_reads = sum(len(part.white) * len(part.whitener.pulses) for part in cleaned)
    cost = n_law_numbers(basis) * float(np.log(n_devices)) + len(basis.shared) * float(np.log(n_reads))
    steps = sum(int(part.n_steps.sum()) for part in cleaned)
    return cost + STEP_THRESHOLD * steps - log_evidence(cleaned, basis)
