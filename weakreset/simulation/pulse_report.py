"""What one update did to the devices, in numbers that add up."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["PulseReport"]


@dataclass(frozen=True)
class PulseReport:
    """What one update did.

    Attributes
    ----------
    pulses : int
        RESET pulses given.
    devices : int
        Devices that received any.
    flips : int
        Weights whose sign changed.
    bursts : int
        Bursts that the pulses came in, a comparison of the pair after each.
    stuck : int
        Pairs that did not turn within the bursts that they were allowed; of recipes that program and verify.
    sets : int
        Devices that were SET, a comparison of the pair after each.
    measured : int
        Pairs of which not only the sign was read, but how far apart they are.
    """

    pulses: int = 0
    devices: int = 0
    flips: int = 0
    bursts: int = 0
    stuck: int = 0
    sets: int = 0
    measured: int = 0

    @property
    def reads(self) -> int:
        """Looks at a pair: comparisons and measurements."""
        return self.bursts + self.sets + self.measured

    def __add__(self, other: PulseReport) -> PulseReport:
        return PulseReport(
            self.pulses + other.pulses, self.devices + other.devices, self.flips + other.flips,
            self.bursts + other.bursts, self.stuck + other.stuck, self.sets + other.sets,
            self.measured + other.measured,
        )

    @staticmethod
    def one_burst_each(pulses: int, devices: int, flips: int) -> PulseReport:
        return PulseReport(pulses, devices, flips, bursts=devices)
