"""Telegraph switching probabilities, pooled: one device sees one or two transitions, a set sees hundreds.

They are estimated together with the share of devices that switch at all,

    L(p_up, p_down, share) = prod_seen share P(path) . prod_quiet [ share P(no transition) + 1 - share ]

because a device without steps either has no such trap or was not patient enough: rates and share stand for each other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from weakreset.fitting.fit_rows import those
from weakreset.fitting.result import DeviceFit
from weakreset.model import stationary_high_probability

__all__ = ["DETECTABLE_SIGMAS", "HiddenHigh", "RtnRates", "pooled_rates"]

DETECTABLE_SIGMAS = 6.0
"""Steps larger than this many alpha are found reliably."""

_LEAST_TRANSITIONS = 6  # a rate from fewer is uncertain by 40 % and more (Poisson)
_AT_EDGE = 1e-3  # a share of 1 within this: the bound, not an estimate
_LOG_RATES = (-30.0, -0.02)  # from never to nearly every pulse; a rate of 1 is no telegraph noise

Deviance = Callable[[NDArray[np.float64]], float]


class HiddenHigh(NamedTuple):
    """Telegraph noise of a set, as far as it says what a device without steps may hide: its level may be the high one.

    p_up, p_down and the share of devices that switch at all; None where too little was seen.
    """

    p_up: float | None
    p_down: float | None
    share: float | None

    def chance(self, lengths: Sequence[float]) -> float:
        """P(in the high state all along | no step seen), over devices of so many pulses (a sequence of them).

        share * P(high and never left) / (1 - share * P(a step)), the probabilities averaged over the lengths. A set in
        which a share cannot be told is taken for one in which every device switches.
        """
        if self.p_up is None or self.p_down is None or not len(lengths):
            return 0.0
        share = 1.0 if self.share is None else self.share
        pulses = np.asarray(lengths, dtype=np.float64)
        pi = stationary_high_probability(self.p_up, self.p_down)
        high = float(np.mean(pi * (1.0 - self.p_down) ** pulses))
        quiet = high + float(np.mean((1.0 - pi) * (1.0 - self.p_up) ** pulses))
        without_steps = share * quiet + 1.0 - share
        return share * high / without_steps if without_steps > 0 else 0.0


@dataclass(frozen=True)
class RtnRates:
    """Pooled probabilities per pulse; None where too few transitions were seen."""

    p_up: float | None
    p_down: float | None
    n_transitions: int
    n_devices: int
    note: str = ""
    p_up_stderr: float | None = None
    p_down_stderr: float | None = None
    share: float | None = None
    share_stderr: float | None = None

    def pooled(self) -> dict[str, Any]:
        """As fields of `PooledNoise`."""
        return {
            "p_up": self.p_up, "p_down": self.p_down, "p_up_stderr": self.p_up_stderr,
            "p_down_stderr": self.p_down_stderr, "rtn_share": self.share, "rtn_share_stderr": self.share_stderr,
            "n_transitions": self.n_transitions, "note": self.note,
        }


class _Path(NamedTuple):
    """Pulses spent in each state, transitions out of each, first state, length."""

    low: int
    high: int
    ups: int
    downs: int
    starts_high: bool
    length: int


def pooled_rates(fits: Sequence[DeviceFit]) -> RtnRates:
    """Maximum likelihood of p_up, p_down and the share of devices, from steps that alternate between two levels.

    Devices whose steps are too small to be found reliably would make the rates too low, as some of their steps are
    missed: they count as devices without. Where too few are left, the rates come from all that step, each given that
    it does, and nothing is said of the share.
    """
    stepping = those(fits, lambda fit: fit.rtn.status == "ok")
    clear = those(stepping, lambda fit: (fit.rtn.amplitude or 0.0) > DETECTABLE_SIGMAS * fit.alpha_used)
    paths = [_path(fit) for fit in clear]
    transitions = sum(path.ups + path.downs for path in paths)
    if transitions < _LEAST_TRANSITIONS:
        paths = [_path(fit) for fit in stepping]
        transitions = sum(path.ups + path.downs for path in paths)
    if transitions < _LEAST_TRANSITIONS:
        note = f"{transitions} telegraph transitions in all devices: p_up and p_down are not identifiable"
        return RtnRates(None, None, transitions, len(paths), note)
    quiet = [float(fit.pulses[-1] - fit.pulses[0]) for fit in fits if fit.rtn.status == "not_detected"]
    n_small = len(stepping) - len(paths)
    together = len(paths) == len(clear)
    table = np.array(paths, dtype=np.float64).T

    def deviance(x: NDArray[np.float64]) -> float:
        p_up, p_down = np.exp(np.clip(x[:2], *_LOG_RATES))
        if not together:
            return _path_deviance(table, p_up, p_down) + 2.0 * float(np.log(_seen(table[5] - 1, p_up, p_down)).sum())
        return _joint_deviance(table, np.array(quiet), n_small, p_up, p_down, float(np.clip(x[2], 1e-6, 1.0)))

    best = _minimum(deviance, _start(paths, together, len(fits)))
    errors = _errors(deviance, best)
    p_up, p_down = (float(p) for p in np.exp(np.clip(best[:2], *_LOG_RATES)))
    share, share_stderr = (float(min(best[2], 1.0)), errors[2]) if together else (None, None)
    return RtnRates(
        p_up, p_down, transitions, len(paths), "", p_up * errors[0], p_down * errors[1], share, share_stderr
    )


def _start(paths: Sequence[_Path], together: bool, n_devices: int) -> NDArray[np.float64]:
    """ln p_up, ln p_down and the share where it is looked for: events over time."""
    low = max(sum(path.low for path in paths), 1)
    high = max(sum(path.high for path in paths), 1)
    rates = np.log([
        max(sum(path.ups for path in paths), 0.5) / low, max(sum(path.downs for path in paths), 0.5) / high,
    ])
    return np.append(rates, [min(0.95, 1.2 * len(paths) / n_devices)] if together else [])


def _minimum(deviance: Deviance, start: NDArray[np.float64]) -> NDArray[np.float64]:
    """The optimum; with the share at 1 the rates are looked for once more, as the simplex gets stuck at an edge."""
    options = {"xatol": 1e-4, "fatol": 1e-6, "maxiter": 2000}
    found = np.asarray(optimize.minimize(deviance, start, method="Nelder-Mead", options=options).x)
    if len(found) == 3:
        whole = optimize.minimize(
            lambda x: deviance(np.append(x, 1.0)), found[:2], method="Nelder-Mead", options=options
        )
        if whole.fun <= deviance(found):
            return np.append(whole.x, 1.0)
    return found


def _errors(deviance: Deviance, best: NDArray[np.float64]) -> tuple[float, ...]:
    """Standard errors of the coordinates from the curvature; of a share at 1 the way down to a deviance 1 higher."""
    edge = len(best) == 3 and best[2] > 1.0 - _AT_EDGE
    free = best[:2] if edge else best
    steps = np.array([0.05, 0.05, 0.2 * min(best[-1], 1.0 - best[-1])])[: len(free)]
    n = len(free)

    def at(move: NDArray[np.float64]) -> float:
        moved = best.copy()
        moved[:n] += move
        return deviance(moved)

    curvature, eye = np.empty((n, n)), np.diag(steps)
    for i in range(n):
        for j in range(n):
            corners = [at(a * eye[i] + b * eye[j]) for a, b in ((1, 1), (1, -1), (-1, 1), (-1, -1))]
            curvature[i, j] = (corners[0] - corners[1] - corners[2] + corners[3]) / (4 * steps[i] * steps[j])
    covariance = 2.0 * np.linalg.pinv(curvature)
    errors = [float(np.sqrt(max(value, 0.0))) for value in np.diag(covariance)]
    if edge:
        lowest = deviance(best) + 1.0
        ways = np.linspace(0.0, 0.99, 100)
        higher = [deviance(np.append(best[:2], 1.0 - way)) > lowest for way in ways]
        errors.append(float(ways[int(np.argmax(higher))]) if any(higher) else 1.0)
    return tuple(errors)


def _path(fit: DeviceFit) -> _Path:
    edges = np.array([fit.pulses[0], *fit.rtn.steps, fit.pulses[-1] + 1])
    spans = np.diff(edges)
    high_first = int(fit.rtn.starts_high)
    high = int(spans[1 - high_first :: 2].sum())
    n_steps = len(fit.rtn.steps)
    downs = (n_steps + high_first) // 2
    return _Path(int(spans.sum()) - high, high, n_steps - downs, downs, fit.rtn.starts_high, int(spans.sum()))


def _seen(steps: NDArray[np.float64], p_up: float, p_down: float) -> NDArray[np.float64]:
    """P(a transition or more in so many steps)."""
    high = stationary_high_probability(p_up, p_down)
    return np.asarray(np.maximum(1.0 - (1 - high) * (1 - p_up) ** steps - high * (1 - p_down) ** steps, 1e-300))


def _joint_deviance(
    table: NDArray[np.float64], quiet: NDArray[np.float64], n_small: int, p_up: float, p_down: float, share: float
) -> float:
    """-2 ln L of paths, of devices without a transition in so many steps, and of `n_small` that have small steps."""
    total = table.shape[1] * np.log(share) + n_small * np.log(max(1.0 - share, 1e-300))
    if len(quiet):
        total += np.log(1.0 - share * _seen(quiet, p_up, p_down)).sum()
    return _path_deviance(table, p_up, p_down) - 2.0 * float(total)


def _path_deviance(table: NDArray[np.float64], p_up: float, p_down: float) -> float:
    """-2 ln L of paths; `table` has the fields of `_Path` in rows."""
    low, high, ups, downs, starts_high, _ = table
    stationary = stationary_high_probability(p_up, p_down)
    first = np.where(starts_high > 0, stationary, 1.0 - stationary)
    total = np.log(first) + ups * np.log(p_up) + downs * np.log(p_down)
    total += (low - ups) * np.log1p(-p_up) + (high - downs) * np.log1p(-p_down)
    return -2.0 * float(total.sum())
