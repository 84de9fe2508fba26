"""A result in short, for `repr` and for notebooks; names from strangers' files are made harmless in both."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

from weakreset.display.signs import printable

__all__ = ["ROWS_SHOWN", "Shown", "Summary", "text_table"]

ROWS_SHOWN = 50
"""Rows in a notebook; who makes a `Summary` need not make more of them."""
_TEXT_ROWS = 8  # a repr is read in a console
_LONGEST_CELL, _LONGEST_LINE = 60, 400

Row = Sequence[str]


@dataclass(frozen=True)
class Summary:
    """What is shown of a result.

    Attributes
    ----------
    title : str
        What it is, and whether it was simulated.
    lines : tuple of str
        Sentences above the table.
    columns, rows
        The table, or its first `ROWS_SHOWN` rows.
    total : int, optional
        Rows there would be in all.
    notes : tuple of str
        Sentences below the table, in notebooks only.
    """

    title: str
    lines: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    rows: Sequence[Row] = ()
    total: int | None = None
    notes: tuple[str, ...] = ()

    def text(self) -> str:
        """About a dozen lines."""
        parts = [_line(text) for text in (self.title, *self.lines)]
        if self.rows:
            parts.append(text_table(self.columns, self.rows[:_TEXT_ROWS], self._total()))
        return "\n".join(parts)

    def html(self) -> str:
        """A table without styles or scripts of its own, so that every notebook shows it in its way."""
        head = "<br>".join([f"<b>{_escaped(_line(self.title))}</b>", *(_escaped(_line(line)) for line in self.lines)])
        parts = [f"<p>{head}</p>"]  # escaped in `head` already
        rows = self.rows[:ROWS_SHOWN]
        if rows:
            body = "".join(f"<tr>{_cells('td', row)}</tr>" for row in rows)
            parts.append(f"<table><thead><tr>{_cells('th', self.columns)}</tr></thead><tbody>{body}</tbody></table>")
        more = self._total() - len(rows)
        notes = [*([f"... and {more} more"] if more > 0 else []), *self.notes]
        if notes:
            parts.append(f"<p>{'<br>'.join(_escaped(_line(note)) for note in notes)}</p>")
        return f"<div>{''.join(parts)}</div>"

    def _total(self) -> int:
        return len(self.rows) if self.total is None else self.total


class Shown:
    """Gives a class its `repr`, and its table in a notebook, from one `Summary`.

    A dataclass that is one says `repr=False`, or it would print its arrays.
    """

    def _shown(self) -> Summary:
        raise NotImplementedError

    def __repr__(self) -> str:
        return self._shown().text()

    def __str__(self) -> str:  # pydantic would print every number
        return repr(self)

    def _repr_html_(self) -> str:
        return self._shown().html()


def text_table(columns: Row, rows: Sequence[Row], total: int) -> str:
    """Columns side by side, and how many of `total` rows are not shown."""
    cells = [[_clipped(cell, _LONGEST_CELL) for cell in row] for row in (columns, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells
    ]
    return "\n".join([*lines, *([f"... and {total - len(rows)} more"] if total > len(rows) else [])])


def _cells(tag: str, row: Row) -> str:
    return "".join(f'<{tag} style="text-align:left">{_escaped(_clipped(cell, _LONGEST_LINE))}</{tag}>' for cell in row)


def _escaped(text: str) -> str:
    return html.escape(text, quote=True)


def _line(text: str) -> str:
    return _clipped(text, _LONGEST_LINE)


def _clipped(text: str, longest: int) -> str:
    """One line of printable signs: a name may hold line ends, terminal commands or signs that turn the text around."""
    # cut first, so that no escape is cut in two
    return printable(text if len(text) <= longest else text[: longest - 1] + "…")
