import copy

import pytest
import torch

from weakreset.errors import ParameterFileError, SimulationError
from weakreset.parameter_file import ParameterFile, ResetPulse, dump_parameters, parse_parameters
from weakreset.simulation import BinaryLinear, DeviceArray, PulseOptimizer


@pytest.fixture(scope="module")
def priced(params: ParameterFile) -> ParameterFile:
    return params.model_copy(update={"reset_pulse": ResetPulse(voltage_v=1.2, width_s=1e-7)})


def test_a_pulse_costs_v_squared_over_r_for_its_width(priced: ParameterFile) -> None:
    array = DeviceArray((500,), priced, seed=1)
    expected = torch.zeros(500, dtype=torch.float64)
    for n in (torch.arange(500) % 3, torch.full((500,), 1500)):
        before = array.log_resistance().double()
        array.pulse(n)
        expected += n * 1.2**2 * 1e-7 * ((-before).exp() + (-array.log_resistance().double()).exp()) / 2
    assert array.energy_j is not None
    assert array.energy_j.double().numpy() == pytest.approx(expected.numpy(), rel=1e-6)


def test_training_counts_the_same_bits_in_both_kernels_and_saves_them(priced: ParameterFile) -> None:
    chips = []
    for kernel in ("auto", "torch"):
        layer = BinaryLinear(30, 40, params=priced, seed=2)
        layer.pair.array.kernel = kernel
        optimizer = PulseOptimizer(layer.parameters(), lr=9)
        for seed in range(3):
            layer.weight.grad = torch.randn(40, 30, generator=torch.Generator().manual_seed(seed))
            optimizer.step()
        chips.append(layer.pair.array)
    assert torch.equal(chips[0].energy_j, chips[1].energy_j)
    assert torch.equal(chips[0].energy_j > 0, chips[0].pulse_count > 0)
    empty = DeviceArray(chips[0].shape, priced, seed=3)
    empty.load_state_dict(chips[0].state_dict())
    assert torch.equal(empty.energy_j, chips[0].energy_j)
    assert torch.equal(copy.deepcopy(chips[0]).energy_j, chips[0].energy_j)


def test_without_a_pulse_in_the_file_there_is_no_account(params: ParameterFile) -> None:
    array = DeviceArray((5,), params)
    array.pulse(3)
    assert array.energy_j is None
    assert "energy_j" not in array.state_dict()


def test_the_file_keeps_the_pulse_and_refuses_an_impossible_one(priced: ParameterFile) -> None:
    text = dump_parameters(priced)
    assert parse_parameters(text) == priced
    with pytest.raises(ParameterFileError, match="voltage_v"):
        parse_parameters(text.replace('"voltage_v": 1.2', '"voltage_v": -1.2'))


@pytest.mark.parametrize("other", [None, ResetPulse(voltage_v=1.3, width_s=1e-7)])
def test_an_account_at_another_price_is_not_taken_over(priced: ParameterFile, other: ResetPulse | None) -> None:
    saved = DeviceArray((5,), priced).state_dict()
    elsewhere = DeviceArray((5,), priced.model_copy(update={"reset_pulse": other}))
    with pytest.raises(SimulationError, match="RESET pulse"):
        elsewhere.load_state_dict(saved)
