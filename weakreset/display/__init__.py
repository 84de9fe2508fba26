"""How results show themselves: numbers as people write them, a dozen lines in a terminal, a table in a notebook."""

from weakreset.display.numbers import number, percent, plus_minus
from weakreset.display.summary import ROWS_SHOWN, Shown, Summary, text_table

__all__ = ["ROWS_SHOWN", "Shown", "Summary", "number", "percent", "plus_minus", "text_table"]
