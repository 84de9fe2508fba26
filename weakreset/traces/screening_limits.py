"""The limits of screening, as an object and as people write them."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, fields, replace

from weakreset.errors import UsageError
from weakreset.options import named_options
from weakreset.traces.ramps import WAYS

__all__ = ["ScreeningLimits"]


@named_options
@dataclass(frozen=True)
class ScreeningLimits:
    """When a device is not used.

    A device that opens or shorts midway is cut there, and counts as a defect.

    Parameters
    ----------
    open_ohm : float
        Open: the median resistance is above this, or jumps above it for good.
    short_ohm : float
        Short: the median resistance is below this, or falls below it, or to a tenth of R0, for good.
    stuck : bool
        Stuck: all reads are exactly equal.
    min_reads : int
        Fewer reads than this are too few for a fit.
    min_last_pulse : int
        Early stop: the trace ends before this pulse. Off (0) by default: a trace that ends early still says much
        about its drift, and leaving out devices that reach a target soon would bias the population.
    padded_reads : int
        Padded: a trace that ends in this many equal reads or more, and in three times more than it repeats anywhere
        before, was stopped and filled up with copies. The copies are left out, the trace is kept. 0 switches it off.
    set_ratio : float
        Looks like a SET: the resistance falls from one read to the next to less than this share, and the median of the
        next 5 reads stays there. Reads from the fall on are left out, the trace before it is kept. 0 switches it off.
    overflow_ohm : float
        Overflow: single reads above this are left out, the device is kept. 0 switches it off.
    glitch_decades : float
        Glitch: single reads further than this from the reads before and after them are left out, the device is kept.
        0 switches it off.
    far_decades : float
        Short or stuck beside the others: the whole trace stays this many decades or more (and six standard deviations
        of the set) below or above the median of at least 10 traces, and hardly moves. 0 switches it off; so
        does reading in parts.
    split_sets : bool
        Instead of being left out, reads after such a fall are a new cycle that begins with pulse 0.
    split_ramps : str
        Traces that rise and fall in turn under one counter are excluded ("no"), or each ramp that rises ("reset") or
        falls ("set") is a cycle that begins with pulse 0.

    Raises
    ------
    UsageError
        A limit that makes no sense.
    """

    open_ohm: float = 1e7
    short_ohm: float = 10.0
    stuck: bool = True
    min_reads: int = 30
    min_last_pulse: int = 0
    padded_reads: int = 10
    set_ratio: float = 0.5
    overflow_ohm: float = 1e11
    glitch_decades: float = 0.7
    far_decades: float = 1.0
    split_sets: bool = False
    split_ramps: str = "no"

    def __post_init__(self) -> None:
        if not 0 <= self.short_ohm < self.open_ohm:
            raise UsageError(f"short_ohm {self.short_ohm:g} must be from 0 up and below open_ohm {self.open_ohm:g}")
        for name in ("min_reads", "min_last_pulse", "padded_reads"):
            if getattr(self, name) < 0:
                raise UsageError(f"{name} {getattr(self, name)} must not be negative")
        for name in ("overflow_ohm", "glitch_decades", "far_decades"):
            if not getattr(self, name) >= 0:
                raise UsageError(f"{name} {getattr(self, name)} must not be negative")
        if not 0 <= self.set_ratio < 1:
            raise UsageError(f"set_ratio {self.set_ratio:g} must be from 0 up and below 1")
        if self.split_ramps not in WAYS:
            raise UsageError(f"split_ramps {self.split_ramps!r} must be one of {', '.join(WAYS)}")

    def __str__(self) -> str:
        return ", ".join(f"{item.name}={_plain(getattr(self, item.name))}" for item in fields(self))

    @staticmethod
    def parse(text: str) -> ScreeningLimits:
        """Limits written as `open_ohm=1e8,min_reads=20,stuck=no`; those not named stay as they are.

        Raises
        ------
        UsageError
            An unknown name (the nearest is suggested), or a value that is not a number or yes/no.
        """
        defaults = {item.name: item.default for item in fields(ScreeningLimits)}
        given: dict[str, object] = {}
        for part in filter(None, (part.strip() for part in text.split(","))):
            name, sign, value = (piece.strip() for piece in part.partition("="))
            if name not in defaults or not sign:
                near = difflib.get_close_matches(name, defaults, n=1)
                hint = f"did you mean {near[0]}? " if near else ""
                raise UsageError(f"--limits {part}: {hint}limits are {ScreeningLimits()}")
            given[name] = _value(name, value, defaults[name])
        return replace(ScreeningLimits(), **given)  # type: ignore[arg-type]


def _plain(value: float | str) -> str:
    if isinstance(value, str):
        return value
    return ("yes" if value else "no") if isinstance(value, bool) else f"{value:g}"


def _value(name: str, text: str, default: object) -> object:
    if isinstance(default, str):
        return text.lower()
    try:
        if isinstance(default, bool):
            return {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}[text.lower()]
        return int(text) if isinstance(default, int) else float(text)
    except (KeyError, ValueError):
        kind = "yes or no" if isinstance(default, bool) else "a number"
        raise UsageError(f"--limits {name}={text}: give {kind}") from None
