"""One device is one device: files that hold it again, longer, further on, or in other digits."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from weakreset.errors import TraceError
from weakreset.traces import PulseTrace, TraceSet, load_traces, stream_traces, write_csv_long, write_hdf5


def lot(seed=1, n=4, k=90, cycles=1, names="D"):
    rng = np.random.default_rng(seed)
    r0 = 9e3 * np.exp(0.1 * rng.standard_normal(n))
    return TraceSet(tuple(
        PulseTrace(f"{names}{i}", np.arange(k), r0[i] * np.exp(3e-3 * np.arange(k) + 0.005 * rng.standard_normal(k)), c)
        for i in range(n) for c in range(cycles)
    ))  # fmt: skip


def part(traces, first, last):
    return TraceSet(tuple(t.select_reads((t.pulses >= first) & (t.pulses < last)) for t in traces))


def said(traces):
    return " ".join(traces.notes)


def test_a_longer_export_and_a_continuation_are_merged_in_any_order(tmp_path):
    whole = lot()
    write_csv_long(part(whole, 0, 40), tmp_path / "z.csv")
    write_csv_long(part(whole, 0, 60), tmp_path / "y.csv")
    write_hdf5(part(whole, 60, 90), tmp_path / "a.h5")
    traces = load_traces(tmp_path)
    assert [t.device for t in traces] == [t.device for t in whole]
    assert all(np.array_equal(t.resistance_ohm, w.resistance_ohm) for t, w in zip(traces, whole, strict=True))
    assert "merged" in said(traces)
    assert "read once" in said(traces)
    assert sum(item.n_readings for item in traces.exclusions) == 4 * 40


def test_a_read_repeated_where_the_next_file_begins_is_used_once(tmp_path):
    whole = lot()
    write_csv_long(part(whole, 0, 46), tmp_path / "a.csv")
    later = TraceSet(tuple(
        PulseTrace(t.device, t.pulses[45:], t.resistance_ohm[45:] * np.where(np.arange(45) == 0, 1.01, 1))
        for t in whole
    ))  # fmt: skip
    write_csv_long(later, tmp_path / "b.csv")
    traces = load_traces(tmp_path)
    assert [len(t) for t in traces] == [90] * 4
    assert traces["D0"].resistance_ohm[45] == whole["D0"].resistance_ohm[45]


@pytest.mark.parametrize("digits", [4, 5])
def test_a_copy_of_fewer_digits_under_other_names_is_a_copy(tmp_path, digits):
    whole = lot()
    write_csv_long(whole, tmp_path / "a.csv")
    rounded = TraceSet(tuple(
        PulseTrace(f"cell {i}", t.pulses, [float(f"{r:.{digits}g}") for r in t.resistance_ohm])
        for i, t in enumerate(whole)
    ))  # fmt: skip
    write_csv_long(rounded, tmp_path / "b.csv")
    traces = load_traces(tmp_path)
    assert [t.device for t in traces] == ["D0", "D1", "D2", "D3"]
    assert "cell 2" in said(traces)


def test_a_file_named_after_its_device_goes_on_in_another(tmp_path):
    one = lot(n=1)
    for name, first, last in (("monday", 0, 45), ("tuesday", 45, 90)):
        rows = "".join(f"{p},{r}\n" for p, r in zip(*_reads(part(one, first, last)), strict=True))
        (tmp_path / f"{name}.csv").write_text("pulse,R (ohm)\n" + rows)
    (trace,) = load_traces(tmp_path)
    assert (trace.device, len(trace)) == ("monday", 90)


def _reads(traces):
    return traces.traces[0].pulses, traces.traces[0].resistance_ohm


def test_later_cycles_of_the_same_devices_are_cycles(tmp_path):
    whole = lot(cycles=4, k=40)
    for name, cycles in (("a", (0, 1)), ("b", (2, 3))):
        write_csv_long(TraceSet(tuple(t for t in whole if t.cycle in cycles)), tmp_path / f"{name}.csv")
    traces = load_traces(tmp_path)
    assert [t.key for t in traces] == [t.key for t in whole]


def test_other_values_are_other_devices(tmp_path):
    write_csv_long(lot(1), tmp_path / "a.csv")
    write_csv_long(lot(2), tmp_path / "b.csv")
    traces = load_traces(tmp_path)
    assert len(traces) == 8
    assert not traces.exclusions
    (tmp_path / "b.csv").unlink()
    far = TraceSet(tuple(PulseTrace(t.device, t.pulses + 90, 5 * t.resistance_ohm) for t in lot(2)))
    write_csv_long(far, tmp_path / "c.csv")
    assert len(load_traces(tmp_path)) == 8


def test_devices_that_all_read_the_same_are_not_one(tmp_path):
    for name in "abc":
        rows = "".join(f"{name.upper()},{p},1200000\n" for p in range(60))
        (tmp_path / f"{name}.csv").write_text("device,pulse,R (ohm)\n" + rows)
    assert len(load_traces(tmp_path, limits=None)) == 3


def test_nearly_the_same_is_refused(tmp_path):
    whole = lot()
    write_csv_long(whole, tmp_path / "a.csv")
    changed = [np.where(t.pulses == 7, 2 * t.resistance_ohm, t.resistance_ohm) for t in whole]
    write_csv_long(TraceSet.from_arrays([t.device for t in whole], range(90), changed), tmp_path / "b.csv")
    with pytest.raises(TraceError, match=r"89 of 90 readings are the same .*pulse 7"):
        load_traces(tmp_path)


def test_two_lots_cut_at_the_same_pulse_are_not_crossed(tmp_path):
    for seed, name in ((1, "north"), (2, "south")):
        for half, first in ((1, 0), (2, 45)):
            write_csv_long(part(lot(seed), first, first + 45), tmp_path / f"{name}{half}.csv")
    with pytest.raises(TraceError, match=r"nothing tells which of them goes on"):
        load_traces(tmp_path)


def test_in_parts_a_copy_is_read_once_and_what_would_be_merged_is_refused(tmp_path):
    whole = lot()
    write_hdf5(whole, tmp_path / "a.h5")
    shutil.copy(tmp_path / "a.h5", tmp_path / "b.h5")
    parts = TraceSet.join(stream_traces(tmp_path))
    assert len(parts) == 4
    assert "same file" in said(parts)
    write_hdf5(part(whole, 0, 60), tmp_path / "b.h5")
    with pytest.raises(TraceError, match="--no-stream"):
        list(stream_traces(tmp_path))
    write_hdf5(part(whole, 0, 45), tmp_path / "a.h5")
    write_hdf5(part(whole, 45, 90), tmp_path / "b.h5")
    with pytest.raises(TraceError, match="going on"):
        list(stream_traces(tmp_path))


def test_many_files_of_one_name_take_no_long_time(tmp_path):
    for i in range(60):
        write_csv_long(lot(i, n=1, k=40), tmp_path / f"f{i:03d}.csv")
    assert len({t.device for t in load_traces(tmp_path)}) == 60
