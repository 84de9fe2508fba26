"""How results show themselves: numbers as people write them, a dozen lines in a terminal, a table in a notebook."""

from weakreset.display.chart import text_chart
from weakreset.display.numbers import number, percent, plus_minus
from weakreset.display.summary import ROWS_SHOWN, Shown, Summary, printable, text_table
from weakreset.display.units import as_change, as_interval, as_ohms

__all__ = [
    "ROWS_SHOWN", "Shown", "Summary", "as_change", "as_interval", "as_ohms", "number", "percent", "plus_minus",
    "printable", "text_chart", "text_table",
]
