"""No cell of a table for people is run by a spreadsheet, and names come back as they were."""

from __future__ import annotations

import csv
import io

import pandas as pd
import pytest

from weakreset.display import csv_for_people, plain_comment, shown_cell, stored_cell

NAMES = ["=cmd|' /C calc'!A0", "+1", "-2", "@SUM(1)", "\t=1", " =1", "'=1", "''=1", "'plain", "d1", "1=1", ""]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_comes_back_and_is_no_formula(name):
    assert stored_cell(shown_cell(name)) == name
    assert shown_cell(name).lstrip()[:1] not in tuple("=+-@")


def test_numbers_of_a_table_stay_numbers():
    text = csv_for_people(pd.DataFrame({"device": ["=1", "b"], "m1": [-0.5, 2.0]}))
    assert list(csv.reader(io.StringIO(text))) == [["device", "m1"], ["'=1", "-0.5"], ["b", "2.0"]]


def test_a_comment_that_is_split_into_cells_holds_no_formula():
    assert plain_comment('laws of "a,=cmd"; +1') == "laws of \"a,'=cmd\"; '+1"
