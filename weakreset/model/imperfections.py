"""The imperfections of devices, a row each: its switch, its words, how it is switched off, how large it is.

D2D, and every kind of noise. `without`, the activity in a training, the conditions of a study, the help of the
commands and the report all read this.
"""

from __future__ import annotations

from dataclasses import dataclass

from weakreset.errors import UsageError
from weakreset.model.noise.kind import NoiseKind, Statistic
from weakreset.model.noise.registry import ALL, D2D, noise_kinds

__all__ = ["D2D", "Imperfection", "check_without", "imperfections", "switches"]


@dataclass(frozen=True, eq=False)
class Imperfection:
    """One thing that keeps devices from being ideal.

    Attributes
    ----------
    name : str
        Its switch: `without="rtn"`, condition "without rtn".
    label : str
        In sentences.
    activity : tuple of Statistic
        How large it is in simulated devices.
    noise : NoiseKind, optional
        None for D2D, which a study takes away by scaling the spread to zero.
    in_all : bool
        Whether "all" stands for it too.
    """

    name: str
    label: str
    activity: tuple[Statistic, ...]
    noise: NoiseKind | None = None
    in_all: bool = True


_D2D = Imperfection(
    D2D, "D2D",
    (Statistic(D2D, "standard deviation of ln R0 between devices", "standard deviation", lambda seen: seen.spread),),
)


def imperfections() -> dict[str, Imperfection]:
    """All rows by name: D2D, then the kinds of noise."""
    rows = [_D2D]
    rows += [
        Imperfection(kind.name, kind.label, kind.activity or (), kind, kind.in_all)
        for kind in noise_kinds().values()
    ]
    return {row.name: row for row in rows}


def check_without(without: tuple[str, ...] | list[str] | str) -> tuple[str, ...]:
    """Normalise a choice of imperfections to switch off; 'all' stands for each of those of the devices.

    Raises
    ------
    UsageError
        For a name that is not one of `imperfections()`, or all.
    """
    names = [part.strip() for part in without.split(",")] if isinstance(without, str) else list(without)
    names = [name for name in names if name]
    rows = imperfections()
    unknown = [name for name in names if name not in (*rows, ALL)]
    if unknown:
        raise UsageError(f"cannot switch off {', '.join(unknown)}: choose from {switches()}")
    return tuple(name for name, row in rows.items() if name in names or (ALL in names and row.in_all))


def switches() -> str:
    """The names to choose from, in words: for messages and the help of the commands."""
    rows = imperfections()
    beside = [name for name, row in rows.items() if not row.in_all]
    besides = f" ({' and '.join(beside)} not among them)" if beside else ""
    return f"{', '.join(rows)}, {ALL}{besides}"
