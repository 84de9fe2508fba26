"""Reads that cannot be, and devices that die midway. Noise from fixed seeds; no law is tested."""

from __future__ import annotations

import numpy as np
import pytest

from weakreset.traces import PulseTrace, ScreeningLimits, TraceSet, load_traces, screen


def healthy(n=100, level=7000.0):
    return level * np.exp(np.random.default_rng(0).normal(0, 0.02, n))


def screened(ohm, first=0, **limits):
    trace = PulseTrace("A", first + np.arange(len(ohm)), ohm)
    return screen(TraceSet((trace,)), ScreeningLimits(**limits))


@pytest.mark.parametrize("factor", [0.1, 0.03, 10.0, 40.0])
def test_single_glitches_are_left_out_and_the_trace_goes_on(factor):
    ohm = healthy()
    ohm[[20, 22, 70]] *= factor
    result = screened(ohm)
    assert len(result.traces[0]) == 97
    assert [item.pulse for item in result.exclusions] == [20, 22, 70]
    assert all(item.reason.startswith("glitch: ") for item in result.exclusions)
    assert len(screened(ohm, glitch_decades=0).traces[0]) == 100


def test_a_device_that_switches_all_the_time_is_no_glitch():
    ohm = healthy()
    ohm[::3] *= 8
    assert len(screened(ohm, set_ratio=0).traces[0]) == 100


def test_reads_beyond_any_resistance_are_left_out_even_at_pulse_0():
    ohm = healthy()
    ohm[[0, 50, 98, 99]] = 3e11
    result = screened(ohm)
    assert (len(result.traces[0]), result.traces[0].r0_ohm) == (96, None)
    assert all(item.reason.startswith("overflow: ") for item in result.exclusions)


@pytest.mark.parametrize(
    ("after", "first", "kind"),
    [(2e8, 0, "open"), (1e10, 5, "open"), (5.0, 0, "short"), (40.0, 0, "short"), (40.0, 5, "short"), (600, 0, "short"),
     (1e6, 0, "abrupt"), (3000.0, 0, "looks like a SET"), (600.0, 5, "looks like a SET")],
)  # fmt: skip
def test_a_device_that_dies_is_cut_there(after, first, kind):
    ohm = np.concatenate([healthy(60), healthy(40, after)])
    result = screened(ohm, first)
    assert len(result.traces[0]) == 60
    (item,) = result.exclusions
    assert (item.reason.split(":")[0], item.pulse, item.n_readings) == (kind, first + 60, 40)


def test_a_device_that_dies_soon_is_left_out_as_a_defect():
    (cut, whole) = screened(np.concatenate([healthy(10), healthy(8, 1e9)])).exclusions
    assert (cut.pulse, whole.pulse) == (10, None)
    assert whole.reason.startswith("open: ")


def test_a_climb_through_the_limit_is_no_opening():
    assert len(screened(np.geomspace(1e5, 5e7, 100), first=1).traces[0]) == 100


def test_overflow_to_the_end_is_an_open_device(tmp_path):
    cells = [f"{value:.6g}" for value in healthy(60)] + ["9.91E+37"] * 20
    path = tmp_path / "lot.csv"
    rows = "".join(f"A,{i},{cell}\n" for i, cell in enumerate(cells))
    rows += "".join(f"B,{i},9.9E37\n" for i in range(20)) + "".join(f"C,{i},{c}\n" for i, c in enumerate(cells[:60]))
    path.write_text("device,pulse,R_ohm\n" + rows)
    traces = load_traces(path)
    assert [len(trace) for trace in traces] == [60, 60]
    opened = {item.device: item for item in traces.exclusions if item.reason.startswith("open: ")}
    assert (opened["A"].pulse, opened["A"].n_readings, opened["B"].pulse) == (60, 20, None)


def test_currents_pinned_at_the_compliance_are_named(tmp_path):
    current = 0.1 / healthy(80, 5e4)
    current[[10, 30, 31, 50]] = 1e-4
    path = tmp_path / "lot.csv"
    path.write_text("pulse,I [A],V_read [V]\n" + "".join(f"{i},{value:.9g},0.1\n" for i, value in enumerate(current)))
    traces = load_traces(path)
    assert len(traces.traces[0]) == 76
    assert {item.reason for item in traces.exclusions} == {"current pinned at the compliance"}
