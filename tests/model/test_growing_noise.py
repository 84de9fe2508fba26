"""Telegraph noise that grows with the resistance: twin, file, layers, switch, and the way from traces to the file."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest
import torch

from weakreset.model import noise_kind
from weakreset.parameter_file import dump_parameters, majumdar2021, parse_parameters
from weakreset.simulation import DeviceArray
from weakreset.twin import simulate_population

BLOCK = {
    "enabled": True, "p_up": 0.002, "p_down": 0.004, "growth": 2.0, "growth_stderr": 0.2, "fraction_of_devices": 0.75,
    "amplitude": {"family": "uniform", "params": {"low": 0.1, "high": 0.2}}, "n_devices": 40, "n_informative": 20,
}


def technology(**changes):
    raw = json.loads(dump_parameters(majumdar2021()))
    raw["noise"]["rtn"] = {"enabled": False, "p_up": 0.0, "p_down": 0.0, "amplitude": None}
    raw["noise"]["growing_rtn"] = BLOCK | changes
    return parse_parameters(json.dumps(raw))


def test_the_twin_shows_steps_that_grow_and_the_switch_removes_them():
    full = simulate_population(technology(), 40, 600, 5)
    off = simulate_population(technology(), 40, 600, 5, ("growing_rtn",))
    constant = simulate_population(technology(growth=0.0), 40, 600, 5)
    high = full.states["growing_rtn"][:, 1:]
    amplitude = full.devices.others["growing_rtn_amplitude"][:, None]
    drift = full.devices.mean_log_ratio(full.pulses[1:])
    part = (full.log_ratio - off.log_ratio)[:, 1:]
    np.testing.assert_allclose(part, amplitude * (1.0 + 2.0 * drift) * high, atol=1e-12)
    np.testing.assert_allclose((constant.log_ratio - off.log_ratio)[:, 1:], amplitude * high, atol=1e-12)
    assert part.any()
    assert 0.5 < np.mean(amplitude > 0) < 0.95


def test_steps_that_shrink_end_at_nothing():
    shrunk = simulate_population(technology(growth=-40.0), 20, 600, 5)
    off = simulate_population(technology(growth=-40.0), 20, 600, 5, ("growing_rtn",))
    part = shrunk.log_ratio - off.log_ratio
    drift = shrunk.devices.mean_log_ratio(shrunk.pulses[1:])
    assert np.all(part[:, 1:][drift > 0.1] == 0.0)


@pytest.mark.statistical
def test_layers_agree_with_the_twin():
    """Mean part of 4,000 devices at pulse 400 in both: sd of the difference about 0.002; 0.008 is 4 sd (6e-5).

    Seeds 3 and 4. Steps of constant size, which the layers would show if growth were left out, lie 0.03 lower.
    """
    file = technology()
    array, off = (DeviceArray((4000,), file, seed=3, without=without) for without in ((), ("growing_rtn",)))
    for one in (array, off):
        one.pulse(400)
    part = array.other_noise["growing_rtn"].part.numpy()
    np.testing.assert_allclose((array.log_r - off.log_r).numpy(), part, atol=1e-5)
    full, plain, constant = (
        simulate_population(technology(growth=growth), 4000, 400, 4, without).log_ratio[:, -1]
        # without 1/f noise, the same in all three and most of their time
        for growth, without in ((2.0, ("pink",)), (2.0, ("pink", "growing_rtn")), (0.0, ("pink",)))
    )
    assert part.mean() == pytest.approx(np.mean(full - plain), abs=0.008)
    assert part.mean() != pytest.approx(np.mean(constant - plain), abs=0.008)
    assert torch.equal(array.poles, off.poles)


def test_files_without_it_are_as_they_were():
    raw = json.loads(dump_parameters(majumdar2021()))
    assert "growing_rtn" not in raw["noise"]
    assert majumdar2021().noise.growing_rtn is None
    assert copy.deepcopy(noise_kind("growing_rtn")) is noise_kind("growing_rtn")
