"""What the user may fix of a fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from weakreset.options import named_options

__all__ = ["FitOptions"]


@named_options
@dataclass(frozen=True)
class FitOptions:
    """What may be fixed by the user.

    Attributes
    ----------
    drift : str
        A key of `weakreset.model.SHAPES`, or "auto": the one with the lowest BIC under one noise (`choose_drift`).
    alpha : float, optional
        Amplitude of the 1/f noise (unit-variance drive, in ln R); estimated unless given.
    exponent : float, optional
        beta of 1/f^beta; estimated from all devices together unless given.
    read_sd : float, optional
        Read noise in ln R; estimated unless given.
    rtn : bool
        Whether to look for telegraph steps.
    mixed_pulses : bool
        Whether pulses of different amplitude or width may be fitted together.
    direction : str
        "reset" where R rises with pulses, "set" where it falls; "auto": what most devices do.
    shared : mapping of str to float, optional
        Numbers of the drift that all devices share (the width of a smooth knee, say); estimated unless given.
    """

    drift: str = "two-slope"
    alpha: float | None = None
    exponent: float | None = None
    read_sd: float | None = None
    rtn: bool = True
    mixed_pulses: bool = False
    direction: str = "auto"
    shared: Mapping[str, float] | None = None
