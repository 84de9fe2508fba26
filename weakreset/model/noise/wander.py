"""A baseline that wanders: a random walk of ln R, one step a pulse, from nothing after SET.

It stands for what is slower than 1/f noise (ions that go on diffusing, a contact that ages). Estimated by
`weakreset.fitting` where the residuals of a set are slower than its 1/f noise; the compiled kernel does not know it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from weakreset.model.noise.kind import Generated, NoiseKind, NoiseRun, Number

__all__ = ["WANDER"]


def _generate(run: NoiseRun) -> Generated:
    return Generated(run.numbers["sd"] * np.cumsum(run.rng.standard_normal((run.n_devices, run.n_pulses)), axis=1))


class _InTorch:
    """The same on simulated devices: n steps are one of sqrt(n) times the size, whatever n is."""

    def begin(self, moved: Any) -> dict[str, Any]:
        return {"level": 0.0 * moved.normal(0)}

    def pulse(self, moved: Any) -> Any:
        steps = moved.n.double().sqrt() * moved.normal(0)
        moved.state["level"] = (moved.state["level"] + moved.numbers["sd"] * steps).float()
        return moved.state["level"]


def _export(population: Any) -> dict[str, Any] | None:
    sd = population.noise.wander_sd
    if not sd:
        return None
    return {"enabled": True, "sd": sd, "n_devices": population.noise.n_devices}


WANDER = NoiseKind(
    name="wander",
    label="baseline wander",
    description="A random walk of ln R, one step of standard deviation `sd` a pulse, from zero after SET.",
    numbers=(
        Number("sd", "ln R", "step of one pulse", low=0.0, off=0.0, words="wander of the baseline a pulse (ln R)"),
    ),
    generate=_generate,
    torch=_InTorch(),
    export=_export,
    counts=("n_devices",),
    block="WanderNoise",
)
