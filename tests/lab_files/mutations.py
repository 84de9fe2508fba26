"""Mutations of a text table that follow its grammar, so that the truth stays known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tests.lab_files.case import Case
from tests.lab_files.dialect import OPTIONS, Page, draw, page_of, population, reorder, save, settle, sprinkle
from tests.lab_files.lot import Lot

CODES = tuple(code for code in OPTIONS["sentinel"] if code)


def _units_changed(page: Page, choices: dict[str, Any], rng: np.random.Generator) -> Any:
    """The same measurement saved again in another unit."""
    other = [unit for unit in ("ohm", "kohm", "MOhm", "uS", "S") if unit in OPTIONS["unit"]]
    changed = settle(choices | {"unit": other[int(rng.integers(len(other)))]})
    return [(page_of(changed, population(changed, rng), rng), changed)]


def _unit_lost(page: Page, choices: dict[str, Any], rng: np.random.Generator) -> Any:
    """Nothing says the unit any more, and the numbers are kohm of 40: never ohms."""
    changed = settle(choices | {"unit": "kohm", "unit_place": "comment", "sentinel": "", "reading_word": "resistance"})
    lot = population(changed, rng)
    lot = Lot(lot.names, lot.pulses, lot.ohm * (4e4 / np.median(lot.ohm)))
    bare = page_of(changed, lot, rng)
    bare.before = [line for line in bare.before if not line or "unit" not in line[0]]
    bare.must_refuse = "."
    return [(bare, changed)]


def _columns_swapped(page: Page, choices: dict[str, Any], rng: np.random.Generator) -> Any:
    if choices["layout"] != "pairs":
        reorder(page, rng.permutation(len(page.header)).tolist())
    return [(page, choices)]


def _rows_repeated(page: Page, choices: dict[str, Any], rng: np.random.Generator) -> Any:
    """Some lines twice, one behind the other, as an export that was resumed writes them."""
    chosen = set() if choices["layout"] == "by row" else set(rng.integers(0, len(page.rows), 3).tolist())
    page.rows = [copy for r, row in enumerate(page.rows) for copy in ([row, list(row)] if r in chosen else [row])]
    return [(page, choices)]


def _sorted_by_pulse(page: Page, choices: dict[str, Any], rng: np.random.Generator) -> Any:
    """A long table in the order of the measurement: all devices at pulse 0, then at pulse 1."""
    if choices["layout"] == "long":
        keys = {row: key for (row, _), key in page.keys.items()}
        order = sorted(keys, key=lambda row: (keys[row][2], keys[row][0]))
        page.rows = [page.rows[row] for row in order]
    return [(page, choices)]


def _spliced(page: Page, choices: dict[str, Any], rng: np.random.Generator) -> Any:
    """Another lot behind it, in the same dialect or with another unit or order of columns, under its own header."""
    changed = settle(choices | {"preamble": "", "last_line_end": True})
    if rng.random() < 0.6:
        changed = settle(changed | {"unit": str(rng.choice(["ohm", "kohm", "uS"])), "order": "shuffled"})
    first = choices | {"last_line_end": True}
    second = page_of(changed, population(changed, rng, "E"), rng)
    gap = replace(second, before=[[], *second.before]) if rng.random() < 0.5 else second
    return [(page, first), (gap, changed)]


def _header_moved(page: Page, choices: dict[str, Any], rng: np.random.Generator) -> Any:
    """Lines of an instrument above the header."""
    width = len(page.header)
    words = [["Test", "7"], ["Comment", "weak reset"], [""] * width, ["Points", "36"], ["a"] * width]
    page.before = page.before + [words[int(i)] for i in rng.integers(0, len(words), int(rng.integers(1, 5)))]
    return [(page, choices)]


def _sentinels(page: Page, choices: dict[str, Any], rng: np.random.Generator) -> Any:
    for _ in range(2):
        sprinkle(page, CODES[int(rng.integers(len(CODES)))], rng)
    return [(page, choices)]


def _glitches(page: Page, choices: dict[str, Any], rng: np.random.Generator) -> Any:
    """One read a device ten times too small or too large."""
    factor = float(rng.choice([0.1, 10.0, 1e-3]))
    last = min(max(k for d, c, k in page.truth if (d, c) == of) for of in {key[:2] for key in page.truth})
    inner = range(5 * choices["step"], last - 5 * choices["step"])
    places = [place for place, key in page.keys.items() if key in page.truth and key[2] in inner]
    row, column = places[int(rng.integers(len(places)))]
    key = page.keys[row, column]
    page.rows[row][column] = format(float(page.rows[row][column]) * factor, ".9g")
    del page.truth[key]
    page.left_out[key] = "."
    return [(page, choices)]


def _empty_lines(page: Page, choices: dict[str, Any], rng: np.random.Generator) -> Any:
    for at in sorted(rng.integers(0, len(page.rows), 3).tolist(), reverse=True):
        page.rows.insert(at, [""])
    return [(page, choices)]


def _cut(page: Page, choices: dict[str, Any], rng: np.random.Generator) -> Any:
    """The file ends in the middle of a line: the readings of that line are left out, or it is refused."""
    keep = int(rng.integers(len(page.rows) // 2, len(page.rows)))
    if choices["layout"] == "by row":
        keep = len(page.rows) - 1
    last = page.rows[keep]
    cells = int(rng.integers(1, len(last) + 1))
    cut = [*last[: cells - 1], last[cells - 1][: max(len(last[cells - 1]) - 2, 0)]]
    lost = {key for (row, _), key in page.keys.items() if row >= keep}
    whole = {key for (row, column), key in page.keys.items() if row == keep and column < cells - 1}
    page.rows = [*page.rows[:keep], cut]
    page.optional |= whole
    ends = {key for (row, _), key in page.keys.items() if row == keep - 1} if choices["layout"] == "wide" else set()
    page.left_out = {k: words for k, words in page.left_out.items() if k not in whole | ends}  # NaN: a trace ends there
    left = [key[:2] for key in page.truth if key not in lost]
    page.whole_device |= {key[0]: "too few reads" for key in lost if left.count(key[:2]) < 30}
    for key in lost - whole:
        page.truth.pop(key, None)
        page.left_out.pop(key, None)
    return [(page, choices | {"last_line_end": False})]


MUTATIONS: dict[str, Callable[[Page, dict[str, Any], np.random.Generator], Any]] = {
    "none": lambda page, choices, rng: [(page, choices)],
    "units changed": _units_changed, "unit lost": _unit_lost, "columns swapped": _columns_swapped,
    "rows repeated": _rows_repeated, "rows sorted by pulse": _sorted_by_pulse, "files spliced": _spliced,
    "header moved": _header_moved, "sentinels sprinkled": _sentinels, "one glitch": _glitches,
    "empty lines": _empty_lines, "cut": _cut,
}  # fmt: skip


def mutant(seed: int, folder: Path) -> tuple[str, dict[str, Any], Case]:
    """Name of the mutation, the dialect, and the file; the same seed gives the same file."""
    rng = np.random.default_rng(seed)
    choices = settle(draw(rng, plain=0.6))
    name = list(MUTATIONS)[int(rng.integers(len(MUTATIONS)))]
    page = page_of(choices, population(choices, rng), rng)
    if page.must_refuse:
        return "none", choices, save([(page, choices)], folder)
    return name, choices, save(MUTATIONS[name](page, choices, rng), folder)
