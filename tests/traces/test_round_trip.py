"""What is written is read back exactly."""

from __future__ import annotations

import dataclasses

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from weakreset.errors import TraceError
from weakreset.traces import (
    PulseTrace,
    SourceFile,
    TraceSet,
    load_traces,
    write_csv_long,
    write_csv_wide,
    write_hdf5,
)

LABEL = (SourceFile("somewhere", "0" * 64, "simulation", "", True),)
SETTINGS = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

names = st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Z")) | st.sampled_from(' ,;"#\'|/'), min_size=1, max_size=12
).filter(lambda name: name == name.strip() and name.isprintable())
ohms = st.floats(1e-300, 1e29) | st.floats(1e3, 1e5)
words = st.sampled_from(["slow", "fast; a", "x,y", "naïve", '"q"'])


@st.composite
def trace_sets(draw, plain=False):
    traces = []
    for name in draw(st.lists(names, min_size=1, max_size=4, unique=True)):
        for cycle in range(1 if plain else draw(st.integers(1, 2))):
            pulses = sorted(draw(st.sets(st.integers(0, 2**40), min_size=1, max_size=8)))
            values = draw(st.lists(ohms, min_size=len(pulses), max_size=len(pulses)))
            extras = {}
            if not plain:
                v_sl = st.lists(st.floats(-9, 9), min_size=len(pulses), max_size=len(pulses))
                notes = draw(st.lists(words, min_size=len(pulses), max_size=len(pulses)))
                extras = {"v_sl": np.array(draw(v_sl)), "remark": np.array(notes, dtype=object)}
            traces.append(PulseTrace(name, pulses, values, cycle, extras))
    return TraceSet(tuple(traces), sources=LABEL if draw(st.booleans()) else ())


def assert_same(read: TraceSet, written: TraceSet) -> None:
    assert [t.key for t in read] == [t.key for t in written]
    assert read.simulated == written.simulated
    assert not read.exclusions
    for a, b in zip(read, written, strict=True):
        assert np.array_equal(a.pulses, b.pulses)
        assert np.array_equal(a.resistance_ohm, b.resistance_ohm)
        assert a.extras.keys() == b.extras.keys()
        for key in a.extras:
            assert list(a.extras[key]) == list(b.extras[key])


@SETTINGS
@example(traces=TraceSet((PulseTrace("a", [0, 1], [1e4, 1e4]), PulseTrace("b", [2, 3], [1e4, 1e4]))))
@given(traces=trace_sets())
def test_long_csv(traces, tmp_path):
    assert_same(load_traces(write_csv_long(traces, tmp_path / "t.csv"), limits=None), traces)


@SETTINGS
@given(traces=trace_sets(plain=True))
def test_wide_csv(traces, tmp_path):
    assert_same(load_traces(write_csv_wide(traces, tmp_path / "t.csv"), limits=None), traces)


@SETTINGS
@given(traces=trace_sets())
def test_hdf5_by_groups(traces, tmp_path):
    read = load_traces(write_hdf5(traces, tmp_path / "t.h5"), limits=None)
    key = {t.key: i for i, t in enumerate(traces)}
    assert_same(dataclasses.replace(read, traces=tuple(sorted(read, key=lambda t: key[t.key]))), traces)


@pytest.mark.parametrize("name", ["t.h5", "t.csv", "t.csv.gz"])
@pytest.mark.parametrize("simulated", [True, False])
def test_compact_sets_and_their_label(tmp_path, name, simulated):
    rng = np.random.default_rng(5)
    written = TraceSet.from_arrays(
        ["a", "b c", "#3"], np.arange(0, 300, 3), rng.lognormal(9, 0.1, (3, 100)), LABEL if simulated else ()
    )
    write = write_hdf5 if name == "t.h5" else write_csv_long
    assert_same(load_traces(write(written, tmp_path / name), limits=None), written)


def test_writing_twice_gives_the_same_bytes(tmp_path):
    written = TraceSet.from_arrays(["a", "b"], range(50), np.random.default_rng(6).lognormal(9, 0.1, (2, 50)), LABEL)
    for write, name in ((write_csv_long, "t.csv.gz"), (write_csv_wide, "w.csv"), (write_hdf5, "t.h5")):
        first = write(written, tmp_path / name).read_bytes()
        assert write(written, tmp_path / name).read_bytes() == first


def test_the_hdf5_layout_is_the_documented_one(tmp_path):
    same = TraceSet.from_arrays(["a", "b"], [0, 2, 4], [[1.0, 2, 3], [4, 5, 6]], LABEL)
    with h5py.File(write_hdf5(same, tmp_path / "c.h5")) as root:
        assert root.attrs["schema"] == "weakreset-traces"
        assert bool(root.attrs["simulated"])
        assert root["pulse"][()].tolist() == [0, 2, 4]
        assert root["resistance"].shape == (2, 3)
        assert root["resistance"].attrs["unit"] == "ohm"
    ragged = TraceSet((PulseTrace("a", [0, 1], [5, 6]), PulseTrace("b", [0], [7], 2)))
    with h5py.File(write_hdf5(ragged, tmp_path / "g.h5")) as root:
        assert set(root["traces"]) == {"a", "b#2"}
        assert root["traces/b#2"].attrs["cycle"] == 2


@pytest.mark.parametrize("write", [write_csv_long, write_csv_wide, write_hdf5])
def test_what_cannot_be_written_is_refused_and_leaves_no_file(tmp_path, write):
    named = [TraceSet((PulseTrace(name, [0], [1.0]),)) for name in (" a", "a\nb", "")]
    for traces in (TraceSet(()), *named):
        with pytest.raises(TraceError):
            write(traces, tmp_path / "x")
    assert not list(tmp_path.iterdir())


def test_a_wide_csv_refuses_cycles_and_extras(tmp_path):
    for trace in (PulseTrace("a", [0], [1.0], 1), PulseTrace("a", [0], [1.0], 0, {"v": np.array([1.0])})):
        with pytest.raises(TraceError, match="wide CSV cannot hold"):
            write_csv_wide(TraceSet((trace,)), tmp_path / "x.csv")
