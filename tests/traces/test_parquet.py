"""Parquet: kinds of columns, missing values, tables that are too large."""

from __future__ import annotations

import datetime

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.traces.formats import read_in_this_process
from weakreset.errors import TraceFormatError
from weakreset.traces import load_traces


@pytest.fixture(autouse=True)
def here(monkeypatch):
    monkeypatch.setattr("weakreset.traces.readers.parquet.read_isolated", read_in_this_process)


@pytest.fixture
def made(tmp_path):
    def make(columns, **options):
        pq.write_table(pa.table(columns), tmp_path / "lab.parquet", **options)
        return tmp_path / "lab.parquet"

    return make


def test_missing_values_and_kinds_of_columns(made):
    day = datetime.date(2025, 5, 28)
    columns = {"pulse": [0, 1, None, 3], "R": [5e3, None, 6e3, 7e3], "day": [day] * 4, "ok": [True] * 4, "w": [[1]] * 4}
    traces = load_traces(made(columns), limits=None)
    trace = traces["lab"]
    assert (trace.pulses.tolist(), trace.resistance_ohm.tolist()) == ([0, 3], [5e3, 7e3])
    assert [(e.pulse, e.reason) for e in traces.exclusions] == [
        (1, "missing reading (empty or NaN)"),
        (None, "no pulse number"),
    ]
    assert (trace.extras["day"][0], trace.extras["ok"][0]) == ("2025-05-28", "True")
    assert "left out (not single values): w" in traces.sources[0].why


def test_a_wide_table_of_pandas(made):
    frame = {"pulse": [0, 1], "A1": [5e3, 6e3], "A2": [7e3, 8e3], "__index_level_0__": [0, 1]}
    assert {t.device for t in load_traces(made(frame), limits=None)} == {"A1", "A2"}


def test_more_cells_than_we_read_are_refused_by_what_the_file_says_of_itself(made, monkeypatch):
    monkeypatch.setattr("weakreset.traces.readers.parquet._MOST_CELLS", 1000)
    path = made({"pulse": np.arange(501), "R": np.ones(501)})
    with pytest.raises(TraceFormatError, match=r"lab.parquet.*501 rows of 2 columns"):
        load_traces(path)


@pytest.mark.parametrize(
    ("columns", "words"),
    [({"w": [[1]]}, "no rows, or no columns"), ({"pulse": pa.array([], pa.int32())}, "no rows")],
)
def test_tables_without_content_are_refused(made, columns, words):
    with pytest.raises(TraceFormatError, match=f"lab.parquet.*{words}"):
        load_traces(made(columns))
