"""Where the header of a sheet of cells is: below a preamble, and again where another table follows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import accumulate

from weakreset.traces.column_names import alike, device_in_brackets, numbered
from weakreset.traces.column_role import VALUES
from weakreset.traces.contract import MISSING_WORDS
from weakreset.traces.units import is_bracketed, parse_unit, split_name
from weakreset.traces.vocabulary import is_unit_key, role_of

__all__ = ["find_header", "groups_above", "is_header_again", "join_levels", "names_columns"]

_NUMBER = re.compile(r"^\s*[-+]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][-+]?\d+)?\s*$")
_MOST_LINES = 40  # in which a header is looked for
_MOST_LIKE_DATA = 10  # lines of full width above it: more would be a table of its own
_BLANK = MISSING_WORDS | {"#", "?", "unit", "units"}


def is_number(cell: str) -> bool:
    """Whether a cell is written as a number, with a decimal point or comma."""
    return bool(_NUMBER.match(cell))


def names_columns(cells: Sequence[str]) -> bool:
    """Whether a row names columns: words only, one of them a pulse number or a reading, and not all units."""
    filled = [cell for cell in cells if cell.strip()]
    if not filled or any(is_number(cell) for cell in filled):
        return _numbers_pulses(filled)
    if len(filled) == 2 and is_unit_key(filled[0]):
        return False  # `Resistance unit, kohm` says the unit
    roles = [role_of(cell) for cell in filled]
    said = [role for role in roles if role in (*VALUES, "pulse", "burst")]
    bracketed = [cell for cell in filled if device_in_brackets(cell) and role_of(split_name(cell)[0])]
    counted = [found for cell in filled if (found := numbered(cell)) is not None and found.counts == "pulse"]
    measured = [cell for cell in filled if is_bracketed(cell) and parse_unit(split_name(cell)[1])]
    if len(filled) == 1:
        return bool(said)
    return bool(said or bracketed or len(counted) > 1 or len(measured) > 1) and not _is_unit_row(filled)


def _numbers_pulses(filled: Sequence[str]) -> bool:
    """`device, 0, 5, 10`: a device column, then pulse numbers in steps."""
    numbers = [float(cell.replace(",", ".")) for cell in filled[1:] if is_number(cell)]
    if len(filled) < 3 or role_of(filled[0]) != "device" or len(numbers) != len(filled) - 1:
        return False
    return all(number == int(number) for number in numbers) and len(set(numbers)) == len(numbers)


def _is_unit_row(filled: Sequence[str]) -> bool:
    return all(cell.strip("[]() ").lower() in _BLANK or parse_unit(cell.strip("[]() ")) for cell in filled)


def find_header(rows: Sequence[Sequence[str]]) -> int:
    """Index of the row that names the columns: the first that does, where what stands above it is no table of data.

    0 where none does: then the first row is a header or there is none.
    """
    width = _usual_width(rows)
    found = [
        i
        for i, row in enumerate(rows[:_MOST_LINES])
        if names_columns(row) and not _is_title(row, width) and _followed_by_data(rows, i)
    ]
    if not found:
        return _plain_names(rows, width)
    # `Test name, reset pulses` is a remark; a narrower table above a wider one is a table.
    at = next((i for i in found if len(_trimmed(rows[i])) >= width or _heads_table(rows, i)), found[0])
    like_data = sum(len(_trimmed(row)) == width and any(map(is_number, row)) for row in rows[:at])
    return at if like_data <= _MOST_LIKE_DATA else 0


def _heads_table(rows: Sequence[Sequence[str]], at: int) -> bool:
    """Whether the two rows below are as wide as this one and mostly numbers."""
    width = len(_trimmed(rows[at]))
    below = [_trimmed(row) for row in rows[at + 1 : at + 3]]
    mostly = (len(row) == width and 2 * sum(map(is_number, row)) > width for row in below)
    return width > 2 and len(below) > 1 and all(mostly)


def _is_title(row: Sequence[str], width: int) -> bool:
    """Whether one cell alone stands above a table of several columns: `Resistance [kohm]` as a headline."""
    return width > 1 and sum(bool(cell.strip()) for cell in row) == 1


def _plain_names(rows: Sequence[Sequence[str]], width: int) -> int:
    """The last row of distinct words as wide as the data, above them, where shorter lines stand before it."""
    data = next((i for i, row in enumerate(rows) if _is_data(row, width)), 0)
    for i in range(data - 1, 0, -1):
        cells = _trimmed(rows[i])
        words = len(cells) == width and all(c.strip() and not is_number(c) for c in cells)
        if words and len(set(cells)) == width and not _is_unit_row(cells):
            above = [row for row in rows[:i] if not _says_nothing(row)]
            shorter = all(len(_trimmed(row)) < width for row in above)
            return i if width > 1 and (shorter or _are_alike(cells) > _are_alike(above[0])) else 0
    return 0


def _says_nothing(row: Sequence[str]) -> bool:
    """Whether a row repeats one word that is no unit, `a,a,a`: it tells no columns apart."""
    filled = [cell for cell in row if cell.strip()]
    return len(set(filled)) == 1 < len(filled) and not _is_unit_row(filled) and not is_number(filled[0])


def _are_alike(cells: Sequence[str]) -> bool:
    """Whether the names are those of alike columns, `D1, D2, D3`."""
    return len({alike(cell) for cell in cells if cell.strip()}) == 1


def _trimmed(row: Sequence[str]) -> list[str]:
    cells = list(row)
    while cells and not cells[-1].strip():
        cells.pop()
    return cells


def _usual_width(rows: Sequence[Sequence[str]]) -> int:
    widths = [len(_trimmed(row)) for row in rows if any(map(is_number, row))]
    return max(set(widths), key=widths.count) if widths else 0


def _is_data(row: Sequence[str], width: int) -> bool:
    return len(_trimmed(row)) == width and any(map(is_number, row))


def _followed_by_data(rows: Sequence[Sequence[str]], at: int) -> bool:
    """Whether numbers stand below, in a row that is about as wide."""
    wide = len(_trimmed(rows[at]))
    below = [row for row in rows[at + 1 : at + 4] if any(cell.strip() for cell in row)]
    return any(any(map(is_number, row)) and 2 * len(_trimmed(row)) > wide for row in below)


def is_header_again(cells: Sequence[str], header: Sequence[str], below: Sequence[str]) -> bool:
    """Whether a row within the data begins another table: the header once more, or other names of columns."""
    mine = [cell for cell in _trimmed(cells) if cell.strip()]
    if len(mine) < 2 and len(_trimmed(header)) > 1:
        return False
    if _trimmed(cells) == _trimmed(header):
        return True
    if names_columns(cells):
        return True
    words = not any(is_number(c) or c.strip().lower() in MISSING_WORDS for c in mine)
    fresh = words and len(set(mine)) == len(mine) == len(_trimmed(cells))
    many = len(mine) >= 3 or all(any(map(str.isdigit, cell)) for cell in mine)  # `E00, E01`, not `open, error`
    return fresh and many and sum(map(is_number, below)) >= len(mine) - 1


def groups_above(names: Sequence[str], above: Sequence[str]) -> list[str]:
    """`,D00,D01` above `pulse,R (kohm),R (kohm)`: repeated names take the devices that stand above them."""
    times = Counter(names)
    repeated = [i for i, name in enumerate(names) if name and times[name] > 1 and role_of(name) != "pulse"]
    merged: list[str] = list(accumulate([*above, *[""] * (len(names) - len(above))], _or_left))
    over = [merged[i].strip() if i < len(merged) else "" for i in repeated]
    if not repeated or not all(over) or len(set(over)) < len(over) or any(map(is_number, over)):
        return list(names)
    found = list(names)
    for i, device in zip(repeated, over, strict=True):
        unit = split_name(names[i])[1]
        found[i] = f"{device} [{unit}]" if parse_unit(unit) else f"{device}"
    return found


def join_levels(rows: Sequence[list[str]], at: int) -> tuple[int, list[list[str]], int]:
    """The rows with a header of two levels, as pandas and merged cells make them, as one row; its place, rows saved.

    `,die1,die1,die2,die2` over `,D0,D1,D0,D1`, and below it the name of the rows alone (`pulse,,,,`), becomes
    `pulse,die1/D0,die1/D1,die2/D0,die2/D1`. Where the lower level is made of quantities, `V, I`, they stay words of
    their own: `D0 V`. Blocks with pulse numbers of their own are left as they are.
    """
    for top in (at, at - 1):
        if top >= 0 and (found := _levels(rows[top : top + 4])) is not None:
            names, taken = found
            return top, [*rows[:top], names, *rows[top + taken :]], taken - 1
    return at, list(rows), 0


def _levels(rows: Sequence[list[str]]) -> tuple[list[str], int] | None:
    """The joined names, and how many rows they stood in; None where these are no two levels of names."""
    if len(rows) < 3 or len(rows[0]) != len(rows[1]) or any(map(is_number, rows[0] + rows[1])):
        return None
    upper: list[str] = list(accumulate(rows[0], _or_left))
    lower = list(rows[1])
    lead = 0 if rows[0][0] and lower[0] and upper.count(upper[0]) > 1 else 1
    below: dict[str, list[str]] = {}
    for group, name in zip(upper[lead:], lower[lead:], strict=True):
        below.setdefault(group, []).append(name)
    first = next(iter(below.values()), [])
    alike_groups = len(below) > 1 and len(first) > 1 and all(names == first for names in below.values())
    if not alike_groups or "" in first or "" in below or len(set(first)) < len(first):
        return None
    if any(role_of(name) in ("pulse", "burst") for name in first):
        return None
    named_below = lead == 1 and bool(rows[2][0]) and not any(rows[2][1:])
    mark = " " if any(role_of(name) in (*VALUES, "read_voltage") for name in (*first, *below)) else "/"
    joined = [f"{group}{mark}{name}" for group, name in zip(upper[lead:], lower[lead:], strict=True)]
    row_name = rows[2][0] if named_below else lower[0] or upper[0]
    return ([row_name] if lead else []) + joined, 3 if named_below else 2


def _or_left(left: str, cell: str) -> str:
    """A merged cell stands once, above the first of its columns."""
    return cell if cell.strip() else left
