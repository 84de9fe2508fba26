"""What a run costs, counted twice."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from weakreset.parameter_file import ResetPulse, load_parameters
from weakreset.simulation import DeviceArray, PulseOptimizer, convert
from weakreset.simulation.pulse_report import PulseReport
from weakreset.training import build_network
from weakreset.training.costs import costs, pulses_by_device


def test_costs_agree_with_the_devices_own_counters() -> None:
    model = convert(build_network("mlp", (1, 4, 4), 3, hidden=8), "majumdar2021", seed=1)
    arrays = [part for part in model.modules() if isinstance(part, DeviceArray)]
    optimizer = PulseOptimizer(model.parameters(), lr=40)
    total = PulseReport()
    for seed in range(30):
        generator = torch.Generator().manual_seed(seed)
        model(torch.randn(6, 1, 4, 4, generator=generator)).square().sum().backward()
        optimizer.step()
        total = total + optimizer.last_step
        optimizer.zero_grad()
    found = costs(arrays, total)
    pulses = np.concatenate([array.pulse_count.numpy().ravel() for array in arrays])
    assert found["pulses"] == pulses.sum() > 0
    assert found["pulses_mean"] == pytest.approx(pulses.mean())
    assert found["pulses_max"] == pulses.max()
    assert 0 < found["reads"] == found["bursts"] <= 30 * pulses.size / 2
    knees = np.concatenate([array.t_star.numpy().ravel() for array in arrays])
    assert found["past_knee"] == pytest.approx(np.mean(pulses >= knees))
    assert found["sets"] == 0


def test_sets_are_counted_and_pulses_before_them_kept() -> None:
    array = DeviceArray((5,), "majumdar2021")
    array.pulse(3)
    array.set_(torch.tensor([True, False, True, False, False]))
    found = costs([array], PulseReport())
    assert found["sets"] == 2
    assert pulses_by_device(array).tolist() == [3] * 5
    assert found["pulses_mean"] == 3


def test_ideal_weights_cost_nothing() -> None:
    assert set(costs([], PulseReport(flips=7)).values()) == {0}


def test_energy_is_reported_where_the_file_prices_a_pulse() -> None:
    params = load_parameters("majumdar2021")
    priced = params.model_copy(update={"reset_pulse": ResetPulse(voltage_v=1.0, width_s=1e-7)})
    array = DeviceArray((400,), priced)
    array.pulse(50)
    spent = costs([array, DeviceArray((5,), params)], PulseReport())["energy_j"]
    ohm = array.resistance().double()
    assert spent == pytest.approx(float(50 * 1e-7 * (1 / ohm).sum()), rel=0.05)  # R rises by less than that meanwhile
    assert "energy_j" not in costs([DeviceArray((5,), params)], PulseReport())
