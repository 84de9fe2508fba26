"""The D2D population: a truncated law for each parameter and the noise they share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from weakreset.display import Shown, Summary, number, plus_minus
from weakreset.fitting.fit_set import FitSet, PooledNoise
from weakreset.model import TruncatedLaw
from weakreset.parameter_file import NotIdentifiable
from weakreset.traces.lot_sentence import counted_devices

__all__ = [
    "Candidate", "CorrelationFit", "CycleSpread", "GoodnessOfFit", "LawFit", "PairTest", "Population", "positive",
]

_LEAST_EIGENVALUE = 1e-3  # a correlation matrix put together from pairs need not be one: pulled towards the unit matrix


@dataclass(frozen=True)
class Candidate:
    """A family that was tried: AIC (lower is better) and Akaike weight."""

    family: str
    aic: float
    weight: float


@dataclass(frozen=True)
class GoodnessOfFit:
    """A distance of the devices from the law, and how often replicas lie further away."""

    statistic: str
    value: float
    p_value: float
    replicates: int
    method: str

    @property
    def sentence(self) -> str:
        """The result in words."""
        judged = "does not follow this law" if self.p_value < 0.05 else "agrees with this law"
        return f"{judged} (goodness of fit, {self.statistic}: p = {self.p_value:.2g}, {self.replicates} replicas)"


@dataclass(frozen=True, eq=False, repr=False)
class LawFit(Shown):
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
        Device estimates that informed the law, without those averaged over every place a knee may be.
    window : tuple of float
        Interval in which a device's value could be seen at all (for drawing).
    n_devices, n_informative, n_censored : int
    note : str
        What the user should know before trusting it.
    interval : mapping of str to (float, float)
        95 % bootstrap intervals of the law's numbers; empty unless asked for.
    goodness_of_fit : tuple of GoodnessOfFit
        Empty unless asked for, or where it cannot be tested.
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
    interval: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    goodness_of_fit: tuple[GoodnessOfFit, ...] = ()

    def _shown(self) -> Summary:
        name, unit, family, _, median, informed, note = _row(self)
        rows = [
            (number_of, plus_minus(value, self.stderr.get(number_of)), _between(self.interval.get(number_of)))
            for number_of, value in self.law.params.items()
        ]
        return Summary(
            f"LawFit of {name} ({unit or 'no unit'}): {family}, median {median}, informed by {informed}",
            (note,) if note else (), ("number", "value", "95 % interval"), rows,
        )


@dataclass(frozen=True)
class PairTest:
    """Correlation of one pair, and the test of its independence.

    Attributes
    ----------
    names : tuple of str
    correlation, stderr : float
        Of the normal scores.
    interval : tuple of float
        95 %, by Fisher's z.
    p_value, adjusted_p_value : float
        Of the pair alone; and after Holm's correction for all pairs tested.
    rejected : bool
        Independence is rejected: the pair is exported as correlated.
    """

    names: tuple[str, str]
    correlation: float
    stderr: float
    interval: tuple[float, float]
    p_value: float
    adjusted_p_value: float
    rejected: bool


def positive(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """The matrix, pulled towards the unit matrix where it is no matrix of correlations."""
    smallest = float(np.linalg.eigvalsh(matrix)[0])
    if smallest >= _LEAST_EIGENVALUE:
        return matrix
    share = (1.0 - _LEAST_EIGENVALUE) / (1.0 - smallest)
    unit = np.eye(len(matrix))
    return np.asarray(unit + share * (matrix - unit))


@dataclass(frozen=True, eq=False)
class CorrelationFit:
    """Gaussian copula: correlations of the normal scores; NaN where a pair is not identifiable.

    Attributes
    ----------
    names : tuple of str
    matrix, half_width, stderr : ndarray, shape (len(names), len(names))
        Correlation, half the width of its 95 % interval, standard error.
    tests : tuple of PairTest
        Of the pairs that could be tested.
    n_devices : int
    level : float
        Chance that any pair is called correlated when all are independent.
    """

    names: tuple[str, ...]
    matrix: NDArray[np.float64]
    half_width: NDArray[np.float64]
    stderr: NDArray[np.float64]
    tests: tuple[PairTest, ...] = ()
    n_devices: int = 0
    level: float = 0.05

    def significant(self) -> NDArray[np.float64] | None:
        """The matrix with every pair that is not shown to be correlated at zero; None where there is none left.

        Zeroing may leave a matrix that is not positive definite: it is then shrunk towards the identity.
        """
        matrix = np.eye(len(self.names))
        for test in self.tests:
            if test.rejected:
                i, j = (self.names.index(name) for name in test.names)
                matrix[i, j] = matrix[j, i] = test.correlation
        if not any(test.rejected for test in self.tests):
            return None
        return positive(matrix)

    @property
    def sentence(self) -> str:
        """What was tested, and what came out."""
        size = len(self.names)
        found = ", ".join(
            f"{a}-{b} {t.correlation:+.2f} (95 % {t.interval[0]:+.2f} to {t.interval[1]:+.2f})"
            for t in self.tests if t.rejected for a, b in [t.names]
        )
        tested = {t.names for t in self.tests}
        unknown = ", ".join(
            f"{a}-{b}" for i, a in enumerate(self.names) for b in self.names[i + 1 :] if (a, b) not in tested
        )
        return (
            f"correlations (Gaussian copula, {self.n_devices} devices): independence tested for {len(self.tests)} of "
            f"{size * (size - 1) // 2} pairs at a joint level of {self.level:.0%} (Holm); "
            f"rejected for {found or 'none'}; pairs not rejected are written as 0"
            + (f"; not identifiable: {unknown}" if unknown else "")
        )


@dataclass(frozen=True)
class CycleSpread:
    """How far a parameter changes from cycle to cycle of one device.

    Attributes
    ----------
    parameter : str
    scale : str
        "ln": `sd` is that of the logarithm; "linear": of the number itself (c1).
    sd, stderr : float or None
        None where it is not identifiable, or does not stand out; `note` says which.
    device_sd : float or None
        Spread between devices in the same scale, estimated together with it; None with one device.
    n_devices, n_cycles : int
        Cycles in all.
    """

    parameter: str
    scale: str
    sd: float | None
    stderr: float | None
    device_sd: float | None
    n_devices: int
    n_cycles: int
    note: str = ""


@dataclass(frozen=True, eq=False, repr=False)
class Population(Shown):
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
    not_identifiable: Mapping[str, NotIdentifiable] = field(default_factory=dict)
    structure: tuple[str, ...] = ()
    """What dies, wafers and kinds of devices were found, or not; part of `notes`."""
    cycles: Mapping[str, CycleSpread] = field(default_factory=dict)

    direction: str = "reset"
    """"set" where R falls: laws of slopes are then of their sizes."""

    def cycle_sentences(self) -> list[str]:
        """What is known of the spread between cycles, a line a parameter; none where each device has one cycle."""
        return [_cycle_sentence(spread) for spread in self.cycles.values()]

    def _shown(self) -> Summary:
        laws = [*self.laws.values(), *([] if self.rtn_amplitude is None else [self.rtn_amplitude])]
        simulated = " (simulated traces)" if self.fits.traces.simulated else ""
        defects = ", ".join(f"{count} {kind}" for kind, count in self.defects.items())
        falling = ", R falls (SET)" if self.direction == "set" else ""
        return Summary(
            f"Population of {self.fits.counted}, {self.drift} drift{falling}{simulated}",
            (str(self.noise), *([f"defects: {defects}"] if defects else []), *self.cycle_sentences()),
            ("parameter", "unit", "family", "numbers", "median", "informed by", "note"),
            [_row(law) for law in laws] + [
                (name, entry.unit, "not identifiable", "–", "–", f"{entry.n_informative} of {entry.n_devices} devices",
                 entry.note) for name, entry in self.not_identifiable.items()
            ],
            notes=self.notes,
        )


def _cycle_sentence(spread: CycleSpread) -> str:
    start = f"cycle-to-cycle spread of {spread.parameter}"
    if spread.sd is None:
        return f"{start}: {spread.note}"
    size = plus_minus(spread.sd, spread.stderr)
    return f"{start}: sd {size} ({spread.scale}), informed by {counted_devices(spread.n_devices, spread.n_cycles)}"


def _between(interval: tuple[float, float] | None) -> str:
    return "–" if interval is None else f"{number(interval[0])} to {number(interval[1])}"


def _row(fit: LawFit) -> tuple[str, ...]:
    numbers = ", ".join(f"{name} {plus_minus(value, fit.stderr.get(name))}" for name, value in fit.law.params.items())
    informed = f"{fit.n_informative} of {fit.n_devices} devices"
    note = "; ".join(filter(None, [*(test.sentence for test in fit.goodness_of_fit), fit.note]))
    return fit.parameter, fit.unit, fit.law.family, numbers, number(fit.law.median()), informed, note
