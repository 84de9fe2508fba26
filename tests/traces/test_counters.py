from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weakreset.traces.counting import follow_counter
from weakreset.traces.trace import Reason


def follow(*pulses):
    path = follow_counter(np.array(pulses))
    return path.cycle.tolist(), [Reason(int(r)).name for r in path.reason], path.refused


def test_a_rising_counter_is_one_cycle():
    assert follow(0, 1, 5, 9) == ([0] * 4, ["GOOD"] * 4, "")


@pytest.mark.parametrize("start", [0, 1, 7])
def test_a_restart_is_a_new_cycle(start):
    assert follow(start, start + 1, start + 2, start, start + 1)[0] == [0, 0, 0, 1, 1]


def test_a_repeated_number_keeps_the_first_reading():
    assert follow(0, 1, 1, 2, 3, 4)[1] == ["GOOD", "GOOD", "REPEAT", "GOOD", "GOOD", "GOOD"]
    assert follow(2, 3, 4, 3, 5, 6)[1] == ["GOOD", "GOOD", "GOOD", "DUPLICATE", "GOOD", "GOOD"]


def test_a_counter_that_went_back_is_named():
    cycle, reason, refused = follow(*range(2, 20), 22, 21, 23, 24)
    assert cycle == [0] * 22
    assert [i for i, word in enumerate(reason) if word == "BACKWARDS"] == [19]
    assert not refused


def test_a_counter_sorted_as_text_refuses_the_device():
    pulses = sorted(range(5, 120), key=str)
    assert "not monotone" in follow(*pulses)[2]


@given(st.lists(st.integers(0, 30), min_size=1, max_size=60))
def test_what_is_kept_always_rises(pulses):
    path = follow_counter(np.array(pulses))
    for cycle in np.unique(path.cycle):
        kept = np.array(pulses)[(path.cycle == cycle) & (path.reason == 0)]
        assert np.all(np.diff(kept) > 0)
        assert kept.size
