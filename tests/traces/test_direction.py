"""Ramps up and down under one counter, devices that fall and devices that turn, told when the file is read."""

from __future__ import annotations

import numpy as np
import pytest

from weakreset.errors import UsageError
from weakreset.model import pink_noise, telegraph_states
from weakreset.traces import PulseTrace, ScreeningLimits, TraceSet
from weakreset.traces.direction import Votes, note_direction
from weakreset.traces.ramps import tell_ramps_apart
from weakreset.traces.screening import screen

N_READS = 400


def as_set(rows: np.ndarray) -> TraceSet:
    return TraceSet.from_arrays([f"d{i}" for i in range(len(rows))], np.arange(rows.shape[1]), 8e3 * np.exp(rows))


def series(up: int, down: int, n_periods: int, height: float, bend: float = 0.0) -> np.ndarray:
    """ln R of ramps up in `up` pulses and down in `down`, straight or slowing; the first read before any pulse."""
    rise, fall = np.linspace(0.0, 1.0, up + 1)[1:], np.linspace(0.0, 1.0, down + 1)[1:]
    if bend:
        rise, fall = (np.expm1(-bend * x) / np.expm1(-bend) for x in (rise, fall))
    return height * np.concatenate([[0.0], *[np.concatenate([rise, 1.0 - fall])] * n_periods])


@pytest.mark.parametrize(
    ("up", "down", "n_periods", "height", "bend"),
    [
        (32, 32, 10, 0.15, 0.0), (40, 40, 8, 0.1, 3.0), (5, 5, 40, 0.4, 0.0), (40, 20, 6, 0.6, 0.0),
        (60, 60, 2, 0.9, 2.0),
    ],
)
def test_ramps_are_told_apart_and_cut_at_their_turns(up, down, n_periods, height, bend):
    """1/f noise of 0.004 (seed 7). A cut lies within three reads of its turn, and all reads of a way belong to it."""
    rng = np.random.default_rng(7)
    truth = series(up, down, n_periods, height, bend)
    traces = as_set(truth + 0.004 * pink_noise(rng, 4, len(truth)))
    out = tell_ramps_apart(traces)
    assert not out.traces
    assert all("--limits split_ramps=reset" in item.reason for item in out.exclusions)
    assert all(f"{2 * n_periods} ramps" in item.reason for item in out.exclusions)
    for way, n_pulses, first in (("reset", up, 0), ("set", down, up)):
        split = tell_ramps_apart(traces, way)
        ramps = [trace for trace in split if trace.device == "d1"]
        assert [trace.cycle for trace in ramps] == list(range(n_periods))
        assert [item.reason for item in split.exclusions] == [
            f"ramps up and down: {n_periods} of {2 * n_periods} ramps "
            f"{'fall (SET)' if way == 'reset' else 'rise (RESET)'}, with split_ramps={way}"
        ] * 4
        whole = traces.traces[1].resistance_ohm
        for at, ramp in enumerate(ramps):
            assert ramp.pulses[0] == 0
            assert ramp.n_pulses == pytest.approx(n_pulses, abs=3)
            begin = int(np.flatnonzero(whole == ramp.resistance_ohm[0])[0])
            assert begin == pytest.approx(first + at * (up + down), abs=3)


def test_the_limit_does_it_and_knows_its_words():
    truth = series(50, 50, 3, 0.8)
    split = tell_ramps_apart(as_set(truth[None]), ScreeningLimits.parse("split_ramps=SET").split_ramps)
    assert [len(trace) for trace in screen(split)] == [51, 51, 51]
    with pytest.raises(UsageError, match="split_ramps 'up' must be one of no, reset, set"):
        ScreeningLimits.parse("split_ramps=up")


def test_noise_does_not_ramp():
    """6,000 traces of 100 reads, 1/f and telegraph noise of four rates (seed 2): not one; red noise 1 in 10,000."""
    rng = np.random.default_rng(2)
    noise = [0.01 * pink_noise(rng, 20, 6000).reshape(-1, 100)]
    noise += [
        0.06 * telegraph_states(rng, 20, 6000, up, down).reshape(-1, 100) + 0.5 * noise[0]
        for up, down in ((8e-4, 2e-3), (4e-3, 6e-3), (1e-2, 1e-2), (3e-2, 5e-2))
    ]
    rows = np.concatenate(noise)
    assert len(tell_ramps_apart(as_set(rows)).traces) == len(rows)
    ramped = 0.4 * rows[:200] + series(10, 10, 5, 0.25)[:100]
    assert not tell_ramps_apart(as_set(ramped)).traces


def pink(rng: np.random.Generator, n: int) -> np.ndarray:
    """Pieces of long series: each series costs a history of 32,768 reads."""
    return 0.0072 * pink_noise(rng, 1, n * N_READS).reshape(n, N_READS)


def rising(rng: np.random.Generator, n: int) -> np.ndarray:
    knee = np.maximum(25.0, 200.0 * rng.weibull(1.7, (n, 1)))
    drift = rng.gamma(3.0, 3.2e-4, (n, 1)) * np.minimum(np.arange(N_READS), knee)
    states = telegraph_states(rng, n, N_READS, 2e-3, 4e-3)
    return drift + pink(rng, n) + 0.5 * np.exp(-rng.gamma(3.0, 1.0, (n, 1))) * states


def test_a_rising_lot_is_no_gradual_set_and_a_falling_one_is():
    """Sets of 100 devices of which a few end below their start by telegraph noise (seeds 50 to 52)."""
    for seed in (50, 51, 52):
        rows = rising(np.random.default_rng(seed), 100)
        assert (rows[:, -40:].mean(axis=1) < rows[:, :40].mean(axis=1) - 0.05).any()
        assert not any("SET" in note for note in note_direction(as_set(rows)).notes)
        assert note_direction(as_set(-rows)).notes[0].endswith("a gradual SET rather than a weak RESET")


def test_what_turns_is_counted_apart_and_a_set_of_both_directions_is_said():
    """Of 400 rising devices at most four turn (0.1 % do by chance; p < 1e-3); all that rise and fall back do."""
    rng = np.random.default_rng(5)
    t = np.linspace(0.0, 1.0, N_READS)
    rows, noise = rising(rng, 400), pink(rng, 20)
    votes, turned = Votes(), Votes()
    votes.add([str(i) for i in range(400)], rows)
    turned.add([str(i) for i in range(20)], noise + np.where(t < 0.4, t / 0.4, (1.0 - t) / 0.6) * 0.5)
    assert len(votes.turning) <= 4
    assert len(turned.turning) >= 18
    assert len(turned.turning) + len(turned.rising) + len(turned.falling) <= 20
    steep = np.concatenate([noise + 0.4 * t, noise - 0.4 * t])
    (said,) = note_direction(as_set(steep)).notes
    assert said.startswith("20 devices rise with pulses (d0, d1,")
    assert "--direction set" in said


def test_one_trace_that_falls_is_said():
    ohm = 8e3 * np.exp(-np.linspace(0.0, 0.5, 60) + 0.01 * np.random.default_rng(1).standard_normal(60))
    notes = note_direction(TraceSet((PulseTrace("A", np.arange(60), ohm),), (), (), ())).notes
    assert notes == ("the resistance falls with the pulses in the trace: a gradual SET rather than a weak RESET",)
