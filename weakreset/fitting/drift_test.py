"""Does the drift's shape describe the set? A test over devices, with its false-alarm rate.

For each contrast of `residual_check` the devices' scores are averaged; under the right shape the mean is zero whatever
the noise, so t = mean / (sd / sqrt(n)) follows Student's law with n - 1 degrees of freedom. The shape is rejected where
the smallest p, corrected for the number of contrasts (Bonferroni), lies below `LEVEL`, and the mean score is large
enough to matter.

A knee is searched for, so it sits where the noise happens to bend the trace most sharply, and the scores of a right
shape lean a little to the side of a sharper knee. In noise as it is fitted by about 0.1 of a standard deviation; in
noise that grows along the trace, whose late reads decide more than they tell, by up to `LEAN`. A mean on that side
counts from there on, so that the false-alarm rate holds in such noise too. Wrong shapes (round, saturating, three
slopes, a fast start) lie on the other side.

For few devices each device's own scores are looked at, corrected in the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from weakreset.fitting.residual_check import CONTRASTS

__all__ = ["LEAN", "LEVEL", "DriftTest", "drift_test"]

LEVEL = 1e-3
"""False-alarm rate of the test over a set, and of the test of a device."""

LEAN = 0.6
"""Mean score of right shapes on the side of a sharp knee, in standard deviations of a device: the largest of 12 sets
of 80 simulated devices whose noise grows with time or with R."""

_LEAST_DEVICES = 6  # a mean over fewer is one odd device
_MATTERS = 0.5  # of a standard error of a device: a bend that is sure but smaller moves no number


@dataclass(frozen=True)
class DriftTest:
    """Verdict on the shape.

    Attributes
    ----------
    drift : str
    n_devices : int
        Devices whose scores counted: those with a visible knee, or all where the shape has none.
    mean_scores : tuple of float
        Mean score of each contrast, in standard deviations of one device.
    p_value : float
        Of the worst contrast, corrected for their number.
    reason : str
        What the devices do instead; empty where the shape holds.
    wrong_devices : tuple of str
        Devices whose own scores reject the shape.
    way : str
        What to do about it, for people.
    """

    drift: str
    n_devices: int
    mean_scores: tuple[float, ...]
    p_value: float
    reason: str
    wrong_devices: tuple[str, ...] = ()
    way: str = ""

    @property
    def holds(self) -> bool:
        return not self.reason

    @property
    def sentence(self) -> str:
        """What the test says, for people; empty where nothing speaks against the shape."""
        if not self.holds:
            return (
                f"The {self.drift} drift does not describe these devices: {self.reason} (mean score "
                f"{max(self.mean_scores, key=abs):+.1f} over {self.n_devices} devices, p = {self.p_value:.1g} after "
                f"correction; 0.1 % of right shapes fail). No device is `ok`. {self.way}"
            )
        if self.wrong_devices:
            shown = ", ".join(self.wrong_devices[:5]) + (", ..." if len(self.wrong_devices) > 5 else "")
            return (
                f"The {self.drift} drift does not describe {len(self.wrong_devices)} devices ({shown}), though it does "
                f"the others: their status says so (0.1 % of right devices are called wrong). {self.way}"
            ).rstrip()
        return ""


def drift_test(drift: str, devices: Sequence[str], scores: Sequence[NDArray[np.float64]], sharp: int = 0) -> DriftTest:
    """Test of a set whose `devices` have these scores of the contrasts.

    Parameters
    ----------
    drift : str
    devices : sequence of str
    scores : sequence of ndarray, shape (len(CONTRASTS),)
        `ResidualCheck.scores`.
    sharp : int
        Sign of the scores of a knee that is sharper than the shape's; 0 where the shape has no knee of one sign.
    """
    n = len(scores)
    none = tuple(0.0 for _ in CONTRASTS)
    if not n:
        return DriftTest(drift, 0, none, 1.0, "")
    table = np.stack(scores)
    wrong = _wrong_devices(devices, table)
    if n < _LEAST_DEVICES:
        return DriftTest(drift, n, none, 1.0, "", wrong)
    means, p_values = np.full((2, len(CONTRASTS)), np.nan)
    for j, column in enumerate(table.T):
        known = column[np.isfinite(column)]
        if len(known) >= _LEAST_DEVICES:
            means[j] = known.mean()
            error = max(float(known.std(ddof=1)), 1e-12) / np.sqrt(len(known))
            beyond = max(0.0, abs(means[j]) - (LEAN if means[j] * sharp > 0 else 0.0))
            p_values[j] = 2.0 * special.stdtr(len(known) - 1, -beyond / error)
    matters = np.where(np.abs(means) >= _MATTERS, p_values, 1.0)
    matters[~np.isfinite(matters)] = 1.0
    worst = int(matters.argmin())
    p_value = float(min(1.0, matters[worst] * len(CONTRASTS)))
    reason = CONTRASTS[worst] if p_value < LEVEL else ""
    return DriftTest(drift, n, tuple(map(float, np.nan_to_num(means))), p_value, reason, wrong)


def _wrong_devices(devices: Sequence[str], scores: NDArray[np.float64]) -> tuple[str, ...]:
    """Devices whose largest score is beyond what `LEVEL` allows."""
    limit = -float(special.ndtri(0.5 * LEVEL / len(CONTRASTS)))
    largest = np.nan_to_num(np.abs(scores), nan=0.0).max(axis=1)
    return tuple(name for name, score in zip(devices, largest, strict=True) if score > limit)
