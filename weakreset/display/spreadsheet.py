"""Tables for people are opened in spreadsheets, which run a cell that begins like a formula."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["csv_for_people", "plain_comment", "shown_cell", "stored_cell"]

_FORMULA = re.compile(r"'*[\s]*[=+\-@\t\r＝＋－＠]")  # the wide signs are taken as formulas too
# after a separator of any spreadsheet: a comma, a semicolon (where commas are decimal), a tab
_INSIDE = re.compile(r"""([,;\t]["'\s]*)(?=[=+\-@])""")


def shown_cell(text: str) -> str:
    """A text as a cell that no spreadsheet runs: an apostrophe before what begins like a formula."""
    return f"'{text}" if _FORMULA.match(text) else text


def stored_cell(cell: str) -> str:
    """The text that `shown_cell` made a cell of."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def plain_comment(text: str) -> str:
    """A comment line whose parts between separators, which become cells, are no formulas either."""
    return _INSIDE.sub(r"\1'", text)


def csv_for_people(frame: pd.DataFrame) -> str:
    """The table as CSV with names and texts that a spreadsheet shows and does not run; numbers as they are."""
    shown = frame.copy()
    for column in shown.columns:
        if shown[column].dtype.kind not in "biuf":
            shown[column] = [shown_cell(value) if isinstance(value, str) else value for value in shown[column]]
    shown.columns = [shown_cell(str(name)) for name in shown.columns]
    return str(shown.to_csv(index=False))
