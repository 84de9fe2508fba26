import numpy as np
import pytest

from weakreset.errors import TraceError
from weakreset.traces import PulseTrace, TraceSet
from weakreset.validation.plan import make_plan, stratify


def trace(name, pulses, seed=0):
    rng = np.random.default_rng(seed)
    return PulseTrace(name, np.asarray(pulses), 7000 * np.exp(0.01 * rng.standard_normal(len(pulses))))


def test_devices_read_at_the_same_pulses_share_a_stratum():
    strata = stratify(TraceSet((trace("a", range(10)), trace("b", range(10)), trace("c", range(5)))))
    assert sorted(len(s) for s in strata) == [1, 2]


def test_the_plan_depends_on_where_was_read_and_not_on_what():
    pulses = np.arange(0, 300)
    plans = [make_plan(stratify(TraceSet((trace("a", pulses, s), trace("b", pulses, s + 9))))) for s in (1, 2)]
    assert np.array_equal(plans[0].envelope_pulses, plans[1].envelope_pulses)
    assert plans[0].stride == 1
    assert plans[0].segment == 128


def test_bursts_of_pulses_give_their_stride():
    plan = make_plan(stratify(TraceSet((trace("a", np.arange(0, 5000, 50)),))))
    assert plan.stride == 50
    assert set(plan.envelope_pulses) <= set(range(50, 5000, 50))


def test_every_chosen_pulse_was_read_by_half_of_the_devices():
    strata = stratify(TraceSet((trace("a", range(100)), trace("b", range(100)), trace("c", range(400)))))
    assert make_plan(strata).envelope_pulses.max() == 99


def test_no_device_with_two_reads_is_refused():
    with pytest.raises(TraceError, match="no device has two reads"):
        stratify(TraceSet((trace("a", [0]),)))
