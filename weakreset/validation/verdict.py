"""What a validation says: one check a line, and the whole in a sentence."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from weakreset.display import Shown, Summary
from weakreset.traces.lot_sentence import counted_devices
from weakreset.validation.bands import Distribution, Envelope, Spectrum

__all__ = ["FALSE_ALARM_RATE", "Check", "Figure", "Verdict"]

FALSE_ALARM_RATE = 0.05
"""Share of data sets from a true model that may fail, over all checks together."""


@dataclass(frozen=True)
class Figure:
    """A figure of the measured set and the interval that holds 95 % of the replicas; `place` is where it was taken."""

    place: str
    measured: float
    low: float
    high: float


@dataclass(frozen=True)
class Check:
    """One comparison of the measured set with its replicas.

    Attributes
    ----------
    name : str
    statistic : float
        What was ranked among the replicas, in standard deviations of them: the larger, the worse.
    p_value : float
        Share of replicas (the measured set among them) at least as far off.
    p_corrected : float
        Corrected for the number of checks (Westfall and Young, step-down).
    passed : bool
        p_corrected > 0.05.
    sentence : str
    measured, low, high : float
        The figure behind the check where it deviates most, and the interval that holds 95 % of the replicas.
    figures : tuple of Figure
        All figures behind the check.
    distance : bool
        The figures are distances: only large ones speak against the model.
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
    figures: tuple[Figure, ...] = ()
    distance: bool = False

    @property
    def expected(self) -> str:
        """What 95 % of the replicas have there, in words."""
        return f"below {self.high:.3g}" if self.distance else f"{self.low:.3g} to {self.high:.3g}"

    def row(self) -> tuple[str, ...]:
        """Name, outcome, p, p corrected, measured, what replicas have."""
        outcome = "passed" if self.passed else "failed"
        return (
            self.name, outcome, f"{self.p_value:.3f}", f"{self.p_corrected:.3f}", f"{self.measured:.3g}", self.expected
        )

    def to_dict(self) -> dict[str, Any]:
        return {item.name: getattr(self, item.name) for item in fields(self)} | {
            "figures": [asdict(figure) for figure in self.figures]
        }


@dataclass(frozen=True, eq=False, repr=False)
class Verdict(Shown):
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
    n_cycles : int
        Traces compared: as many as devices, or more where devices have several cycles.
    n_replicas, n_simulated : int
        Replicas drawn, and distinct simulated devices they were drawn from.
    seed : int
    envelope : Envelope
    spectrum : Spectrum or None
        None where the traces are too short.
    distributions : tuple of Distribution
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
    spectrum: Spectrum | None = None
    distributions: tuple[Distribution, ...] = ()
    n_cycles: int = 0

    @property
    def counted(self) -> str:
        """What was compared, in words: `5 devices`, or `5 devices, 40 cycles`."""
        return counted_devices(self.n_devices, self.n_cycles)

    @property
    def failed(self) -> tuple[Check, ...]:
        """Checks that did not pass."""
        return tuple(check for check in self.checks if not check.passed)

    def _shown(self) -> Summary:
        simulated = " (simulated traces)" if self.simulated else ""
        return Summary(
            f"Verdict: {'passed' if self.passed else 'failed'}, {self.params_name} against {self.counted}"
            f"{simulated}, {self.n_replicas} replicas",
            (self.sentence,),
            ("check", "outcome", "p", "p corrected", "measured", "replicas (95 %)"),
            [check.row() for check in sorted(self.checks, key=lambda check: check.passed)],
            notes=(*(f"{check.name}: {check.sentence}" for check in self.failed),
                   *(f"Not checked: {reason}" for reason in self.skipped)),
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON-able; without NaN."""
        plain = {item.name: getattr(self, item.name) for item in fields(self)}
        plain["checks"] = [check.to_dict() for check in self.checks]
        plain["skipped"] = list(self.skipped)
        plain["envelope"] = self.envelope.to_dict()
        plain["spectrum"] = None if self.spectrum is None else self.spectrum.to_dict()
        plain["distributions"] = [item.to_dict() for item in self.distributions]
        return plain

    def summary(self) -> dict[str, Any]:
        """What is stored into a parameter file: the verdict and each check, without the curves."""
        whole = self.to_dict()
        for name in ("envelope", "spectrum", "distributions"):
            whole.pop(name)
        for check in whole["checks"]:
            check.pop("figures")
        return whole
