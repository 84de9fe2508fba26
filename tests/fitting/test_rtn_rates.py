"""Telegraph rates and the share of devices with a trap, from the states themselves."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

from weakreset.fitting.rtn_rates import pooled_rates
from weakreset.model import telegraph_states

P_UP, P_DOWN = 8e-4, 2e-3


def devices(seed, share, n=80, pulses=800):
    rng = np.random.default_rng(seed)
    has, high = rng.random(n) < share, telegraph_states(rng, n, pulses, P_UP, P_DOWN)
    fits = []
    for trap, states in zip(has, high, strict=True):
        steps = tuple((np.flatnonzero(np.diff(states.astype(int))) + 2).tolist()) if trap else ()
        status, amplitude = ("ok", 0.1) if steps else ("not_detected", None)
        rtn = SimpleNamespace(status=status, amplitude=amplitude, steps=steps, starts_high=bool(states[0]))
        fits.append(SimpleNamespace(rtn=rtn, alpha_used=0.007, pulses=np.arange(1, pulses + 1)))
    return fits


@pytest.mark.statistical
@pytest.mark.parametrize("share", [0.6, 1.0])
def test_intervals_hold_the_truth(share):
    """40 sets of 80 devices x 800; of 40 intervals of 95 % fewer than 33 hold with probability 6e-4 (binomial)."""
    inside, halved = np.zeros(3), np.zeros(3)
    for seed in range(40):
        rates = pooled_rates(devices(seed, share))
        off = np.abs([
            np.log(rates.p_up / P_UP) * rates.p_up / rates.p_up_stderr,
            np.log(rates.p_down / P_DOWN) * rates.p_down / rates.p_down_stderr,
            (rates.share - share) / rates.share_stderr,
        ])
        inside += off < 1.96
        halved += off < 0.7
    least = stats.binom.ppf(6e-4, 40, 0.95)
    assert np.all(inside >= least)
    assert np.all(halved < least)  # errors a third of what they should be would not do


def test_few_transitions_give_no_rates():
    rates = pooled_rates(devices(1, 0.0))
    assert rates.p_up is None
    assert rates.share is None
    assert "not identifiable" in rates.note
