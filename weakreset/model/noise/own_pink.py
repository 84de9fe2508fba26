"""1/f noise that differs from device to device: alpha and the exponent of each are drawn from laws.

The compiled kernel knows one 1/f noise for all, so this kind stands beside `pink`, which is off in a file that has it.
Where devices share one of the two numbers its law is a constant.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from weakreset.model.noise.kind import Generated, NoiseKind, NoiseRun, OwnNumber
from weakreset.model.noise.pink_embedding import embedded_pink_noise
from weakreset.model.noise.pink_noise import pink_noise
from weakreset.model.noise.pink_poles import HIGHEST_EXPONENT, shared_poles

__all__ = ["OWN_PINK"]

_STEP = 0.02  # of the exponent, a fifth of what 1,000 reads tell of it: devices in between share a filter


def _generate(run: NoiseRun) -> Generated:
    steps = np.round(np.clip(run.own["exponent"], 0.0, HIGHEST_EXPONENT) / _STEP).astype(int)
    series = np.empty((run.n_devices, run.n_pulses))
    for step in np.unique(steps).tolist():
        same = np.flatnonzero(steps == step)
        series[same] = (embedded_pink_noise if run.quick else pink_noise)(
            run.rng, len(same), run.n_pulses, step * _STEP
        )
    return Generated(run.own["alpha"][:, None] * series)


class _InTorch:
    """The same on simulated devices: poles with the same time constants in all, mixed by the exponent of each."""

    def begin(self, moved: Any) -> dict[str, Any]:
        poles = shared_poles()
        states = {f"pole_{k}": moved.normal(k) for k in range(len(poles.decay))}
        return states | {"slow": moved.normal(len(poles.decay))}

    def pulse(self, moved: Any) -> Any:
        poles = shared_poles()
        n = moved.n.double()
        mixed = n.new_tensor(poles.amplitudes(moved.own["exponent"].double().cpu().numpy()))
        part = mixed[:, -2] * moved.normal(len(poles.decay)) + mixed[:, -1] * moved.state["slow"]
        for k, decay in enumerate(poles.decay.tolist()):
            # n pulses are one exact step: what is left of a pole decays as decay^n, the rest is drawn anew
            left = decay**n
            now = moved.state[f"pole_{k}"] * left + (1.0 - left**2).sqrt() * moved.normal(k)
            moved.state[f"pole_{k}"] = now.float()
            part = part + mixed[:, k] * now
        return moved.own["alpha"] * part


def _export(population: Any) -> dict[str, Any] | None:
    noise = population.noise
    if noise.alpha is None or not (noise.alpha_spread or noise.exponent_spread):
        return None
    exponent: dict[str, Any] = {"family": "constant", "params": {"value": noise.exponent or 0.0}}
    if noise.exponent_spread:
        exponent = {
            "family": "norm", "params": {"mean": noise.exponent_middle, "sd": noise.exponent_spread},
            "truncation": (0.0, HIGHEST_EXPONENT),
        }
    alpha: dict[str, Any] = {"family": "constant", "params": {"value": noise.alpha}}
    if noise.alpha_spread:
        alpha = {"family": "lognorm", "params": {"s": noise.alpha_spread, "scale": noise.alpha_middle}}
    return {
        "enabled": True, "n_devices": noise.n_devices, "n_informative": noise.n_own_noise,
        "alpha": alpha, "exponent": exponent, "note": "; ".join([
            _spread("ln alpha", noise.alpha_spread, noise.alpha_spread_stderr),
            _spread("exponent", noise.exponent_spread, noise.exponent_spread_stderr),
        ]),
    }


def _spread(name: str, spread: float, stderr: float | None) -> str:
    if not spread:
        return f"spread of {name} between devices not identifiable: all have the same"
    return f"spread of {name} between devices {spread:.2g} +- {stderr:.1g}"


OWN_PINK = NoiseKind(
    name="own_pink",
    label="1/f noise of each device",
    description="1/f^exponent noise per pulse, `alpha` and `exponent` drawn for each device from their laws.",
    numbers=(),
    own=(
        OwnNumber("alpha", "ln R", "amplitude of the device's noise, on unit-variance driving noise"),
        OwnNumber("exponent", "1", "beta of the device's 1/f^beta, 0 to 1.95"),
    ),
    generate=_generate,
    torch=_InTorch(),
    export=_export,
    instead_of="pink",
    block="OwnPinkNoise",
)
