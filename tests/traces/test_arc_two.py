"""ArC TWO HDF5: operations, rows that were never measured, and files that cannot be right."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from weakreset.errors import TraceFormatError
from weakreset.traces import load_traces

DTYPE = [(name, "<f4") for name in ("current", "voltage", "pulse_width", "read_voltage")] + [("op_type", "<u4")]
READ, PULSE = 1, 2


@pytest.fixture
def made(tmp_path):
    def make(rows, n_rows=None, name="W01B02", dtype=DTYPE):
        path = tmp_path / "arc.h5"
        with h5py.File(path, "w") as root:
            root.create_group("crossbar")
            log = root.create_dataset(f"crosspoints/{name}/timeseries", data=np.array(rows, dtype=dtype))
            log.attrs["NROWS"] = len(rows) if n_rows is None else n_rows
        return path

    return make


def test_operations_are_counted_and_rows_behind_the_end_are_not_read(made):
    rows = [
        (2e-5, 0, 0, 0.1, READ),
        (0, -1, 1e-6, 0, PULSE),
        (1e-5, 0, 0, 0.1, READ),
        (5e-6, -2, 1e-7, 0.1, READ | PULSE),
    ]
    traces = load_traces(made([*rows, (7, 7, 7, 7, READ)], len(rows)), limits=None)
    trace = traces["W01B02"]
    assert trace.pulses.tolist() == [0, 1, 2]
    assert trace.resistance_ohm == pytest.approx([5e3, 1e4, 2e4])
    assert trace.extras["amplitude_v"] == pytest.approx([np.nan, -1, -2], nan_ok=True)
    assert "1 pulses without a read" in traces.sources[0].why


def test_currents_that_flow_the_other_way_and_one_that_is_wrong(made):
    rows = [(-1e-5, -1, 1e-6, 0.1, READ | PULSE)] * 9 + [(1e-5, -1, 1e-6, 0.1, READ | PULSE)]
    traces = load_traces(made(rows), limits=None)
    assert traces["W01B02"].resistance_ohm == pytest.approx([1e4] * 9)
    assert [(e.pulse, e.reason) for e in traces.exclusions] == [(10, "negative reading")]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"n_rows": 99}, "NROWS is '99', and 1 rows"),
        ({"n_rows": "many"}, "NROWS is 'many'"),
        ({"name": "here"}, "crosspoint 'here'"),
        ({"rows": [(1, np.nan, 1, 1, PULSE)]}, "row 0: a pulse of nan V"),
        ({"rows": [(1, 1, 1, 1, PULSE)]}, "pulses but no read"),
        ({"n_rows": 0}, "no crosspoint has a row"),
        ({"dtype": [*DTYPE[:4], ("other", "<u4")]}, "has not the columns"),
        ({"dtype": [("current", "S4"), *DTYPE[1:]]}, "current are not numbers"),
    ],
)
def test_files_that_cannot_be_right_are_refused(made, change, words):
    with pytest.raises(TraceFormatError, match=f"arc.h5.*{words}"):
        load_traces(made(**({"rows": [(1, 1, 1, 1, READ)]} | change)))


def test_a_huge_table_is_refused_before_it_is_read(tmp_path):
    with h5py.File(tmp_path / "arc.h5", "w") as root:
        root.create_group("crossbar")
        log = root.create_dataset("crosspoints/W01B01/timeseries", (1 << 40,), DTYPE, chunks=(1024,))
        log.attrs["NROWS"] = 1 << 40
    with pytest.raises(TraceFormatError, match=r"arc.h5.*shape"):
        load_traces(tmp_path / "arc.h5")
