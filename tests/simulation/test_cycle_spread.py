"""Cycle-to-cycle spread after a SET."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from weakreset.errors import SimulationError
from weakreset.parameter_file import ParameterFile, majumdar2021
from weakreset.simulation.device_array import DeviceArray
from weakreset.twin import simulate_traces

SPREADS = {
    "r0_ohm": {"sd": 0.05, "scale": "ln"}, "m1": {"sd": 0.3, "scale": "ln"}, "c1": {"sd": 0.02, "scale": "linear"},
}


def technology(c2c=None):
    raw = majumdar2021().model_dump(by_alias=True)
    raw["noise"]["pink"]["enabled"] = raw["noise"]["rtn"]["enabled"] = False
    return ParameterFile.model_validate(raw | {"c2c": c2c})


def every(array):
    return torch.ones(array.shape, dtype=torch.bool)


def test_a_file_without_it_keeps_its_bits_and_one_with_it_keeps_the_devices():
    plain, spread = DeviceArray(4000, technology(), 3), DeviceArray(4000, technology(SPREADS), 3)
    steps = (spread.log_r0 - plain.log_r0).numpy()
    assert np.corrcoef(plain.log_r0.numpy(), spread.log_r0.numpy())[0, 1] > 0.6
    assert steps.std() == pytest.approx(0.05, rel=0.05)  # 4,000 normals: 5 % is 4.5 sd
    assert torch.equal(plain.t_star, spread.t_star)


def test_a_set_draws_it_anew_about_the_device_itself():
    """The sd of the step between two cycles is sqrt(2) sd (4,000 devices: 5 % is 4.5 sd); devices stay themselves."""
    array = DeviceArray(4000, technology(SPREADS), 5)
    r0, m1, knee = array.log_r0.clone(), array.m1.clone(), array.t_star.clone()
    array.pulse(50)
    array.set_(every(array))
    assert torch.equal(array.log_r, array.log_r0)
    assert float((array.log_r0 - r0).std()) == pytest.approx(0.05 * 2**0.5, rel=0.05)
    assert float((array.m1 / m1).log().std()) == pytest.approx(0.3 * 2**0.5, rel=0.05)
    assert torch.equal(array.t_star, knee)
    spreads = []
    for _ in range(40):
        array.set_(every(array))
        spreads.append(array.log_r0.clone())
    own = DeviceArray(4000, technology(), 5).log_r0
    assert float((torch.stack(spreads).mean(0) - own).std()) == pytest.approx(0.05 / 40**0.5, rel=0.08)


def test_same_seed_same_bits_whatever_else_was_set():
    one, other = (DeviceArray(300, technology(SPREADS), 9) for _ in range(2))
    half = torch.arange(300) < 150
    one.set_(half)
    one.set_(every(one))
    other.set_(every(other))
    assert torch.equal(one.log_r0[150:], other.log_r0[150:])
    other.set_(half)
    assert torch.equal(one.log_r0, other.log_r0)
    assert torch.equal(one.traits, other.traits)


def test_it_is_part_of_the_state_and_shown_and_off_without_d2d():
    array = DeviceArray(50, technology(SPREADS), 2)
    array.set_(every(array))
    again = DeviceArray(50, technology(SPREADS), 2)
    again.load_state_dict(array.state_dict())
    array.set_(every(array))
    again.set_(every(again))
    assert torch.equal(array.log_r0, again.log_r0)
    assert "c2c=r0_ohm+m1+c1" in array.extra_repr()
    assert float(DeviceArray(50, technology(SPREADS), 2, without="d2d").log_r0.std()) < 1e-6
    with pytest.raises(SimulationError, match="other noise"):
        DeviceArray(50, technology(), 2).load_state_dict(array.state_dict())
    with pytest.raises(SimulationError, match="half_traits"):
        DeviceArray(50, technology(SPREADS), half_traits=True)


def test_simulated_traces_have_cycles_of_the_same_devices():
    """Within a device the sd of ln R0 is 0.05 (300 x 9 degrees of freedom: 8 % is 5.9 sd)."""
    traces = simulate_traces(technology(SPREADS), 300, 3, 4, n_cycles=10)
    assert len(traces) == 3000
    assert traces.simulated
    logs = np.log([trace.r0_ohm for trace in traces]).reshape(300, 10)
    assert logs.std(axis=1, ddof=1).mean() == pytest.approx(0.05 * 0.9727, rel=0.08)
    assert np.ptp(logs.mean(axis=1)) > 0.1
    alike = simulate_traces(technology(), 20, 3, 4, n_cycles=3)
    assert all(alike[f"sim0000#{cycle}"].r0_ohm == alike["sim0000"].r0_ohm for cycle in (1, 2))
