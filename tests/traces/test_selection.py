"""Pulses of several amplitudes: refused in a fit, chosen by `where`."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weakreset.errors import TraceError, UsageError, WeakResetError
from weakreset.fitting import fit_devices, fit_stream
from weakreset.traces import PulseTrace, TraceSet, count_settings, load_traces, parse_where, select_where


def trace(device="A", n=100, **extras):
    ohm = 7000 * np.exp(np.random.default_rng(len(device)).normal(0, 0.01, n))
    return PulseTrace(device, np.arange(n), ohm, 0, {name: np.asarray(values) for name, values in extras.items()})


@pytest.fixture
def mixed():
    """A: amplitude changes at pulse 60. B: 0.9 throughout, the fresh read without a value. C: no such column."""
    a = trace("A", v_sl=np.where(np.arange(100) < 60, 0.9, 1.0), die=["d1"] * 100)
    b = trace("Bee", v_sl=np.concatenate([[np.nan], np.full(99, np.float32(0.9))]), die=["d 2"] * 100)
    return TraceSet((a, b, trace("C", 40)))


def lengths(traces):
    return {t.device: len(t) for t in traces}


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("v_sl==0.9", {"A": 60, "Bee": 100}),
        ("v_sl != 0.9", {"A": 40}),
        ("v_sl<=0.9 and pulse < 50", {"A": 50, "Bee": 50}),
        ("v_sl > 0.9", {"A": 40}),
        ("die=='d 2'", {"Bee": 100}),
        ("die==d1 and v_sl==1.0", {"A": 40}),
        ("device==C", {"C": 40}),
        ("device!=C and cycle==0 and pulse>=10", {"A": 90, "Bee": 90}),
        ("resistance_ohm>1", {"A": 100, "Bee": 100, "C": 40}),
    ],
)
def test_conditions(mixed, where, expected):
    selected = select_where(mixed, where)
    assert lengths(selected) == expected
    left_out = sum(item.n_readings for item in selected.exclusions)
    assert left_out == 240 - sum(expected.values())
    assert all(item.reason == f"not selected by where {where}" for item in selected.exclusions)
    assert f"{240 - left_out} of 240 reads selected, {left_out} excluded" in selected.notes[0]


def test_a_device_without_a_selected_read_is_excluded_whole(mixed):
    selected = select_where(mixed, "v_sl==1.0")
    assert [(item.device, item.pulse) for item in selected.exclusions] == [("A", 0), ("Bee", None), ("C", None)]


def test_pulses_of_another_kind_between_or_before_are_said():
    v = np.where(np.arange(100) % 10 < 5, 0.9, 1.0)
    notes = select_where(TraceSet((trace(v_sl=v),)), "v_sl==1.0").notes
    assert "not contiguous: in device 'A', 4 reads of other pulses come before and 45 lie between" in notes[1]
    assert len(select_where(TraceSet((trace(v_sl=np.full(100, 0.9)),)), "v_sl==0.9").notes) == 1


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("v_s1==0.9", r"no column is called 'v_s1'; did you mean 'v_sl'\?"),
        ("v_sl=0.9", "compare with =="),
        ("v_sl", "not a condition"),
        ("v_sl==0.9 or v_sl==1", "not a condition"),
        ("__import__('os').system('x')==1 and 1", "not a condition"),
        ("v_sl==high", "holds numbers"),
        ("die<d2", "no order"),
        ("v_sl==3", r"selects nothing: v_sl is 0\.9, 1"),
        ("x" * 2000, "characters long"),
        ("", "not a condition"),
    ],
)
def test_what_makes_no_sense_is_explained(mixed, where, words):
    with pytest.raises(UsageError, match=words):
        select_where(mixed, where)


@given(st.text(max_size=60))
def test_any_text_is_parsed_or_refused(text):
    with contextlib.suppress(WeakResetError):
        assert all(condition.column for condition in parse_where(text))


def test_a_fit_refuses_to_mix_amplitudes_and_takes_a_selection(mixed):
    with pytest.raises(TraceError, match=r"v_sl are mixed: 0\.9 \(158 reads of 2 traces\), 1 \(40 reads of 1 traces\)"):
        fit_devices(mixed)
    assert len(fit_devices(select_where(mixed, "v_sl==0.9")).usable) == 2
    assert len(fit_devices(mixed, mixed_pulses=True).usable) == 3


def test_amplitudes_that_differ_between_devices_are_mixed_too_even_in_a_stream():
    parts = [TraceSet((trace(name, v_sl=np.full(100, v)),)) for name, v in (("A", 0.9), ("B", 1.0))]
    assert len(fit_stream(iter(parts[:1])).usable) == 1
    with pytest.raises(TraceError, match="mixed"):
        fit_stream(iter(parts))


def test_zero_and_empty_settings_and_the_fresh_read_are_no_pulses():
    v = np.concatenate([[5.0], np.full(50, 0.9), np.zeros(20), np.full(29, np.nan)])
    assert count_settings(TraceSet((trace(v_sl=v, width=["1us"] * 100),))) == {
        "v_sl": {"0.9": (50, 1)},
        "width": {"1us": (99, 1)},
    }


def test_loading_selects_before_it_screens(tmp_path):
    rows = "".join(f"{i},{7000 + i},{0.9 if i < 40 else 1.0}\n" for i in range(100))
    (tmp_path / "t.csv").write_text("pulse,R,v_sl [V]\n" + rows)
    traces = load_traces(tmp_path / "t.csv", where="v_sl==0.9")
    assert lengths(traces) == {"t": 40}
    with pytest.raises(TraceError, match="too few reads"):
        load_traces(tmp_path / "t.csv", where="pulse<20")
