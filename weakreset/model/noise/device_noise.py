"""The noise of a technology as devices have it: the numbers of each kind, off where a kind is switched off."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from weakreset.model.noise.kind import NoiseKind
from weakreset.model.noise.registry import noise_kinds

__all__ = ["DeviceNoise"]


class DeviceNoise:
    """Noise shared by all devices of a technology.

    Parameters
    ----------
    *values, **numbers : float
        Numbers by the name they have side by side, or in that order: alpha (standard deviation of the white noise that
        drives the 1/f filter, in ln R), exponent (beta of 1/f^beta), p_up, p_down (telegraph switching probabilities
        per pulse), read_sd (white noise of each read, in ln R), and KIND_NAME of kinds from elsewhere. A kind none of
        whose numbers is given is off.

    Raises
    ------
    TypeError
        For a number that no kind has, or one given twice.

    Notes
    -----
    Numbers are attributes: `noise.alpha`.
    """

    def __init__(self, *values: float, **numbers: float) -> None:
        kinds = noise_kinds().values()
        names = [kind.known_as(number) for kind in kinds for number in kind.numbers]
        given = dict(zip(names, values, strict=False))
        if len(values) > len(names) or set(given) & set(numbers) or set(numbers) - set(names):
            raise TypeError(f"noise has the numbers {', '.join(names)}, once each")
        given |= numbers
        parts = {}
        for kind in kinds:
            off = {n.name: n.off if n.off is not None else n.default or 0.0 for n in kind.numbers}
            mine = {n.name: given[kind.known_as(n)] for n in kind.numbers if kind.known_as(n) in given}
            if mine or kind.in_every_file:
                parts[kind] = off | mine
        self._parts: Mapping[NoiseKind, Mapping[str, float]] = parts

    @classmethod
    def of(cls, parts: Mapping[NoiseKind, Mapping[str, float]]) -> DeviceNoise:
        """From the numbers of each kind."""
        made = cls.__new__(cls)
        made._parts = dict(parts)
        return made

    def audible(self) -> Iterator[tuple[NoiseKind, Mapping[str, float]]]:
        """Kinds that make noise, with their numbers."""
        return ((kind, numbers) for kind, numbers in self._parts.items() if not kind.silent(numbers))

    def to_dict(self) -> dict[str, float]:
        """All numbers by the name they have side by side."""
        return {
            kind.known_as(number): numbers[number.name]
            for kind, numbers in self._parts.items() for number in kind.numbers
        }

    def __getattr__(self, name: str) -> float:
        numbers = self.to_dict() if "_parts" in self.__dict__ else {}
        if name not in numbers:
            raise AttributeError(f"noise has no {name!r}: it has {', '.join(numbers)}")
        return numbers[name]

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, DeviceNoise) and self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash(tuple(self.to_dict().items()))

    def __repr__(self) -> str:
        return f"DeviceNoise({', '.join(f'{name}={value!r}' for name, value in self.to_dict().items())})"
