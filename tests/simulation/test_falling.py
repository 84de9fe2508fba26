"""Devices that fall: a file with direction "set" in arrays, pairs and the optimizer."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from weakreset.errors import SimulationError
from weakreset.model import TWO_SLOPE
from weakreset.parameter_file import ParameterFile, load_parameters
from weakreset.simulation import DeviceArray, PulseOptimizer
from weakreset.simulation.differential_pair import DifferentialPair, attach_pair


@pytest.fixture(scope="module")
def falls() -> ParameterFile:
    return load_parameters("majumdar2021").model_copy(update={"direction": "set"})


def test_pulses_lower_r_along_the_mirrored_drift(falls):
    up, down = (DeviceArray((400,), file, seed=3, without=("pink", "rtn")) for file in ("majumdar2021", falls))
    for array in (up, down):
        array.pulse(700)
    wanted = TWO_SLOPE.value(
        700, *((sign * up.m1, up.t_star, up.offset - up.log_r0, sign * up.m2)[i].double().numpy()
               for sign in (-1,) for i in range(4))
    )
    assert (down.log_r - down.log_r0).double().numpy() == pytest.approx(wanted, abs=1e-5)
    assert torch.equal(up.log_r0, down.log_r0)  # the same chip
    assert bool((down.m1 < 0).all())


@pytest.mark.parametrize("kernel", ["auto", "torch"])
def test_a_positive_number_of_pulses_raises_the_weight_whatever_the_direction(falls, kernel):
    """W = sign(R_BL - R_BLb): after 2,000 pulses on the right device nearly every weight has the sign asked for."""
    for file in ("majumdar2021", falls):
        pair = DifferentialPair((30, 30), file, seed=1)
        pair.array.kernel = kernel
        weight = pair.signs()
        pair.pulse(torch.full((30, 30), 2000, dtype=torch.int64), weight)
        assert float((weight > 0).double().mean()) > 0.8
        assert torch.equal(weight, pair.signs())


def test_the_optimizer_lowers_the_loss_with_falling_devices(falls):
    pair = DifferentialPair((40, 40), falls, seed=2)
    weight = nn.Parameter(pair.signs())
    attach_pair(weight, pair)
    target = torch.from_numpy(np.random.default_rng(0).choice([-1.0, 1.0], (40, 40)).astype(np.float32))
    optimizer = PulseOptimizer([weight], lr=14.0, only_disagreeing=True)
    before = float((weight != target).double().mean())
    for _ in range(60):
        optimizer.zero_grad()
        ((weight - target) ** 2).mean().backward()
        optimizer.step()
    assert float((weight != target).double().mean()) < 0.6 * before


def test_the_state_of_rising_devices_is_refused(falls):
    """Loaded, every pulse of a pair would go to the wrong device."""
    rising = DeviceArray((5, 2), "majumdar2021", seed=1)
    with pytest.raises(SimulationError, match="direction"):
        DeviceArray((5, 2), falls, seed=1).load_state_dict(rising.state_dict())
