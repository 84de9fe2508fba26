"""Two kinds of noise as a stranger would write them: a second telegraph trap, and a gain that jitters."""

from __future__ import annotations

from typing import Any

import numpy as np

from weakreset.model import (
    Generated,
    NoiseKind,
    NoiseRun,
    Number,
    OwnNumber,
    stationary_high_probability,
    telegraph_states,
)


def _generate_trap(run: NoiseRun) -> Generated:
    high = telegraph_states(run.rng, run.n_devices, run.n_pulses, run.numbers["p_up"], run.numbers["p_down"])
    return Generated(run.own["amplitude"][:, None] * high, high)


class _TrapInTorch:
    def begin(self, moved: Any) -> dict[str, Any]:
        p_up, p_down = moved.numbers["p_up"], moved.numbers["p_down"]
        return {"high": moved.uniform(0) < stationary_high_probability(p_up, p_down)}

    def pulse(self, moved: Any) -> Any:
        p_up, p_down = moved.numbers["p_up"], moved.numbers["p_down"]
        share = stationary_high_probability(p_up, p_down)
        now = share + (1.0 - p_up - p_down) ** moved.n.double() * (moved.state["high"].double() - share)
        moved.state["high"] = moved.uniform(0) < now
        return moved.own["amplitude"] * moved.state["high"]


TRAP = NoiseKind(
    name="trap2",
    label="RTN of a second trap",
    description="A second two-state trap, slower than the first.",
    numbers=tuple(
        Number(name, "1/pulse", low=0.0, high=1.0, off=0.0, uncertain="events", within=(1e-9, 0.5))
        for name in ("p_up", "p_down")
    ),
    own=(OwnNumber("amplitude", "ln R", share=Number("share", "1", low=0.0, high=1.0, default=1.0)),),
    generate=_generate_trap,
    torch=_TrapInTorch(),
)
BLOCK = {
    "enabled": True, "p_up": 0.01, "p_down": 0.02, "share": 0.75, "n_devices": 40, "n_informative": 12,
    "amplitude": {"family": "uniform", "params": {"low": 0.1, "high": 0.3}},
}


def _generate_gain(run: NoiseRun) -> Generated:
    return Generated(run.numbers["sd"] * run.rng.standard_normal((run.n_devices, run.n_pulses)))


def _estimate_gain(fits: Any) -> dict[str, Any] | None:
    """From second differences, in which a drift leaves next to nothing and white noise its variance six times."""
    rough = [np.diff(fit.log_ratio, 2) for fit in fits.detailed]
    if not rough:
        return None
    variances = np.array([np.mean(row**2) / 6.0 for row in rough])
    sd, reads = float(np.sqrt(variances.mean())), sum(map(len, rough))
    return {"enabled": True, "sd": sd, "sd_stderr": sd / float(np.sqrt(2.0 * reads)), "n_devices": len(rough)}


class _GainInTorch:
    def begin(self, moved: Any) -> dict[str, Any]:
        return {}

    def pulse(self, moved: Any) -> Any:
        return moved.normal(0) * moved.numbers["sd"]


GAIN = NoiseKind(
    name="gain",
    label="gain noise",
    description="Gaussian, proportional to R: of one standard deviation in ln R.",
    numbers=(Number("sd", "1", low=0.0, off=0.0, uncertain="stderr"),),
    generate=_generate_gain,
    torch=_GainInTorch(),
    estimate=_estimate_gain,
)
