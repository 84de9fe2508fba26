from __future__ import annotations

import numpy as np
import pytest

from weakreset.errors import UsageError
from weakreset.traces import PulseTrace, ScreeningLimits, TraceSet, screen


def trace(ohm, device="A", **options):
    return PulseTrace(device, np.arange(len(ohm)), ohm, **options)


def healthy(n=100, seed=0):
    return 7000 * np.exp(np.random.default_rng(seed).normal(0, 0.01, n))


def screened(ohm, **limits):
    return screen(TraceSet((trace(ohm),)), ScreeningLimits(**limits))


def test_a_healthy_trace_passes_untouched():
    whole = TraceSet((trace(healthy()),))
    assert screen(whole).traces == whole.traces
    assert not screen(whole).exclusions


@pytest.mark.parametrize(
    ("ohm", "reason"),
    [
        (healthy() * 1e4, "open: median resistance 7.0"),
        (healthy() / 1e4, "short: median resistance 0.7"),
        (np.full(100, 7000.0), "stuck: all 100 reads are 7000.0 ohm"),
        (healthy(29), "too few reads: 29 reads, fewer than 30"),
    ],
)
def test_a_broken_device_is_moved_to_the_exclusions_with_its_reason(ohm, reason):
    result = screened(ohm)
    assert not result.traces
    (item,) = result.exclusions
    assert item.reason.startswith(reason)
    assert (item.device, item.n_readings) == ("A", len(ohm))


def test_every_limit_can_be_set():
    assert len(screened(healthy() * 1e4, open_ohm=1e9)) == 1
    assert len(screened(healthy() / 1e4, short_ohm=0.1)) == 1
    assert len(screened(np.full(100, 7000.0), stuck=False)) == 1
    assert len(screened(healthy(5), min_reads=3)) == 1
    assert "before 500" in screened(healthy(), min_last_pulse=500).exclusions[0].reason


def test_copies_after_a_stop_are_cut_and_counted():
    ohm = np.concatenate([healthy(60), np.full(40, 9000.0)])
    result = screened(ohm)
    assert result.traces[0].pulses.tolist() == list(range(61))
    (item,) = result.exclusions
    assert (item.reason, item.pulse, item.n_readings) == ("padded: copies of the last read after a stop", 61, 39)


def test_an_early_stop_that_was_padded_is_too_short():
    result = screened(np.concatenate([healthy(15), np.full(85, 9000.0)]))
    assert [item.reason.split(":")[0] for item in result.exclusions] == ["padded", "early stop"]


def test_coarse_readings_that_repeat_anywhere_are_not_padding():
    steps = np.repeat(np.round(healthy(20), 0), 8)
    assert len(screened(np.concatenate([steps, np.full(12, 9000.0)])).traces[0]) == 172


def test_extra_columns_are_cut_along():
    ohm = np.concatenate([healthy(60), np.full(40, 9000.0)])
    result = screen(TraceSet((trace(ohm, extras={"v": np.arange(100)}),)))
    assert result.traces[0].extras["v"].tolist() == list(range(61))


@pytest.mark.parametrize("limits", [{"open_ohm": 1, "short_ohm": 2}, {"min_reads": -1}, {"open_ohm": float("nan")}])
def test_limits_that_make_no_sense_are_refused(limits):
    with pytest.raises(UsageError):
        ScreeningLimits(**limits)
