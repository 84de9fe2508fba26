"""How results show themselves: numbers as people write them, a dozen lines in a terminal, a table in a notebook."""

from weakreset.display.chart import text_chart
from weakreset.display.numbers import for_json, number, percent, plus_minus
from weakreset.display.signs import printable
from weakreset.display.spreadsheet import csv_for_people, plain_comment, shown_cell, stored_cell
from weakreset.display.summary import ROWS_SHOWN, Shown, Summary, text_table
from weakreset.display.units import as_change, as_interval, as_ohms

__all__ = [
    "ROWS_SHOWN", "Shown", "Summary", "as_change", "as_interval", "as_ohms", "csv_for_people", "for_json", "number",
    "percent", "plain_comment", "plus_minus", "printable", "shown_cell", "stored_cell", "text_chart", "text_table",
]
