"""A read far from all around it stands alone; the edges of a telegraph state do not."""

from __future__ import annotations

import numpy as np

from weakreset.fitting.lone_reads import lone_reads


def test_edges_of_telegraph_states_are_no_lone_reads():
    """Steps of 5 to 40 standard deviations in white noise, states of 2 reads and more; seed 3."""
    rng = np.random.default_rng(3)
    for size in (0.05, 0.1, 0.2, 0.4):
        values = 0.01 * rng.standard_normal(400)
        for first, length in ((40, 2), (80, 3), (120, 60), (300, 100)):
            values[first : first + length] += size
        assert not len(lone_reads(values))


def test_a_glitch_is_a_lone_read_and_only_that():
    """Three glitches of 15 standard deviations, either way, beside a step; seed 4."""
    values = 0.01 * np.random.default_rng(4).standard_normal(400)
    values[200:] += 0.15
    values[[50, 90, 250]] += [0.15, -0.2, 0.2]
    assert lone_reads(values).tolist() == [50, 90, 250]
