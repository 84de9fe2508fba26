"""All kinds of noise by name: ours, those of installed packages, those registered by a program."""

from __future__ import annotations

import copyreg
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import metadata

from weakreset.errors import UsageError
from weakreset.model.noise.growing import GROWING
from weakreset.model.noise.kind import NoiseKind
from weakreset.model.noise.own_pink import OWN_PINK
from weakreset.model.noise.pink import PINK
from weakreset.model.noise.read import READ
from weakreset.model.noise.telegraph import RTN
from weakreset.model.noise.wander import WANDER

__all__ = ["ALL", "D2D", "noise_kind", "noise_kinds", "register_noise", "registered_noise", "withdraw_noise"]

ENTRY_POINT_GROUP = "weakreset.noise_kinds"

ALL, D2D = "all", "d2d"
"""Switches that are no noise, so that no kind may have their name."""

_RESERVED = (ALL, D2D, "blocks", "in_force", "kinds")
_RESERVED_KEYS = ("enabled", "kind", "n_devices", "n_informative", "note", "numbers")
_NAME = re.compile(r"(?!model_)[a-z][a-z0-9_]*")
"""pydantic, which makes the blocks, keeps names with model_ for itself."""

_BUILT_IN = (PINK, RTN, READ, GROWING, WANDER, OWN_PINK)
_registered: dict[str, NoiseKind] = {}


def noise_kinds() -> dict[str, NoiseKind]:
    """All kinds by name, ours first."""
    return {kind.name: kind for kind in (*_BUILT_IN, *_installed(), *_registered.values())}


def noise_kind(name: str) -> NoiseKind:
    """The kind of this name.

    Raises
    ------
    UsageError
        There is none.
    """
    known = noise_kinds()
    if name not in known:
        raise UsageError(f"no kind of noise is called {name!r}: known are {', '.join(known)}; register it first")
    return known[name]


def register_noise(kind: NoiseKind) -> NoiseKind:
    """Make a kind known to this process, after those that are known.

    Raises
    ------
    UsageError
        Its name, or that of one of its numbers, is taken or no name.
    """
    _check(kind, tuple(noise_kinds().values()))
    _registered[kind.name] = kind
    return kind


def withdraw_noise(name: str) -> None:
    """Forget a kind that was registered; files that were loaded with it keep it."""
    _registered.pop(name, None)


@contextmanager
def registered_noise(kind: NoiseKind) -> Iterator[NoiseKind]:
    """A kind that is known inside the `with` only."""
    register_noise(kind)
    try:
        yield kind
    finally:
        withdraw_noise(kind.name)


@cache
def _installed() -> tuple[NoiseKind, ...]:
    found: list[NoiseKind] = []
    for entry in metadata.entry_points(group=ENTRY_POINT_GROUP):
        where = f"entry point {entry.name} = {entry.value}"
        try:
            kind = entry.load()
        except Exception as error:
            raise UsageError(f"{where} cannot be loaded ({error}); mend or uninstall its package") from error
        if not isinstance(kind, NoiseKind):
            raise UsageError(f"{where} is not a NoiseKind but {type(kind).__name__}; mend or uninstall its package")
        _check(kind, (*_BUILT_IN, *found))
        found.append(kind)
    return tuple(found)


def _check(kind: NoiseKind, others: tuple[NoiseKind, ...]) -> None:
    taken = {*_RESERVED, *(other.name for other in others)}
    if not _NAME.fullmatch(kind.name) or kind.name in taken:
        raise UsageError(
            f"a kind of noise cannot be called {kind.name!r}: it needs small letters, digits and _, and "
            f"{', '.join(sorted(taken))} are taken"
        )
    keys = [key for number in kind.numbers for key in (number.name, f"{number.name}_stderr")]
    keys += [key for own in kind.own for key in (own.name, *([own.share.name] if own.share else []))]
    beside = _side_by_side(kind)
    wrong = [key for key in keys if key in _RESERVED_KEYS or keys.count(key) > 1 or not _NAME.fullmatch(key)]
    wrong += [name for name in beside if beside.count(name) > 1 or any(name in _side_by_side(o) for o in others)]
    if wrong:
        names = ", ".join(sorted(set(wrong)))
        raise UsageError(f"noise {kind.name!r}: the name of a number is taken or no name: {names}")


def _side_by_side(kind: NoiseKind) -> list[str]:
    return [*(kind.known_as(number) for number in kind.numbers), *kind.columns]


# sent to other processes by name: functions of strangers cannot be pickled
copyreg.pickle(NoiseKind, lambda kind: (noise_kind, (kind.name,)))
