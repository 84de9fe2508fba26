"""Fits of many devices in columns: a `DeviceFit` is made when it is asked for.

A fit without its arrays is some forty numbers and a few words: 5 kB as Python objects, 0.3 kB in an array of doubles.
Fits of one kind (the same shape, status, number of telegraph steps) differ in nothing but the numbers: what they
share, the `form`, is kept once.
"""

from __future__ import annotations

import heapq
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from weakreset.fitting.draws_file import DrawsFile
from weakreset.fitting.likelihood_draws import LikelihoodDraws
from weakreset.fitting.result import DeviceFit
from weakreset.model import DriftShape

__all__ = [
    "DRAWS_KEPT", "FitRows", "changed", "device_names", "drawn", "joined", "likelihood_at", "taken", "those",
]

DRAWS_KEPT = 20_000
"""Devices whose likelihood is kept (5 kB each): those of the lowest fingerprints, which is as good as drawn at random.

Laws are fitted to the first `most_devices` of that order, 2,000 unless more are asked for.
"""

_BLOCK = 1024
"""Fits whose numbers stand in one array: a single one would be copied as it grows, and leave holes of its size."""

_NUMBER, _FLOAT, _WORDS, _MAP, _ROW, _ARRAY, _MADE, _SAME = range(8)
_APART = ("device", "parent", "fingerprint", "draws")
_REST = tuple(f.name for f in fields(DeviceFit) if f.name not in _APART)


class FitRows(Sequence[DeviceFit]):
    """Fits in columns, in the order they were added; those that hold their trace stay whole.

    Parameters
    ----------
    fits : iterable of DeviceFit, optional
    most_draws : int
        Likelihoods that are kept.
    on_disk : bool
        Keep all of them, in a file (3 kB each).
    """

    def __init__(
        self, fits: Iterable[DeviceFit] = (), most_draws: int = DRAWS_KEPT, on_disk: bool = False
    ) -> None:
        self._store = _Store(DrawsFile() if on_disk else _LowestDraws(most_draws))
        self._rows: NDArray[np.intp] | None = None
        self._change: Callable[[DeviceFit], DeviceFit] | None = None
        for fit in fits:
            self.append(fit)

    def append(self, fit: DeviceFit) -> None:
        """Keep a fit behind the others; not in a view that `taken` made."""
        if self._rows is not None:
            raise TypeError("these are some of the fits of others: add to those")
        self._store.append(fit)

    def taken(self, numbers: Sequence[int] | NDArray[np.intp]) -> FitRows:
        """The fits at these places, in this order; no fit is copied."""
        part = FitRows()
        part._store, part._rows, part._change = self._store, self._at(np.asarray(numbers, dtype=np.intp)), self._change
        return part

    def changed(self, change: Callable[[DeviceFit], DeviceFit]) -> FitRows:
        """The fits as `change` has them, each when it is asked for."""
        part, before = self.taken(np.arange(len(self))), self._change
        part._change = change if before is None else lambda fit: change(before(fit))
        return part

    @property
    def on_disk(self) -> bool:
        """Whether the likelihood of every device is kept."""
        return isinstance(self._store.draws, DrawsFile)

    def likelihood(self, index: int) -> LikelihoodDraws | None:
        """Of the fit at this place, without making the fit."""
        return self._store.likelihood(int(self._at(np.array([index]))[0]))

    def names(self) -> list[str]:
        """Of every fit, without making the fits."""
        return [self._store.device[i] for i in self._at(np.arange(len(self)))]

    def fingerprints(self) -> list[bytes]:
        """Of every fit, without making the fits."""
        return [self._store.fingerprint[i] for i in self._at(np.arange(len(self)))]

    def device_names(self) -> set[str]:
        """Of the devices, however many cycles each has, without making the fits."""
        return {self._store.parent[i] or self._store.device[i] for i in self._at(np.arange(len(self)))}

    def drawn(self) -> FitRows:
        """The fits whose likelihood was kept."""
        stored = self._at(np.arange(len(self))).tolist()
        return self.taken([place for place, number in enumerate(stored) if self._store.has_draws(number)])

    def _at(self, numbers: NDArray[np.intp]) -> NDArray[np.intp]:
        return numbers if self._rows is None else self._rows[numbers]

    def __len__(self) -> int:
        return len(self._store) if self._rows is None else len(self._rows)

    @overload
    def __getitem__(self, index: int) -> DeviceFit: ...
    @overload
    def __getitem__(self, index: slice) -> FitRows: ...
    def __getitem__(self, index: int | slice) -> DeviceFit | FitRows:
        if isinstance(index, slice):
            return self.taken(np.arange(len(self))[index])
        if not -len(self) <= index < len(self):
            raise IndexError(f"fit {index} of {len(self)}")
        return self._made(int(self._at(np.array([index % len(self)]))[0]))

    def __iter__(self) -> Iterator[DeviceFit]:
        return (self._made(i) for i in self._at(np.arange(len(self))).tolist())

    def _made(self, number: int) -> DeviceFit:
        fit = self._store.fit(number)
        return fit if self._change is None else self._change(fit)


