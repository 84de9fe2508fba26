"""What the devices of a file do over pulses: quantiles of their drift, in ohm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from weakreset.errors import ParameterFileError
from weakreset.model import SHAPES
from weakreset.parameter_file.draw import draw_devices
from weakreset.parameter_file.schema import ParameterFile

__all__ = ["DriftBand", "drift_band", "usual_pulses"]

_DEVICES, _POINTS = 400, 121
_WITHOUT_KNEE = 1000
_LEVELS = (0.05, 0.5, 0.95)
_ROUND = (1, 3, 10, 30, 100, 300, 1000, 3000, 10_000, 30_000, 100_000)


@dataclass(frozen=True, eq=False)
class DriftBand:
    """Quantiles over devices of what drift alone makes of the resistance.

    Attributes
    ----------
    pulses : ndarray of int64, shape (n,)
        0, the fresh device, to the last.
    ohm : ndarray, shape (3, n)
        5, 50 and 95 % of the devices.
    change : ndarray, shape (3, n)
        ln(R/R0), the same quantiles.
    """

    pulses: NDArray[np.int64]
    ohm: NDArray[np.float64]
    change: NDArray[np.float64]

    def at_round_pulses(self) -> list[int]:
        """Indices of the fresh device, of 1, 3, 10, ... pulses, and of the last."""
        wanted = {0, *_ROUND, int(self.pulses[-1])}
        return [i for i, pulse in enumerate(self.pulses.tolist()) if pulse in wanted]


def usual_pulses(params: ParameterFile) -> int:
    """As many as the traces behind the file had; else twice the median knee; else 1000."""
    knee = params.parameters.get(SHAPES[params.model].knee)
    if params.provenance.longest_pulse:
        return params.provenance.longest_pulse
    return _WITHOUT_KNEE if knee is None else max(10, round(2.0 * knee.law().median()))


def drift_band(params: ParameterFile, n_pulses: int | None = None, seed: int = 0) -> DriftBand:
    """Quantiles of 400 devices drawn from the file.

    Raises
    ------
    ParameterFileError
        A law that shows within `n_pulses` is not identifiable; or numbers of the file overflow.
    """
    last = usual_pulses(params) if n_pulses is None else n_pulses
    devices = draw_devices(params.settled(last), _DEVICES, np.random.default_rng(seed))
    # evenly for a curve, and the round ones for the table
    pulses = np.unique([*np.rint(np.linspace(0, last, _POINTS)).astype(np.int64), *(n for n in _ROUND if n < last)])
    with np.errstate(over="ignore", invalid="ignore"):
        change = devices.mean_log_ratio(np.maximum(pulses, 1))  # the drift is defined from pulse 1 on
        change[:, pulses == 0] = 0.0  # w(0) = 0
        ohm = devices.r0_ohm[:, None] * np.exp(change)
    if not np.isfinite(ohm).all():
        raise ParameterFileError(f"{params.name}: its devices leave all bounds within {last} pulses")
    return DriftBand(pulses, np.quantile(ohm, _LEVELS, axis=0), np.quantile(change, _LEVELS, axis=0))
