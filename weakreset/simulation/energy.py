"""What RESET pulses cost, when the parameter file says how long and how strong they are.

A pulse of V volt and w seconds on R ohm costs V^2 w / R. A burst of n is charged n times the mean of that before and
after it; R is the resistance as read, so the non-linearity of the device at V is not in it. SET is not counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from weakreset.simulation.drift import exponential

if TYPE_CHECKING:
    from weakreset.simulation.device_array import DeviceArray

__all__ = ["energy_counted"]


@contextmanager
def energy_counted(array: DeviceArray) -> Iterator[None]:
    """Add the cost of the pulses given inside to `array.energy_j`; nothing where the file has no `reset_pulse`."""
    if array.energy_j is None:
        yield
        return
    log_r, count = array.log_resistance(), array.pulse_count
    yield
    conductance = exponential(-log_r).add_(exponential(-array.log_r)).mul_(0.5)  # the same bits for any split
    array.energy_j += (array.pulse_count - count) * conductance * array.joule_ohm