def taken(fits: Sequence[DeviceFit], numbers: Sequence[int]) -> Sequence[DeviceFit]:
    """The fits at these places: in columns where they were in columns."""
    return fits.taken(numbers) if isinstance(fits, FitRows) else [fits[i] for i in numbers]


def those(fits: Sequence[DeviceFit], wanted: Callable[[DeviceFit], object]) -> Sequence[DeviceFit]:
    """The fits for which `wanted` is true: a list of them would hold every fit."""
    return taken(fits, [i for i, fit in enumerate(fits) if wanted(fit)])


def likelihood_at(fits: Sequence[DeviceFit], index: int) -> LikelihoodDraws | None:
    """Of the fit at this place."""
    return fits.likelihood(index) if isinstance(fits, FitRows) else fits[index].draws


def changed(fits: Sequence[DeviceFit], change: Callable[[DeviceFit], DeviceFit]) -> Sequence[DeviceFit]:
    """Every fit as `change` has it, its likelihood as it was; nothing but the fit may decide."""
    return fits.changed(change) if isinstance(fits, FitRows) else [change(fit) for fit in fits]


def device_names(fits: Sequence[DeviceFit]) -> set[str]:
    """Of the devices, however many cycles each has."""
    return fits.device_names() if isinstance(fits, FitRows) else {fit.of_device for fit in fits}


def drawn(fits: Sequence[DeviceFit]) -> Sequence[DeviceFit]:
    """The fits whose likelihood is known; of many devices the others are not made for the question."""
    return fits.drawn() if isinstance(fits, FitRows) else [fit for fit in fits if fit.draws is not None]


def joined(fits: Sequence[DeviceFit], more: Sequence[DeviceFit]) -> Sequence[DeviceFit]:
    """All fits, `more` behind the others."""
    if not isinstance(fits, FitRows):
        return (*fits, *more)
    if not more:
        return fits
    together = FitRows(fits, on_disk=fits.on_disk)
    for fit in more:
        together.append(fit)
    return together


class _LowestDraws:
    """Likelihoods of the lowest fingerprints: which they are, neither order nor names of the devices decide."""

    def __init__(self, most: int) -> None:
        self._most, self._seen = most, 0
        self._draws: dict[int, LikelihoodDraws] = {}
        self._last: list[tuple[bytes, int]] = []  # a heap, the highest fingerprint first

    def append(self, draws: LikelihoodDraws, fingerprint: bytes) -> int:
        """Keep it, in the place of another one where there are enough; its number."""
        number, self._seen = self._seen, self._seen + 1
        self._draws[number] = draws
        item = (bytes(255 - byte for byte in fingerprint), number)
        if len(self._draws) <= self._most:
            heapq.heappush(self._last, item)
        else:
            del self._draws[heapq.heappushpop(self._last, item)[1]]
        return number

    def __contains__(self, number: int) -> bool:
        return number in self._draws

    def __getitem__(self, number: int) -> LikelihoodDraws | None:
        return self._draws.get(number)


