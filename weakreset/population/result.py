"""The D2D population: a truncated law for each parameter and the noise they share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from weakreset.fitting.result import FitSet, PooledNoise
from weakreset.model import TruncatedLaw

__all__ = ["Candidate", "CorrelationFit", "LawFit", "Population"]


@dataclass(frozen=True)
class Candidate:
    """A family that was tried: AIC (lower is better) and Akaike weight."""

    family: str
    aic: float
    weight: float


@dataclass(frozen=True, eq=False)
class LawFit:
    """The fitted law of one parameter.

    Attributes
    ----------
    parameter : str
    unit : str
    law : TruncatedLaw
    stderr : mapping of str to float
        Of the law's numbers; empty where they could not be computed.
    candidates : tuple of Candidate
        Families compared, best first.
    values : ndarray
        Device estimates that informed the law.
    window : tuple of float
        Interval in which a device's value could be seen at all (for drawing).
    n_devices, n_informative, n_censored : int
    note : str
        What the user should know before trusting it.
    """

    parameter: str
    unit: str
    law: TruncatedLaw
    stderr: Mapping[str, float]
    candidates: tuple[Candidate, ...]
    values: NDArray[np.float64]
    window: tuple[float, float]
    n_devices: int
    n_informative: int
    n_censored: int = 0
    note: str = ""


@dataclass(frozen=True)
class CorrelationFit:
    """Gaussian copula: correlation of normal scores, with the half-width of a 95 % interval."""

    names: tuple[str, ...]
    matrix: NDArray[np.float64]
    half_width: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Population:
    """Everything `export_parameters` needs."""

    drift: str
    laws: Mapping[str, LawFit]
    noise: PooledNoise
    rtn_amplitude: LawFit | None
    rtn_fraction: float | None
    fits: FitSet
    correlation: CorrelationFit | None = None
    defects: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
