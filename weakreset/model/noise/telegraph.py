"""Random telegraph noise (RTN): a two-state Markov chain that moves once per pulse, times an amplitude a device."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from weakreset.model.noise.kind import Generated, NoiseKind, NoiseRun, Number, OwnNumber, Statistic

__all__ = ["RTN", "high_probability_after", "stationary_high_probability", "telegraph_states"]


def stationary_high_probability(p_up: float, p_down: float) -> float:
    """Share of time in the high-resistance state: p_up / (p_up + p_down); 0 where nothing ever switches."""
    total = p_up + p_down
    return p_up / total if total > 0 else 0.0


def high_probability_after(
    high: NDArray[np.bool_], n_pulses: NDArray[np.int64] | int, p_up: float, p_down: float
) -> NDArray[np.float64]:
    """P(high after n pulses | state now), exact: pi + (1 - p_up - p_down)^n (s - pi)."""
    stationary = stationary_high_probability(p_up, p_down)
    return np.asarray(stationary + (1.0 - p_up - p_down) ** n_pulses * (high - stationary), dtype=np.float64)


def telegraph_states(
    rng: np.random.Generator, n_devices: int, n_pulses: int, p_up: float, p_down: float
) -> NDArray[np.bool_]:
    """State after each of pulses 1 .. n_pulses, the first drawn from the stationary law.

    Returns
    -------
    ndarray of bool, shape (n_devices, n_pulses)
        True is the high-resistance state.
    """
    states = np.empty((n_pulses, n_devices), dtype=np.bool_)
    states[:1] = rng.random(n_devices) < stationary_high_probability(p_up, p_down)
    u = rng.random((max(0, n_pulses - 1), n_devices))
    stays, rises = u >= p_down, u < p_up
    for t in range(1, n_pulses):
        states[t] = np.where(states[t - 1], stays[t - 1], rises[t - 1])
    return np.ascontiguousarray(states.T)


def _generate(run: NoiseRun) -> Generated:
    amplitude = run.own["amplitude"]
    if not np.any(amplitude > 0):
        return Generated(np.zeros((run.n_devices, run.n_pulses)))
    high = telegraph_states(run.rng, run.n_devices, run.n_pulses, run.numbers["p_up"], run.numbers["p_down"])
    return Generated(amplitude[:, None] * high, high)


def _export(population: Any) -> dict[str, Any]:
    noise, law = population.noise, population.rtn_amplitude
    common = {"n_devices": noise.n_devices}
    if law is None or noise.p_up is None or noise.p_down is None:
        note = noise.note or "too few devices with telegraph steps for a law of their amplitude: not identifiable"
        return common | {"enabled": False, "p_up": 0.0, "p_down": 0.0, "amplitude": None, "note": note}
    if noise.rtn_growth:
        note = "the steps grow with the resistance: noise.growing_rtn holds them"
        return common | {"enabled": False, "p_up": 0.0, "p_down": 0.0, "amplitude": None, "note": note}
    return common | {
        "enabled": True,
        "p_up": noise.p_up,
        "p_down": noise.p_down,
        "p_up_stderr": noise.p_up_stderr,
        "p_down_stderr": noise.p_down_stderr,
        "fraction_of_devices_stderr": noise.rtn_share_stderr,
        "amplitude": law.law.to_dict(),
        "fraction_of_devices": population.rtn_fraction if population.rtn_fraction is not None else 1.0,
        "n_informative": law.n_informative,
        "note": law.note or None,
    }


def _rate(name: str, description: str, words: str) -> Number:
    return Number(
        name, "1/pulse", description, low=0.0, high=1.0, off=0.0, known_as=name, words=words, uncertain="events",
        within=(1e-9, 0.5),
    )


RTN = NoiseKind(
    name="rtn",
    label="RTN",
    description="Two-state random telegraph noise; each device holds one amplitude drawn from `amplitude`.",
    numbers=(
        _rate("p_up", "low to high, per pulse", "telegraph noise, up (per pulse)"),
        _rate("p_down", "high to low, per pulse", "telegraph noise, down (per pulse)"),
    ),
    own=(
        OwnNumber(
            "amplitude", "ln R", "step in ln R; null when telegraph noise was not seen",
            share=Number(
                "fraction_of_devices", "1", "share of devices that have RTN at all", low=0.0, high=1.0, default=1.0
            ),
            streams=(0, 1), measured=True,
        ),
    ),
    generate=_generate,
    export=_export,
    activity=(
        Statistic("rtn", "mean of the telegraph part", "mean", lambda seen: seen.rtn_amplitude * seen.high),
        Statistic("rtn_high", "share of devices in the high state", "mean", lambda seen: seen.high),
    ),
    block="TelegraphNoise",
    in_every_file=True,
    in_kernel=True,
    stream=1,
)
