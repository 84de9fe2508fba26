"""Rule 1: how numbers are written: thousands, decimal commas, encodings."""

from __future__ import annotations

import numpy as np

from tests.lab_files.bench import Bench, digits, kind, long_sheet
from tests.lab_files.case import Case
from tests.lab_files.lot import Lot
from tests.lab_files.sheet import TEXT, Sheet


def _grouped(value: float, mark: str, decimals: int = 0) -> str:
    return f"{value:,.{decimals}f}".replace(",", "\0").replace(".", "," if mark == "." else ".").replace("\0", mark)


def _printed(bench: Bench, cell: object, decimals: int, level: float, factor: float = 1.0) -> tuple[Lot, Sheet]:
    lot = bench.lot(level_ohm=level)
    lot = Lot(lot.names, lot.pulses, np.round(lot.ohm * factor, decimals) / factor)
    return lot, long_sheet(lot, "resistance_ohm" if factor == 1 else "resistance_kohm", lambda ohm: cell(ohm * factor))


@kind("thousands that may be decimals", 1, ("tab",))
def _(bench: Bench) -> Case:
    mark = bench.pick([".", ","])
    lot, sheet = _printed(bench, lambda v: _grouped(v, mark), 0, 41_000)
    words = r"(?i)thousand|\d{4,}.{1,40}\d\d[.,]\d"
    return Case(bench.write(sheet), None, must_refuse=words, ways=[lot.readings()])


@kind("thousands with two marks or decimals", 1, ("csv", "tab", "semicolon", "xlsx"))
def _(bench: Bench) -> Case:
    mark, decimals, level = bench.pick([(",", 0, 5e6), (",", 1, 4.1e4), (".", 0, 5e6), (".", 1, 4.1e4)])
    lot, sheet = _printed(bench, lambda v: _grouped(v, mark, decimals), decimals, level)
    return Case(bench.write(sheet), lot.readings())


@kind("thousands marked by a space or an apostrophe", 1, ("csv", "tab", "semicolon", "xlsx"))
def _(bench: Bench) -> Case:
    mark = bench.pick([" ", "'", "\u00a0", "\u202f"])
    lot, sheet = _printed(bench, lambda v: f"{v:,.0f}".replace(",", mark), 0, 41_000)
    return Case(bench.write(sheet), lot.readings())


@kind("thousands in a comma-separated file", 1, ("csv",))
def _(bench: Bench) -> Case:
    lot, sheet = _printed(bench, lambda v: f"{v:,.0f}", 0, 41_000)
    return Case(bench.write(sheet), lot.readings())


@kind("three decimals that are no thousands", 1, TEXT)
def _(bench: Bench) -> Case:
    mark = "," if bench.reader == "semicolon" else "."
    lot, sheet = _printed(bench, lambda v: f"{v:.3f}".replace(".", mark), 3, 41_000, 1e-3)
    return Case(bench.write(sheet), lot.readings())


@kind("decimal commas", 1, ("semicolon", "tab", "csv"))
def _(bench: Bench) -> Case:
    lot, sheet = _printed(bench, lambda v: f"{v:.2f}".replace(".", ","), 2, 4_000)
    return Case(bench.write(sheet), lot.readings())


@kind("decimal points between semicolons", 1, ("semicolon", "tab"))
def _(bench: Bench) -> Case:
    lot = bench.lot()
    return Case(bench.write(long_sheet(lot), decimal_comma=False), lot.readings())


@kind("byte order mark and Windows line ends", 1, TEXT)
def _(bench: Bench) -> Case:
    lot = bench.lot()
    encoding = bench.pick(["utf-8-sig", "utf-16"])
    sheet = long_sheet(lot, "R (kohm)", digits(1e-3))
    return Case(bench.write(sheet, newline="\r\n", encoding=encoding), lot.readings())
