"""What a fit says of one device."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from weakreset.display import Shown, Summary, number, plus_minus
from weakreset.fitting.rtn_fit import RtnFit
from weakreset.fitting.whitening import Averaged, NoiseColour, NoiseProfile
from weakreset.model import DriftShape
from weakreset.traces import PulseTrace

if TYPE_CHECKING:
    from weakreset.fitting.likelihood_draws import LikelihoodDraws

__all__ = ["DeviceFit", "Estimate", "FitStatus", "ResidualCheck", "r0_estimate"]

Array = NDArray[np.float64]


class FitStatus(str, Enum):
    """May the numbers of a device be trusted? The value is for tables, `sentence` for people."""

    OK = "ok"
    KNEE_UNRESOLVED = "beyond_or_undetected"
    WRONG_DRIFT = "drift_not_described"
    RESTLESS = "telegraph_beyond_search"
    NOT_CONVERGED = "not_converged"
    EXCLUDED = "excluded"

    @property
    def sentence(self) -> str:
        return _SENTENCES[self]


_SENTENCES = {
    FitStatus.OK: "The knee stands out from the noise; a slope may still be zero within its error.",
    FitStatus.KNEE_UNRESOLVED: "No knee stands out from the noise: it lies beyond the trace or is too faint. "
    "Knee and second slope are not identifiable; first slope and offset are averaged over every place the knee may be.",
    FitStatus.WRONG_DRIFT: "The drift shape does not describe the trace: its numbers are those of the nearest curve of "
    "that shape, not of the device. Fit another shape (`--drift auto`).",
    FitStatus.RESTLESS: "More telegraph steps than the search follows: what it found does not describe the noise, and "
    "no number of the device can be told from it. Measure fewer pulses, or read more often.",
    FitStatus.NOT_CONVERGED: "The optimizer did not converge. Do not use these numbers.",
    FitStatus.EXCLUDED: "Excluded before the fit, for the reason given.",
}


@dataclass(frozen=True)
class Estimate:
    """A number with its uncertainty. `value` None means not identifiable, and `status` says why."""

    value: float | None
    stderr: float | None = None
    low: float | None = None
    high: float | None = None
    status: str = "ok"

    @classmethod
    def normal(cls, value: float, stderr: float, status: str = "ok") -> Estimate:
        """With the 95 % interval of a normal error."""
        return cls(value, stderr, value - 1.96 * stderr, value + 1.96 * stderr, status)

    def __str__(self) -> str:
        if self.value is None:
            return f"not identifiable ({self.status})"
        return f"{self.value:.4g}" + (f" +- {self.stderr:.2g}" if self.stderr is not None else "")


@dataclass(frozen=True)
class ResidualCheck:
    """What the residuals of one device say of its fit (`residual_check`).

    Attributes
    ----------
    inflation : mapping of str to float
        By lmfit parameter: the sandwich's standard error over the assumed one.
    scores : ndarray, shape (len(residual_check.CONTRASTS),)
        Standard normal where the shape holds; NaN where the contrast cannot be told from the fit's own numbers.
    against_shape : bool
        Whether the device does what no numbers of the shape can: a slope that grows, a rise that turns into a fall.
    blocks : mapping of str to float
        What blocks of residuals alone say of the inflation.
    slow : tuple of ndarray
        Sums of squares of the residuals in the slowest bands of frequency, and their degrees of freedom.
    """

    inflation: Mapping[str, float]
    scores: Array
    against_shape: bool = False
    blocks: Mapping[str, float] = field(default_factory=dict)
    slow: tuple[Array, Array] = field(default_factory=lambda: (np.zeros(0), np.zeros(0)))


@dataclass(frozen=True, eq=False, repr=False)
class DeviceFit(Shown):
    """The fit of one trace.

    Attributes
    ----------
    device : str
        `PulseTrace.key` of the trace.
    status : FitStatus
    estimates : mapping of str to Estimate
        By drift parameter name, and r0_ohm.
    drift : DriftShape
    pulses, log_ratio : ndarray
        What was fitted: pulses >= 1 and ln(R/R0).
    numbers : mapping of str to float
        Best-fit drift numbers, for drawing curves even where they are not identifiable.
    rtn : RtnFit
    alpha : float or None
        Amplitude of the 1/f noise of this device alone.
    result : lmfit.minimizer.MinimizerResult or None
        The lmfit result: parameters, stderr, correlations, covariance.
    white_residuals : ndarray or None
        Residuals after whitening, in units of alpha: white and of unit variance if the model holds.
    knee_lr : float
        Likelihood ratio 2*delta(ln L) of a knee against none.
    knee_profile : tuple of two ndarrays, or None
        Candidate knees and their posterior probability (or relative likelihood).
    first_read_ohm : float
        First resistance of the trace, the reference of ln(R/R0).
    excluded_because : str
    fitted_as : str
        Drift shape lmfit really fitted: `single-slope` where no knee stands out.
    exponent, read_ratio, alpha_used
        Colour and amplitude of the noise the fit assumed; `exponent` None is white noise.
    deviance : float
        -2 ln of the likelihood at its maximum, noise included.
    n_numbers : int
        Numbers fitted to this device: drift and telegraph steps.
    inflation : mapping of str to float
        How much larger than the model's the standard errors are that the residuals show, by lmfit parameter; values
        above one were applied.
    n_reads : int
        Reads that were fitted; of a fit from `fit_stream` without its arrays, `pulses` has the first and the last.
    fingerprint : bytes
        Digest of pulses and readings, the same whatever the device is called.
    check : ResidualCheck or None
        What its residuals say of the fit.
    parent : str
        The device where `device` names one of its cycles; '' where that is the device. See `of_device`.
    set_aside : tuple of int
        Pulses whose reads stand alone, far from those around them: the fit takes them as missing.
    noise_ratio : float or None
        Noise of this device over that of most, where it stands far off; it is then no part of the pooled noise.
    averaged : Averaged or None
        Which reads of a very long trace are means of several.
    profile : NoiseProfile or None
        How the noise of the set changes along its traces.
    wander : float
        Variance by which the baseline walks a pulse, in units of alpha^2.
    draws : LikelihoodDraws or None
        The whole likelihood of the device, for the population.
    """

    device: str
    status: FitStatus
    estimates: Mapping[str, Estimate]
    drift: DriftShape
    pulses: NDArray[np.int64]
    log_ratio: Array
    numbers: Mapping[str, float]
    rtn: RtnFit = field(default_factory=RtnFit)
    alpha: float | None = None
    result: Any = None
    white_residuals: Array | None = None
    knee_lr: float = 0.0
    knee_profile: tuple[Array, Array] | None = None
    first_read_ohm: float = math.nan
    excluded_because: str = ""
    fitted_as: str = ""
    exponent: float | None = None
    read_ratio: float = 0.0
    alpha_used: float = 1.0
    draws: LikelihoodDraws | None = None
    deviance: float = math.nan
    n_numbers: int = 0
    inflation: Mapping[str, float] = field(default_factory=dict)
    n_reads: int = 0
    fingerprint: bytes = b""
    check: ResidualCheck | None = None
    parent: str = ""
    set_aside: tuple[int, ...] = ()
    noise_ratio: float | None = None
    averaged: Averaged | None = None
    profile: NoiseProfile | None = None
    wander: float = 0.0

    @property
    def of_device(self) -> str:
        """Name of the device, the same for all its cycles."""
        return self.parent or self.device

    @property
    def knee(self) -> Estimate | None:
        """Where the drift bends; None where the shape has no knee or the device does not show it."""
        estimate = self.estimates.get(self.drift.knee)
        return None if estimate is None or estimate.value is None else estimate

    @property
    def colour(self) -> NoiseColour:
        """Of the noise that the fit assumed."""
        return NoiseColour(self.exponent, self.read_ratio, self.averaged, self.profile, self.wander)

    def drift_at(self, pulses: NDArray[np.int64]) -> Array:
        """Fitted drift, without telegraph noise."""
        return self.drift.value(pulses, *(self.numbers[name] for name in self.drift.parameters))

    def curve(self, pulses: NDArray[np.int64] | None = None) -> Array:
        """Fitted drift plus telegraph states."""
        at = self.pulses if pulses is None else pulses
        return self.drift_at(at) + self.rtn.offset(at) + self.grown(at, self.rtn.growth)

    def grown(self, pulses: NDArray[np.int64], growth: float) -> Array:
        """What telegraph noise adds besides, where A grows to A (1 + growth ln(R/R0)); never below nothing."""
        if not growth or not self.rtn.steps:
            return np.zeros(len(pulses))
        offset = self.rtn.offset(pulses)
        level = offset - min(float(self.rtn.offset(self.pulses).min()), 0.0)
        return np.asarray(level * (np.maximum(1.0 + growth * self.drift_at(pulses), 0.0) - 1.0))

    @property
    def residuals(self) -> Array:
        """What drift and telegraph noise leave: 1/f and read noise."""
        return np.asarray(self.log_ratio - self.curve())

    def _shown(self) -> Summary:
        units = {**self.drift.units, "r0_ohm": "ohm"}
        rows = [
            (name, units.get(name, ""), plus_minus(found.value, found.stderr), _interval(found), found.status)
            for name, found in self.estimates.items()
        ]
        if self.numbers:
            rows.append(("alpha", "ln R", number(self.alpha), "", "1/f noise of this device alone"))
            telegraph = plus_minus(self.rtn.amplitude, self.rtn.amplitude_stderr)
            steps = f"{self.rtn.status}, {len(self.rtn.steps)} steps"
            rows.append(("rtn_amplitude", "ln R", telegraph, "", steps))
        return Summary(
            f"DeviceFit of {self.device}: {self.status.value}, {self.drift.name} drift, {len(self.pulses)} reads",
            (self.excluded_because or self.status.sentence,), ("number", "unit", "value", "95 %", "status"), rows,
        )

    def row(self) -> dict[str, Any]:
        """The device's row of DEVICES.csv."""
        estimate = self.estimates.get
        missing = Estimate(None, status=self.status.value)
        row: dict[str, Any] = {"device": self.device, "status": self.status.value}
        row["n_pulses"] = int(self.pulses[-1]) if len(self.pulses) else 0
        row["r0_ohm"] = (estimate("r0_ohm") or missing).value
        for name in self.drift.parameters:
            value = estimate(name) or missing
            row[name] = value.value
            if name == self.drift.knee:
                row |= {f"{name}_lo": value.low, f"{name}_hi": value.high, f"{name}_status": value.status}
            else:
                row[f"{name}_stderr"] = value.stderr
            if name == self.drift.nonnegative:
                row[f"{name}_status"] = value.status
        row |= {
            "alpha": self.alpha,
            "rtn_amplitude": self.rtn.amplitude,
            "rtn_steps": " ".join(map(str, self.rtn.steps)),
            "rtn_status": self.rtn.status if self.status is not FitStatus.EXCLUDED else "",
            "excluded_because": self.excluded_because,
        }
        return row


def _interval(estimate: Estimate) -> str:
    if estimate.low is None or estimate.high is None:
        return ""
    return f"{number(estimate.low, 3)} to {number(estimate.high, 3)}"


def r0_estimate(trace: PulseTrace) -> Estimate:
    """R0 as read, or not identifiable."""
    if trace.r0_ohm is None:
        return Estimate(None, status="not measured: only r0_ohm*exp(c1) is identified")
    return Estimate(trace.r0_ohm)
