"""Random telegraph noise whose step grows with the resistance: A (1 + growth ln(R/R0)) in the high state.

The compiled kernel knows one amplitude a device, so this kind stands beside it and `rtn` is off in a file that has it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from weakreset.model.noise.kind import Generated, NoiseKind, NoiseRun, Number, OwnNumber
from weakreset.model.noise.telegraph import stationary_high_probability, telegraph_states

__all__ = ["GROWING"]


def _generate(run: NoiseRun) -> Generated:
    numbers = run.numbers
    high = telegraph_states(run.rng, run.n_devices, run.n_pulses, numbers["p_up"], numbers["p_down"])
    # a step that shrinks with the resistance ends at nothing; it does not turn over
    size = np.maximum(1.0 + numbers["growth"] * run.drift, 0.0)
    return Generated(run.own["amplitude"][:, None] * size * high, high)


class _InTorch:
    """The same on simulated devices. ln(R/R0) is read with its 1/f noise there, which moves a step by a hundredth."""

    def begin(self, moved: Any) -> dict[str, Any]:
        numbers = moved.numbers
        return {"high": moved.uniform(0) < stationary_high_probability(numbers["p_up"], numbers["p_down"])}

    def pulse(self, moved: Any) -> Any:
        p_up, p_down = moved.numbers["p_up"], moved.numbers["p_down"]
        share = stationary_high_probability(p_up, p_down)
        # exact for any number of pulses: what is left of the present state decays as (1 - p_up - p_down)^n
        now = share + (1.0 - p_up - p_down) ** moved.n.double() * (moved.state["high"].double() - share)
        moved.state["high"] = moved.uniform(0) < now
        size = (1.0 + moved.numbers["growth"] * moved.log_ratio).clamp(min=0.0)
        return moved.own["amplitude"] * size * moved.state["high"]


def _export(population: Any) -> dict[str, Any] | None:
    noise, law = population.noise, population.rtn_amplitude
    if not noise.rtn_growth or law is None or noise.p_up is None or noise.p_down is None:
        return None
    return {
        "enabled": True, "p_up": noise.p_up, "p_down": noise.p_down, "growth": noise.rtn_growth,
        "p_up_stderr": noise.p_up_stderr, "p_down_stderr": noise.p_down_stderr,
        "growth_stderr": noise.rtn_growth_stderr, "amplitude": law.law.to_dict(),
        "fraction_of_devices": population.rtn_fraction if population.rtn_fraction is not None else 1.0,
        "fraction_of_devices_stderr": noise.rtn_share_stderr, "n_devices": noise.n_devices,
        "n_informative": law.n_informative, "note": law.note or None,
    }


def _rate(name: str, description: str) -> Number:
    return Number(
        name, "1/pulse", description, low=0.0, high=1.0, off=0.0, uncertain="events", within=(1e-9, 0.5),
        words=f"telegraph noise that grows with R, {'up' if name == 'p_up' else 'down'} (per pulse)",
    )


GROWING = NoiseKind(
    name="growing_rtn",
    label="RTN that grows with R",
    description="Two-state random telegraph noise of A (1 + growth ln(R/R0)); each device holds one A drawn from "
    "`amplitude`.",
    numbers=(
        _rate("p_up", "low to high, per pulse"),
        _rate("p_down", "high to low, per pulse"),
        Number(
            "growth", "1", "share of the amplitude that it grows by per unit of ln(R/R0)", uncertain="stderr",
            within=(-50.0, 50.0), signed=True, words="growth of telegraph steps per unit of ln(R/R0)",
        ),
    ),
    own=(
        OwnNumber(
            "amplitude", "ln R", "step in ln R at R0",
            share=Number(
                "fraction_of_devices", "1", "share of devices that have such a trap", low=0.0, high=1.0, default=1.0
            ),
        ),
    ),
    generate=_generate,
    torch=_InTorch(),
    export=_export,
    block="GrowingTelegraphNoise",
)
