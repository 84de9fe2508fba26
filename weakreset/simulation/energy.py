"""What RESET pulses cost, when the parameter file says how long and how strong they are.

A pulse of V volt and w seconds on R ohm costs V^2 w / R. A burst of n is charged n times the mean of that before and
after it; R is the resistance as read, so the non-linearity of the device at V is not in it. SET is not counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor

from weakreset.simulation.drift import exponential
from weakreset.simulation.moving_rows import log_r_of, state_of

__all__ = ["energy_counted"]


@contextmanager
def energy_counted(energy_j: Tensor | None, moving: Tensor, joule_ohm: float) -> Iterator[None]:
    """Add the cost of the pulses given inside to `energy_j`; nothing where it is None: the file has no `reset_pulse`.

    `moving` holds the rows of the devices (see `moving_rows`), `joule_ohm` is V^2 w.
    """
    if energy_j is None:
        yield
        return
    log_r, count = log_r_of(moving).clone(), state_of(moving) >> 1  # copies: the pulses inside write over both
    yield
    # trapezium rule over the burst: E = n V^2 w (1/R before + 1/R after) / 2
    conductance = exponential(-log_r).add_(exponential(-log_r_of(moving))).mul_(0.5)  # the same bits for any split
    energy_j += ((state_of(moving) >> 1) - count) * conductance * joule_ohm
