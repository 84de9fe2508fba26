"""The kinds of lab files: a registry, and the bench on which a file of a kind is made."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from tests.lab_files import sheet as sheets
from tests.lab_files.case import Case
from tests.lab_files.lot import Lot, make_lot
from tests.lab_files.sheet import Cell, Sheet

T = TypeVar("T")
Maker = Callable[["Bench"], Case]


@dataclass(frozen=True)
class Kind:
    """A kind of file, the rule of reading it shows, and the formats that can hold it."""

    name: str
    rule: int
    readers: tuple[str, ...]
    make: Maker


KINDS: dict[str, Kind] = {}


def kind(name: str, rule: int, readers: Sequence[str]) -> Callable[[Maker], Maker]:
    """Register a maker of files."""

    def register(make: Maker) -> Maker:
        if name in KINDS:
            raise ValueError(f"two kinds are called {name!r}")
        KINDS[name] = Kind(name, rule, tuple(readers), make)
        return make

    return register


@dataclass
class Bench:
    """Where one file is made: folder, format, and a generator of its own."""

    folder: Path
    reader: str
    rng: np.random.Generator

    @classmethod
    def of(cls, name: str, reader: str, seed: int, folder: Path) -> Bench:
        return cls(folder, reader, np.random.default_rng([seed, zlib.crc32(f"{name} {reader}".encode())]))

    def pick(self, options: Sequence[T]) -> T:
        """One of them."""
        return options[int(self.rng.integers(len(options)))]

    def lot(self, **keywords: Any) -> Lot:
        return make_lot(self.rng, **keywords)

    def write(self, sheet: Sheet, stem: str = "lot", **keywords: Any) -> Path:
        return sheets.write(self.folder, keywords.pop("reader", self.reader), sheet, stem, **keywords)


def make(name: str, reader: str, seed: int, folder: Path) -> Case:
    """A file of this kind; the same seed gives the same file."""
    folder.mkdir(parents=True, exist_ok=True)
    return KINDS[name].make(Bench.of(name, reader, seed, folder))


def long_sheet(
    lot: Lot, reading: str = "resistance_ohm", value: Callable[[float], Cell] = float, *,
    device: str = "device", pulse: str = "pulse", cycle: str = "", **extra: list[Cell],
) -> Sheet:  # fmt: skip
    """A row a read: device, [cycle,] pulse, reading."""
    rows = list(lot.rows())
    names, columns = [], []
    if device:
        names.append(device)
        columns.append([lot.names[i] for i, _, _ in rows])
    if cycle:
        names.append(cycle)
        columns.append([c for _, c, _ in rows])
    names += [pulse, reading]
    columns += [[int(lot.pulses[k]) for _, _, k in rows], [value(lot.ohm[i, c, k]) for i, c, k in rows]]
    return Sheet(names + list(extra), columns + list(extra.values()))


def wide_sheet(
    lot: Lot, names: Sequence[str], value: Callable[[float], Cell] = float, pulse: str = "pulse"
) -> Sheet:
    """A column a device, a row a pulse; without a column of pulses where `pulse` is ''."""
    columns: list[list[Cell]] = [[value(ohm) for ohm in lot.ohm[i, 0]] for i in range(lot.n)]
    if not pulse:
        return Sheet(list(names), columns)
    return Sheet([pulse, *names], [[int(number) for number in lot.pulses], *columns])


def digits(factor: float) -> Callable[[float], float]:
    """Times a factor, nine digits."""
    return lambda ohm: float(f"{ohm * factor:.9g}")


def inverse(factor: float) -> Callable[[float], float]:
    """`factor` by ohm: a conductance or a current, nine digits."""
    return lambda ohm: float(f"{factor / ohm:.9g}")
