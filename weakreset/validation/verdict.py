"""What a validation says: one check a line, and the whole in a sentence."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["FALSE_ALARM_RATE", "Check", "Envelope", "Verdict"]

Array = NDArray[np.float64]

FALSE_ALARM_RATE = 0.05
"""Share of data sets from a true model that may fail, over all checks together."""


@dataclass(frozen=True)
class Check:
    """One comparison of the measured set with its replicas.

    Attributes
    ----------
    name : str
    statistic : float
        What was ranked among the replicas: the larger, the worse.
    p_value : float
        Share of replicas (the measured set among them) at least as far off.
    p_corrected : float
        Corrected for the number of checks (Westfall and Young, step-down).
    passed : bool
        p_corrected > 0.05.
    sentence : str
    measured, low, high : float
        The figure behind the check where it deviates most, and the interval that holds 95 % of the replicas.
    """

    name: str
    statistic: float
    p_value: float
    p_corrected: float
    passed: bool
    sentence: str
    measured: float
    low: float
    high: float

    def to_dict(self) -> dict[str, Any]:
        return {item.name: getattr(self, item.name) for item in fields(self)}


@dataclass(frozen=True, eq=False)
class Envelope:
    """Quantiles of ln(R/R0) over devices against pulses, measured and simulated.

    Attributes
    ----------
    pulses : ndarray of int, shape (n,)
    levels : tuple of float
        Probabilities, e.g. 0.05 .. 0.95.
    measured : ndarray, shape (n_levels, n)
    low, middle, high : ndarray, shape (n_levels, n)
        2.5 %, 50 % and 97.5 % of the replicas.
    n_devices : ndarray of int, shape (n,)
        Devices read at each pulse count.
    """

    pulses: NDArray[np.int64]
    levels: tuple[float, ...]
    measured: Array
    low: Array
    middle: Array
    high: Array
    n_devices: NDArray[np.int64]

    def to_dict(self) -> dict[str, Any]:
        content: dict[str, Any] = {"levels": list(self.levels)}
        for name in ("pulses", "n_devices", "measured", "low", "middle", "high"):
            content[name] = getattr(self, name).tolist()
        return content


@dataclass(frozen=True, eq=False)
class Verdict:
    """The outcome of `validate`.

    Attributes
    ----------
    passed : bool
        No check failed after correction.
    checks : tuple of Check
    sentence : str
    skipped : tuple of str
        Checks that these traces do not allow, each with the reason.
    n_devices, n_excluded : int
        Devices compared, and devices left out before (they are not part of the comparison).
    n_excluded_readings : int
        Single readings left out of devices that were kept.
    n_replicas, n_simulated : int
        Replicas drawn, and distinct simulated devices they were drawn from.
    seed : int
    envelope : Envelope
    simulated : bool
        The traces themselves were simulated.
    """

    passed: bool
    checks: tuple[Check, ...]
    sentence: str
    skipped: tuple[str, ...]
    n_devices: int
    n_excluded: int
    n_excluded_readings: int
    n_replicas: int
    n_simulated: int
    seed: int
    envelope: Envelope
    params_name: str = ""
    simulated: bool = False

    @property
    def failed(self) -> tuple[Check, ...]:
        """Checks that did not pass."""
        return tuple(check for check in self.checks if not check.passed)

    def to_dict(self) -> dict[str, Any]:
        """JSON-able; without NaN."""
        plain = {item.name: getattr(self, item.name) for item in fields(self)}
        plain["checks"] = [check.to_dict() for check in self.checks]
        plain["skipped"] = list(self.skipped)
        plain["envelope"] = self.envelope.to_dict()
        return plain
