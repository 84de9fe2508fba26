"""What a fit of one device says, and of many."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from weakreset.traces import TraceSet

if TYPE_CHECKING:
    import pandas as pd
    from lmfit.model import ModelResult

__all__ = ["DeviceFit", "Estimate", "FitSet", "FitStatus", "NoiseFit"]


class FitStatus(str, Enum):
    """May the numbers of this device be trusted? The value is for tables, `sentence` for people."""

    OK = "ok"
    KNEE_UNRESOLVED = "beyond_or_undetected"
    TOO_SHORT = "too_short"
    NOT_CONVERGED = "not_converged"
    EXCLUDED = "excluded"

    @property
    def sentence(self) -> str:
        return _SENTENCES[self]


_SENTENCES = {
    FitStatus.OK: "The two slopes and the knee are resolved.",
    FitStatus.KNEE_UNRESOLVED: "No knee can be told from noise: it lies beyond the trace or is too faint. "
    "t_star and m2 are not identifiable; m1 is the slope of the whole trace.",
    FitStatus.TOO_SHORT: "Too few reads for a fit.",
    FitStatus.NOT_CONVERGED: "The optimizer did not converge; do not use these numbers.",
    FitStatus.EXCLUDED: "Left out of the fit before it began; see the reason.",
}


@dataclass(frozen=True)
class Estimate:
    """A number with its uncertainty; `value` None means not identifiable, and `status` says why."""

    value: float | None
    stderr: float | None = None
    low: float | None = None
    high: float | None = None
    status: str = "ok"


@dataclass(frozen=True)
class NoiseFit:
    """Noise of one device, or pooled over a set (then `n_devices` > 1)."""

    alpha: float | None
    exponent: float | None
    rtn_amplitude: float | None = None
    rtn_steps: tuple[int, ...] = ()
    rtn_status: str = "not detected"
    p_up: float | None = None
    p_down: float | None = None
    read_sd: float = 0.0
    alpha_stderr: float | None = None
    exponent_stderr: float | None = None
    n_devices: int = 1
