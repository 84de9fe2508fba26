"""Which devices a fit never sees, drawn device by device: the same whether all traces are there or come in parts."""

from __future__ import annotations

import numpy as np

from weakreset.errors import TraceError

__all__ = ["HoldOut"]


class HoldOut:
    """A share of the devices, one drawn out of every 1/fraction in the order in which they come.

    A device is decided on once, with all its cycles, in whatever parts they come.

    Parameters
    ----------
    fraction : float
        Above 0 and below 1.
    seed : int or numpy.random.Generator

    Raises
    ------
    TraceError
        The fraction is no share.
    """

    def __init__(self, fraction: float, seed: int | np.random.Generator) -> None:
        if not 0 < fraction < 1:
            raise TraceError(f"a fraction of {fraction} of the devices leaves no devices on one side; give 0.2, say")
        self.fraction = fraction
        self._rng = np.random.default_rng(seed)
        self._drawn = 0
        self._next = self._draw(-1)
        self._decided: dict[str, bool] = {}

    def _draw(self, before: int) -> int:
        """Number of the next device to hold out: one of the next 1/fraction, and not the one before."""
        place = int((self._drawn + self._rng.random()) / self.fraction)
        self._drawn += 1
        return max(place, before + 1)

    def holds(self, device: str) -> bool:
        """Whether the device is kept out of the fit; the order in which devices are first asked for counts."""
        if device not in self._decided:
            number = len(self._decided)
            self._decided[device] = number == self._next
            if number == self._next:
                self._next = self._draw(number)
        return self._decided[device]

    @property
    def held(self) -> list[str]:
        """The devices kept out so far."""
        return [device for device, held in self._decided.items() if held]

    def check(self) -> None:
        """To be called after the last part.

        Raises
        ------
        TraceError
            No device is held out, or none is left to fit.
        """
        if not 0 < len(self.held) < len(self._decided):
            raise TraceError(
                f"a fraction of {self.fraction} of {len(self._decided)} devices leaves no devices on one side; "
                "give another fraction, or more devices"
            )
