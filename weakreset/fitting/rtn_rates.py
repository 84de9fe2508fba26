"""Telegraph switching probabilities, pooled: one device sees one or two transitions, a set sees hundreds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from weakreset.fitting.result import DeviceFit
from weakreset.model import stationary_high_probability

__all__ = ["DETECTABLE_SIGMAS", "RtnRates", "pooled_rates"]

DETECTABLE_SIGMAS = 6.0
"""Steps larger than this many alpha are found reliably."""

_LEAST_TRANSITIONS = 6
_LOG_RATES = (-30.0, -0.02)


@dataclass(frozen=True)
class RtnRates:
    """Pooled probabilities per pulse; None where too few transitions were seen."""

    p_up: float | None
    p_down: float | None
    n_transitions: int
    n_devices: int
    note: str = ""


class _Path(NamedTuple):
    """Pulses spent in each state, transitions out of each, first state, length."""

    low: int
    high: int
    ups: int
    downs: int
    starts_high: bool
    length: int


def pooled_rates(fits: Sequence[DeviceFit]) -> RtnRates:
    """Maximum likelihood of p_up and p_down from the devices whose steps alternate between two levels.

    A device enters only because at least one transition was seen in it, so its likelihood is
    conditioned on that; without the condition both rates come out too high. Devices whose steps are too small to
    be found reliably would make them too low, as some of their steps are missed: they count only where the others
    are too few.
    """
    stepping = [fit for fit in fits if fit.rtn.status == "ok"]
    clear = [fit for fit in stepping if (fit.rtn.amplitude or 0.0) > DETECTABLE_SIGMAS * fit.alpha_used]
    paths = [_path(fit) for fit in clear]
    transitions = sum(path.ups + path.downs for path in paths)
    if transitions < _LEAST_TRANSITIONS:
        paths = [_path(fit) for fit in stepping]
        transitions = sum(path.ups + path.downs for path in paths)
    if transitions < _LEAST_TRANSITIONS:
        note = f"{transitions} telegraph transitions in all devices: p_up and p_down are not identifiable"
        return RtnRates(None, None, transitions, len(paths), note)
    low = max(sum(path.low for path in paths), 1)
    high = max(sum(path.high for path in paths), 1)
    start = np.log([
        max(sum(path.ups for path in paths), 0.5) / low, max(sum(path.downs for path in paths), 0.5) / high,
    ])
    table = np.array(paths, dtype=np.float64).T
    found = optimize.minimize(lambda x: _deviance(table, *np.exp(np.clip(x, *_LOG_RATES))), start, method="Nelder-Mead")
    p_up, p_down = np.exp(np.clip(found.x, *_LOG_RATES))
    return RtnRates(float(p_up), float(p_down), transitions, len(paths))


def _path(fit: DeviceFit) -> _Path:
    edges = np.array([fit.pulses[0], *fit.rtn.steps, fit.pulses[-1] + 1])
    spans = np.diff(edges)
    high_first = int(fit.rtn.starts_high)
    high = int(spans[1 - high_first :: 2].sum())
    n_steps = len(fit.rtn.steps)
    downs = (n_steps + high_first) // 2
    return _Path(int(spans.sum()) - high, high, n_steps - downs, downs, fit.rtn.starts_high, int(spans.sum()))


def _deviance(table: NDArray[np.float64], p_up: float, p_down: float) -> float:
    """-2 ln L of paths, each given that it has at least one transition; `table` has the fields of `_Path` in rows."""
    low, high, ups, downs, starts_high, length = table
    stationary = stationary_high_probability(p_up, p_down)
    first = np.where(starts_high > 0, stationary, 1.0 - stationary)
    quiet = (1 - stationary) * (1 - p_up) ** (length - 1) + stationary * (1 - p_down) ** (length - 1)
    total = np.log(first) + ups * np.log(p_up) + downs * np.log(p_down)
    total += (low - ups) * np.log1p(-p_up) + (high - downs) * np.log1p(-p_down)
    total -= np.log(np.maximum(1.0 - quiet, 1e-300))
    return -2.0 * float(total.sum())
