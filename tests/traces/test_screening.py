from __future__ import annotations

import numpy as np
import pytest

from weakreset.errors import TraceError, UsageError
from weakreset.traces import PulseTrace, ScreeningLimits, TraceSet, load_traces, screen


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


def with_fall(ratio, at=60):
    ohm = healthy()
    ohm[at:] *= ratio * ohm[at - 1] / ohm[at]
    return ohm


def test_a_fall_like_a_set_ends_the_trace_and_the_rest_is_counted():
    result = screened(with_fall(0.45))
    assert result.traces[0].pulses.tolist() == list(range(60))
    (item,) = result.exclusions
    assert item.reason.startswith("looks like a SET: ")
    assert (item.pulse, item.n_readings) == (60, 40)


def test_a_smaller_fall_or_one_that_does_not_stay_is_no_set():
    assert len(screened(with_fall(0.55)).traces[0]) == 100
    glitch = healthy()
    glitch[60] *= 0.3
    assert len(screened(glitch).traces[0]) == 100
    assert len(screened(with_fall(0.45), set_ratio=0.0).traces[0]) == 100
    assert len(screened(with_fall(0.45), set_ratio=0.4).traces[0]) == 100


def test_falls_can_be_split_into_cycles():
    ohm = np.concatenate([healthy(50), healthy(50, 1) * 0.4, healthy(50, 2) * 0.1])
    other = trace(healthy(), cycle=3)
    result = screen(TraceSet((trace(ohm), other)), ScreeningLimits(split_sets=True))
    assert [(t.cycle, t.pulses[0], len(t)) for t in result] == [(0, 0, 50), (4, 0, 50), (5, 0, 50), (3, 0, 100)]
    assert not result.exclusions


@pytest.mark.parametrize(
    ("ohm", "reason"),
    [
        (np.full(100, 9.99e6) * np.exp(np.random.default_rng(1).normal(0, 1e-4, 100)), ""),
        (np.full(100, 1.01e7) * np.exp(np.random.default_rng(1).normal(0, 1e-4, 100)), "open"),
        (np.full(100, 10.1) * np.exp(np.random.default_rng(1).normal(0, 1e-4, 100)), ""),
        (np.full(100, 9.9) * np.exp(np.random.default_rng(1).normal(0, 1e-4, 100)), "short"),
        (np.append(np.full(99, 7000.0), 7000.1), ""),
        (healthy(30), ""),
        (healthy(29), "too few reads"),
    ],
)
def test_devices_near_a_threshold(ohm, reason):
    result = screened(ohm)
    assert [item.reason.split(":")[0] for item in result.exclusions] == ([reason] if reason else [])
    assert len(result) == (0 if reason else 1)


def test_padding_just_below_its_threshold_stays():
    assert len(screened(np.concatenate([healthy(60), np.full(9, 9000.0)])).traces[0]) == 69
    assert len(screened(np.concatenate([healthy(60), np.full(10, 9000.0)])).traces[0]) == 61


def test_the_limits_are_written_read_and_noted():
    text = "open_ohm=1e8,stuck=no, min_reads=5,set_ratio=0.3"
    limits = ScreeningLimits.parse(text)
    assert (limits.open_ohm, limits.stuck, limits.min_reads, limits.set_ratio) == (1e8, False, 5, 0.3)
    assert ScreeningLimits.parse(str(limits)) == limits
    assert f"screening limits: {limits}" in screen(TraceSet((trace(healthy()),)), limits).notes


@pytest.mark.parametrize(
    ("text", "words"),
    [("open_om=1", "did you mean open_ohm"), ("open_ohm=x", "a number"), ("stuck=2", "yes or no"), ("stuck", "limits")],
)
def test_limits_that_cannot_be_read_are_explained(text, words):
    with pytest.raises(UsageError, match=words):
        ScreeningLimits.parse(text)


@pytest.mark.parametrize(
    "limits",
    [{"set_ratio": 1.0}, {"open_ohm": 1, "short_ohm": 2}, {"min_reads": -1}, {"open_ohm": float("nan")}],
)
def test_limits_that_make_no_sense_are_refused(limits):
    with pytest.raises(UsageError):
        ScreeningLimits(**limits)


def lot(*odd, n=20):
    """`n` cells of 7 kohm that drift, and others."""
    cells = [trace(healthy(seed=seed) * np.exp(np.linspace(0, 0.4, 100)), f"D{seed}") for seed in range(n)]
    return TraceSet((*cells, *(trace(ohm, f"odd{at}") for at, ohm in enumerate(odd))))


def test_a_short_through_its_leads_and_a_cell_that_was_never_set_are_told_by_the_others():
    result = screen(lot(healthy() / 60, healthy() * 30))
    assert len(result) == 20
    reasons = {item.device: item.reason for item in result.exclusions}
    assert reasons["odd0"].startswith("short: 116.")
    assert "times below the other devices (" in reasons["odd0"]
    assert reasons["odd1"].startswith("stuck: 2.")
    assert "times above the other devices (" in reasons["odd1"]
    assert all(item.trace is not None for item in result.exclusions)  # the report draws them


@pytest.mark.parametrize(
    "kept",
    [
        lot(healthy() / 8),  # less than a decade
        lot(healthy() / 60 * np.exp(np.linspace(0, 1.0, 100))),  # a low cell, but one that drifts
        lot(*[healthy() / 60] * 8),  # a second kind of device
        lot(healthy() / 60, n=8),  # too few to say who is the odd one
    ],
)
def test_who_is_no_clear_defect_beside_the_others_stays(kept):
    assert len(screen(kept)) == len(kept)


def test_a_wide_lot_has_no_far_devices():
    rng = np.random.default_rng(4)
    wide = TraceSet(tuple(trace(healthy(seed=k) * np.exp(rng.normal(0, 1.0)), f"D{k}") for k in range(200)))
    assert not screen(wide).exclusions


def test_devices_far_from_the_others_can_be_kept():
    assert len(screen(lot(healthy() / 60), ScreeningLimits(far_decades=0))) == 21


@pytest.mark.parametrize(
    ("factor", "way"), [(1e5, "--limits open_ohm=1e10"), (1e-4, "--limits short_ohm=1e-1")]
)
def test_where_all_lie_beyond_a_limit_the_limit_to_give_is_said_and_works(tmp_path, factor, way):
    rows = [f"D{d},{n},{factor * 8000 * (1 + 0.2 * d + 1e-3 * n):.6g}" for d in range(3) for n in range(40)]
    (tmp_path / "lot.csv").write_text("\n".join(["device,pulse,resistance_ohm", *rows]) + "\n")
    with pytest.raises(TraceError, match=f"no device is left. Excluded: 3 x .*{way}$"):
        load_traces(tmp_path / "lot.csv")
    limits = ScreeningLimits.parse(way.split()[1])
    assert len(load_traces(tmp_path / "lot.csv", limits=limits)) == 3