class _Store:
    """Columns: numbers of all fits one behind the other, the number of each one's form, names and fingerprints."""

    def __init__(self, draws: DrawsFile | _LowestDraws) -> None:
        self.device: list[str] = []
        self.parent: list[str] = []
        self.fingerprint: list[bytes] = []
        self.draws = draws
        self._numbers: list[array[float]] = []
        self._starts = array("q")
        self._form_of, self._forms, self._known = array("i"), list[Any](), dict[Any, int]()
        self._whole: dict[int, DeviceFit] = {}
        self._draws_of = array("q")  # number among `draws`, -1 for none

    def __len__(self) -> int:
        return len(self.device)

    def append(self, fit: DeviceFit) -> None:
        number = len(self)
        if not number % _BLOCK:
            self._numbers.append(array("d"))
        self._starts.append(len(self._numbers[-1]))
        self.device.append(fit.device)
        self.parent.append(fit.device if fit.parent == fit.device else fit.parent)
        self.fingerprint.append(fit.fingerprint)
        self._draws_of.append(-1 if fit.draws is None else self._kept(fit.draws, fit.fingerprint))
        if len(fit.log_ratio):
            self._whole[number] = replace(fit, draws=None)
            form: Any = None
        else:
            form = tuple(_form(getattr(fit, name), self._numbers[-1]) for name in _REST)
        if form not in self._known:
            self._known[form] = len(self._forms)
            self._forms.append(form)
        self._form_of.append(self._known[form])

    def _kept(self, draws: LikelihoodDraws, fingerprint: bytes) -> int:
        if isinstance(self.draws, DrawsFile):
            return self.draws.append(draws)
        return self.draws.append(draws, fingerprint)

    def likelihood(self, number: int) -> LikelihoodDraws | None:
        at = self._draws_of[number]
        return None if at < 0 else self.draws[at]

    def has_draws(self, number: int) -> bool:
        return self._draws_of[number] in self.draws

    def fit(self, number: int) -> DeviceFit:
        draws = self.likelihood(number)
        if number in self._whole:
            return replace(self._whole[number], draws=draws)
        last = number + 1 == len(self) or not (number + 1) % _BLOCK
        block = self._numbers[number // _BLOCK]
        numbers = iter(block[self._starts[number] : len(block) if last else self._starts[number + 1]])
        parts = self._forms[self._form_of[number]]
        known = {name: _value(part, numbers) for name, part in zip(_REST, parts, strict=True)}
        return DeviceFit(
            device=self.device[number], parent=self.parent[number], fingerprint=self.fingerprint[number], draws=draws,
            **known,
        )


def _form(value: Any, numbers: array[float]) -> Any:
    """What a value is but for its numbers, which are put behind `numbers`."""
    if isinstance(value, float):
        numbers.append(value)
        return _FLOAT
    if value is None or isinstance(value, bool | str | Enum | DriftShape):
        return (_SAME, value)
    if isinstance(value, np.generic):
        return _form(value.item(), numbers)
    if isinstance(value, int) and abs(value) < 1 << 53:
        numbers.append(value)
        return _NUMBER
    if isinstance(value, np.ndarray):
        numbers.extend(value.ravel().tolist())
        return (_ARRAY, value.dtype.str, value.shape)
    if isinstance(value, Mapping):
        return (_MAP, tuple(value), tuple(_form(item, numbers) for item in value.values()))
    if isinstance(value, tuple):
        return (_ROW, tuple(_form(item, numbers) for item in value))
    if is_dataclass(value) and not isinstance(value, type):
        return (_MADE, type(value), tuple(_form(getattr(value, f.name), numbers) for f in fields(value)))
    raise TypeError(f"a fit without its arrays holds no {type(value).__name__}")


def _value(form: Any, numbers: Iterator[float]) -> Any:
    """The value of this form, with the next numbers."""
    if form == _FLOAT:
        return next(numbers)
    if form == _NUMBER:
        return int(next(numbers))
    kind, *about = form
    if kind == _SAME:
        return about[0]
    if kind == _ARRAY:
        n = int(np.prod(about[1]))
        return np.array([next(numbers) for _ in range(n)], dtype=about[0]).reshape(about[1])
    if kind == _MAP:
        return {name: _value(part, numbers) for name, part in zip(*about, strict=True)}
    if kind == _ROW:
        return tuple(_value(part, numbers) for part in about[0])
    return about[0](*(_value(part, numbers) for part in about[1]))
