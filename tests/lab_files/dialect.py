"""Text tables in any dialect: a population, and the choices of the one who saves it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tests.lab_files.case import Case
from tests.lab_files.lot import Key, Lot, Readings, make_lot

OPTIONS: dict[str, tuple[Any, ...]] = {
    "layout": ("long", "cycles", "wide", "by row", "pairs", "no pulses"),
    "unit": ("ohm", "kohm", "kOhm", "MOhm", "kΩ", "uS", "S", "A", "none", "kilo-ohms", "kOhmz"),
    "unit_place": ("brackets", "parentheses", "suffix", "second line", "comment", "column"),
    "separator": (",", ";", "\t"),
    "decimal": (".", ","),
    "digits": (".6g", ".7E", ".9g"),
    "preamble": ("", "comment", "pairs of words", "empty lines", "sep=", "full width"),
    "sentinel": ("", "9.91E+37", "1E38", "1.99999E+101", "OVLD", "NaN", "0"),
    "device_word": ("device", "Device ID", "cell", "DUT", "Device #"),
    "pulse_word": ("pulse", "Pulse No", "n_pulses", "Pulse #", "PulseNum", "No. of pulses"),
    "reading_word": ("resistance", "R", "R_read", "Read resistance"),
    "order": ("plain", "reversed", "shuffled"),
    "trailing": ("", "empty", "elapsed_ms", "T_degC", "MIN"),
    "step": (1, 10),
    "first": (0, 1),
    "bom": (False, True),
    "crlf": (False, True),
    "last_line_end": (True, False),
}
"""The first choice of each is the plain one."""
PLAIN = {name: options[0] for name, options in OPTIONS.items()}
QUANTITY = {"uS": ("Conductance", 1e6), "S": ("Conductance", 1.0), "A": ("I_read", 0.2)}
SCALE = {"ohm": 1.0, "none": 1.0, "MOhm": 1e-6}


@dataclass
class Page:
    """A table before it is written: cells are texts with a decimal point, `keys` say which cell is which reading."""

    before: list[list[str]]
    header: list[str]
    units: list[str] | None
    rows: list[list[str]]
    keys: dict[tuple[int, int], Key]
    truth: Readings
    left_out: dict[Key, str] = field(default_factory=dict)
    may_miss: set[Key] = field(default_factory=set)
    whole_device: dict[str, str] = field(default_factory=dict)
    optional: set[Key] = field(default_factory=set)
    must_refuse: str = ""


def unit_of(choices: dict[str, Any]) -> tuple[str, Callable[[float], float]]:
    """Word of the reading, and ohm -> number in the file."""
    unit = choices["unit"]
    if unit in QUANTITY:
        word, factor = QUANTITY[unit]
        return word, lambda ohm: factor / ohm
    scale = SCALE.get(unit, 1e-3)
    return choices["reading_word"], lambda ohm: ohm * scale


def settle(choices: dict[str, Any]) -> dict[str, Any]:
    """The choices, less what cannot go together."""
    settled = dict(choices)
    layout = settled["layout"]
    if settled["separator"] == ",":
        settled["decimal"] = "."
    if layout not in ("long", "cycles"):
        settled["unit_place"] = "brackets" if settled["unit_place"] == "column" else settled["unit_place"]
        settled["unit"] = "kohm" if settled["unit"] == "A" else settled["unit"]
    if layout == "no pulses":
        settled |= {"step": 1, "first": 0, "trailing": ""}
    if layout == "by row":
        settled["trailing"] = "" if settled["trailing"] != "empty" else "empty"
    if layout == "pairs":
        settled["order"] = "plain"
    if settled["unit"] == "kΩ":
        settled["unit_place"] = "brackets" if settled["unit_place"] == "suffix" else settled["unit_place"]
    if settled["unit"] in ("kilo-ohms", "kOhmz") and settled["unit_place"] == "suffix":
        settled["unit_place"] = "brackets"
    if settled["unit"] == "none":
        settled["unit_place"] = "brackets"
    return settled


def population(choices: dict[str, Any], rng: np.random.Generator, prefix: str = "D") -> Lot:
    """A small lot with the pulses of the dialect."""
    k = int(rng.integers(36, 44))
    pulses = choices["first"] + choices["step"] * np.arange(k)
    cycles = 3 if choices["layout"] == "cycles" else 1
    lot = make_lot(rng, n=int(rng.integers(2, 5)), cycles=cycles, pulses=pulses, prefix=prefix)
    _, convert = unit_of(choices)
    shown = [float(format(convert(ohm), choices["digits"])) for ohm in lot.ohm.ravel()]
    return Lot(lot.names, lot.pulses, np.array([_as_ohm(v, choices) for v in shown]).reshape(lot.ohm.shape))


def _as_ohm(number: float, choices: dict[str, Any]) -> float:
    unit = choices["unit"]
    return QUANTITY[unit][1] / number if unit in QUANTITY else number / SCALE.get(unit, 1e-3)


def page_of(choices: dict[str, Any], lot: Lot, rng: np.random.Generator) -> Page:
    """The table of a lot in this dialect, before its text is written."""
    word, convert = unit_of(choices)
    cell = lambda ohm: format(convert(ohm), choices["digits"])  # noqa: E731
    layout = choices["layout"]
    named = {"long": _long, "cycles": _long, "wide": _wide, "by row": _by_row, "pairs": _pairs, "no pulses": _no_pulses}
    page, readings = named[layout](choices, lot, word, cell)
    _unit(page, choices, readings)
    _trailing(page, choices, lot)
    _preamble(page, choices)
    _columns_in_order(page, choices, rng)
    if choices["sentinel"]:
        sprinkle(page, choices["sentinel"], rng)
    if choices["unit"] == "kOhmz":
        page.must_refuse = "."
    return page


def _new(header: list[str], rows: list[list[str]], keys: dict[tuple[int, int], Key], lot: Lot) -> Page:
    return Page([], header, None, rows, keys, lot.readings())


def _long(choices: dict[str, Any], lot: Lot, word: str, cell: Any) -> tuple[Page, list[int]]:
    header = [choices["device_word"], choices["pulse_word"], word]
    rows, keys = [], {}
    for i, c, k in lot.rows():
        keys[len(rows), 2] = (lot.names[i], c, int(lot.pulses[k]))
        rows.append([lot.names[i], str(lot.pulses[k]), cell(lot.ohm[i, c, k])])
    page = _new(header, rows, keys, lot)
    if choices["layout"] == "cycles":
        add_column(page, "cycle", [str(c) for _, c, _ in lot.rows()])
    if choices["unit"] == "A":
        add_column(page, "V_read [V]", ["0.2"] * len(rows))
    return page, [2]


def _wide(choices: dict[str, Any], lot: Lot, word: str, cell: Any) -> tuple[Page, list[int]]:
    rows = [[str(lot.pulses[k]), *(cell(lot.ohm[i, 0, k]) for i in range(lot.n))] for k in range(lot.k)]
    keys = {(k, 1 + i): (lot.names[i], 0, int(lot.pulses[k])) for k in range(lot.k) for i in range(lot.n)}
    return _new([choices["pulse_word"], *lot.names], rows, keys, lot), list(range(1, 1 + lot.n))


def _no_pulses(choices: dict[str, Any], lot: Lot, word: str, cell: Any) -> tuple[Page, list[int]]:
    rows = [[cell(lot.ohm[i, 0, k]) for i in range(lot.n)] for k in range(lot.k)]
    keys = {(k, i): (lot.names[i], 0, int(lot.pulses[k])) for k in range(lot.k) for i in range(lot.n)}
    return _new(list(lot.names), rows, keys, lot), list(range(lot.n))


def _by_row(choices: dict[str, Any], lot: Lot, word: str, cell: Any) -> tuple[Page, list[int]]:
    rows = [[lot.names[i], *(cell(ohm) for ohm in lot.ohm[i, 0])] for i in range(lot.n)]
    keys = {(i, 1 + k): (lot.names[i], 0, int(lot.pulses[k])) for k in range(lot.k) for i in range(lot.n)}
    header = [choices["device_word"], *(f"pulse {pulse}" for pulse in lot.pulses)]
    return _new(header, rows, keys, lot), list(range(1, 1 + lot.k))


def _pairs(choices: dict[str, Any], lot: Lot, word: str, cell: Any) -> tuple[Page, list[int]]:
    header = [name for device in lot.names for name in (choices["pulse_word"], device)]
    rows = [
        [text for i in range(lot.n) for text in (str((i + 1) * lot.pulses[k]), cell(lot.ohm[i, 0, k]))]
        for k in range(lot.k)
    ]
    keys = {
        (k, 2 * i + 1): (lot.names[i], 0, int((i + 1) * lot.pulses[k])) for k in range(lot.k) for i in range(lot.n)
    }
    page = _new(header, rows, keys, lot)
    page.truth = {keys[k, 2 * i + 1]: float(lot.ohm[i, 0, k]) for k in range(lot.k) for i in range(lot.n)}
    return page, list(range(1, 2 * lot.n, 2))


def add_column(page: Page, name: str, cells: list[str]) -> None:
    """One column more, at the end."""
    page.header.append(name)
    for row, cell in zip(page.rows, cells, strict=True):
        row.append(cell)
    if page.units is not None:
        page.units.append("")


def _unit(page: Page, choices: dict[str, Any], readings: list[int]) -> None:
    unit, place = choices["unit"], choices["unit_place"]
    if unit == "none":
        return
    if place == "second line":
        page.units = [unit if i in readings else "" for i in range(len(page.header))]
    elif place == "comment":
        page.before.append([f"# unit: {unit}"])
    elif place == "column":
        add_column(page, "unit", [unit] * len(page.rows))
    else:
        pattern = {"brackets": "{} [{}]", "parentheses": "{} ({})", "suffix": "{}_{}"}[place]
        for i in readings:
            page.header[i] = pattern.format(page.header[i], unit)


def _trailing(page: Page, choices: dict[str, Any], lot: Lot) -> None:
    kind = choices["trailing"]
    n = len(page.rows)
    if kind == "empty":
        add_column(page, "", [""] * n)
    elif kind == "MIN":
        low = [format(ohm, ".6g") for ohm in lot.ohm[:, 0].min(0)]
        add_column(page, kind, [low[r % lot.k] for r in range(n)])
    elif kind:
        add_column(page, kind, [format(12.5 * r if kind == "elapsed_ms" else 25 + 0.01 * r, ".6g") for r in range(n)])


def _preamble(page: Page, choices: dict[str, Any]) -> None:
    kind = choices["preamble"]
    width = len(page.header)
    lines = {
        "": [], "comment": [["# measured on a Tuesday"]], "empty lines": [[], []],
        "pairs of words": [["Instrument", "SMU"], ["Date", "2024-03-01"], []],
        "sep=": [[f"sep={choices['separator']}"]],
        "full width": [["Operator", "A. B.", *["x"] * max(width - 2, 0)][:width]],
    }[kind]  # fmt: skip
    page.before = lines + page.before if kind == "sep=" else page.before + lines


def _columns_in_order(page: Page, choices: dict[str, Any], rng: np.random.Generator) -> None:
    order = list(range(len(page.header)))
    if choices["order"] == "reversed":
        order.reverse()
    elif choices["order"] == "shuffled":
        order = rng.permutation(len(order)).tolist()
    reorder(page, order)


def reorder(page: Page, order: list[int]) -> None:
    """The columns in another order."""
    place = {old: new for new, old in enumerate(order)}
    page.header = [page.header[i] for i in order]
    page.units = None if page.units is None else [page.units[i] for i in order]
    page.rows = [[row[i] for i in order] for row in page.rows]
    page.keys = {(row, place[column]): key for (row, column), key in page.keys.items()}


def sprinkle(page: Page, code: str, rng: np.random.Generator) -> None:
    """An error code in place of a few readings, at most one a device and cycle, none at the end (NaN: not read)."""
    latest = {device: max(k for d, _, k in page.truth if d == device) for device in {key[0] for key in page.truth}}
    places = [place for place, key in page.keys.items() if key[2] < latest.get(key[0], 0)]
    hit: set[tuple[str, int]] = set()
    for at in rng.permutation(len(places))[:20]:
        key = page.keys[places[at]]
        if key[:2] in hit or key not in page.truth:
            continue
        hit.add(key[:2])
        row, column = places[at]
        page.rows[row][column] = code
        del page.truth[key]
        page.left_out[key] = "."


def text_of(page: Page, choices: dict[str, Any]) -> str:
    """The page as text, its line ends LF."""
    separator = choices["separator"]
    numbers = {cell for row in page.rows for cell in row}
    swap = {cell: cell.replace(".", ",") for cell in numbers} if choices["decimal"] == "," else {}
    lines = [separator.join(cells) for cells in page.before]
    lines.append(separator.join(page.header))
    lines += [] if page.units is None else [separator.join(page.units)]
    lines += [separator.join(swap.get(cell, cell) for cell in row) for row in page.rows]
    return "\n".join(lines) + ("\n" if choices["last_line_end"] else "")


def save(pages: list[tuple[Page, dict[str, Any]]], folder: Path) -> Case:
    """Pages one behind the other in one file, with their common truth."""
    text = "".join(text_of(page, choices) for page, choices in pages)
    choices = pages[0][1]
    text = text.replace("\n", "\r\n") if choices["crlf"] else text
    path = folder / ("table.tsv" if choices["separator"] == "\t" else "table.csv")
    path.write_bytes(text.encode("utf-8-sig" if choices["bom"] else "utf-8"))
    truth: Readings = {}
    left_out: dict[Key, str] = {}
    may_miss: set[Key] = set()
    optional: set[Key] = set()
    whole_device: dict[str, str] = {}
    for page, _ in pages:
        truth |= page.truth
        optional |= page.optional
        whole_device |= page.whole_device
        left_out |= page.left_out
        may_miss |= page.may_miss
    last = pages[-1][0]
    if not pages[-1][1]["last_line_end"] and last.rows:
        end = max(row for row, _ in last.keys)  # rows put between others do not renumber the keys
        may_miss |= {key for (row, _), key in last.keys.items() if row == end}
    refuse = next((page.must_refuse for page, _ in pages if page.must_refuse), "")
    return Case(
        path, None if refuse else truth, left_out, may_miss, whole_device, optional,
        must_refuse=refuse, ways=[truth] if refuse else None,
    )  # fmt: skip


def make_case(choices: dict[str, Any], seed: int, folder: Path) -> Case:
    """A file in this dialect."""
    settled = settle(choices)
    rng = np.random.default_rng(seed)
    return save([(page_of(settled, population(settled, rng), rng), settled)], folder)


def draw(rng: np.random.Generator, plain: float = 0.0) -> dict[str, Any]:
    """Choices at random; with probability `plain` each is the plain one."""
    return {
        name: options[0] if rng.random() < plain else options[int(rng.integers(len(options)))]
        for name, options in OPTIONS.items()
    }
