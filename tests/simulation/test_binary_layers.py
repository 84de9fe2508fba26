import copy

import pytest
import torch
from torch import nn

from weakreset.errors import SimulationError
from weakreset.parameter_file import ParameterFile
from weakreset.simulation import BinaryConv2d, BinaryLinear, DifferentialPair, convert, pair_of
from weakreset.simulation.moving_rows import MOST_PULSES, state_of


def test_weight_is_the_sign_of_bl_minus_blb(params: ParameterFile) -> None:
    layer = BinaryLinear(30, 20, params=params, seed=1)
    bl, blb = layer.pair.array.resistance().unbind(-1)
    assert isinstance(layer, nn.Linear)
    assert layer.weight.shape == (20, 30)
    assert torch.equal(layer.weight.detach(), torch.sign(bl - blb))


def test_pulses_on_bl_raise_a_weight_and_on_blb_lower_it(params: ParameterFile) -> None:
    pair = DifferentialPair((40, 40), params, seed=2, without=("pink", "rtn"))
    weight = pair.signs()
    for direction in (200, -1500):
        before, r = weight.clone(), pair.array.log_resistance()
        report = pair.pulse(torch.full((40, 40), direction), weight)
        moved = pair.array.log_resistance() - r
        assert float(moved[..., 0 if direction > 0 else 1].mean()) > 0.1
        assert float((weight - before).mean()) * direction > 0
        assert report.pulses == 1600 * abs(direction)
        assert report.devices == 1600
    counts = pair.array.pulse_count
    assert counts[..., 0].unique().tolist() == [200]
    assert counts[..., 1].unique().tolist() == [1500]


def test_only_pulsed_devices_move_and_flips_are_counted(params: ParameterFile) -> None:
    pair = DifferentialPair((50, 50), params, seed=3)
    weight, before = pair.signs(), pair.array.log_resistance()
    old = weight.clone()
    n = torch.zeros(50, 50, dtype=torch.int32)
    n[::2], n[1, :7] = 9, -4
    report = pair.pulse(n, weight)
    moved = pair.array.log_resistance() != before
    assert torch.equal(moved[..., 0], n > 0)
    assert torch.equal(moved[..., 1], n < 0)
    assert report.flips == int((old != weight).sum()) > 0
    assert torch.equal(weight, pair.signs())
    assert torch.equal(weight[3::2], old[3::2])


def test_a_weight_in_another_order_of_memory_is_brought_up_to_date_all_the_same(params: ParameterFile) -> None:
    plain, pair = (DifferentialPair((6, 5, 3, 3), params, seed=3) for _ in range(2))
    weight, ordered = pair.signs().contiguous(memory_format=torch.channels_last), plain.signs()
    n = (torch.arange(weight.numel(), dtype=torch.int32).view(weight.shape) % 5 - 2) * 7
    assert pair.pulse(n, weight).flips == plain.pulse(n, ordered).flips > 0
    assert torch.equal(weight, ordered)
    assert torch.equal(weight, pair.signs())


def test_ties_of_a_fresh_chip_without_d2d_fall_both_ways_and_stay(params: ParameterFile) -> None:
    pair = DifferentialPair((100, 100), params, seed=4, without="d2d")
    bl, blb = pair.array.log_resistance().unbind(-1)
    assert torch.equal(bl, blb)
    signs = pair.signs()
    assert torch.equal(signs.abs(), torch.ones(100, 100))
    assert abs(float(signs.mean())) < 0.05  # 5 sd of a fair coin tossed 10,000 times
    assert torch.equal(signs, pair.signs())
    assert not torch.equal(signs, DifferentialPair((100, 100), params, seed=5, without="d2d").signs())


def test_forward_uses_the_signs_and_the_gradient_passes_straight_through(params: ParameterFile) -> None:
    layer = BinaryLinear(8, 5, params=params, seed=6)
    x = torch.arange(16.0).view(2, 8)
    out = layer(x)
    assert torch.equal(out, x @ layer.weight.detach().T)
    out.sum().backward()
    assert layer.weight.grad is not None
    assert torch.equal(layer.weight.grad, x.sum(0).expand(5, 8))
    conv = BinaryConv2d(3, 4, 3, padding=1, params=params, seed=6)
    images = torch.ones(2, 3, 6, 6)
    expected = nn.functional.conv2d(images, conv.weight.detach(), conv.bias, padding=1)
    assert torch.equal(conv(images), expected)
    assert torch.equal(conv.weight.detach(), conv.pair.signs())


def test_state_dict_restores_a_layer_bit_for_bit(params: ParameterFile) -> None:
    layer, other = (BinaryConv2d(2, 3, 3, params=params, seed=seed) for seed in (7, 8))
    n = (torch.arange(54).view(3, 2, 3, 3) % 11) - 5
    layer.pair.pulse(n, layer.weight)
    other.load_state_dict(layer.state_dict())
    for part in (layer, other):
        part.pair.pulse(n.flip(0), part.weight)
    pairs = zip(layer.state_dict().values(), other.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_pairs_saved_by_a_weakreset_with_other_rows_are_refused(params: ParameterFile) -> None:
    pair = DifferentialPair((5, 4), params, seed=0)
    older = pair.state_dict() | {"array.log_r": torch.zeros(2, 5, 4)}
    with pytest.raises(SimulationError, match=r"array\.: was saved by an older weakreset"):
        pair.load_state_dict(older)


def test_layers_of_one_seed_and_different_shape_share_no_stream(params: ParameterFile) -> None:
    a, b = BinaryLinear(10, 20, params=params, seed=9), BinaryLinear(20, 10, params=params, seed=9)
    assert not torch.equal(a.pair.array.poles.view(-1), b.pair.array.poles.view(-1))
    assert int(a.pair.array.clock[0]) != int(b.pair.array.clock[0])


def test_a_deep_copy_keeps_weights_and_their_own_devices_together(params: ParameterFile) -> None:
    layer = BinaryLinear(4, 4, params=params, seed=10)
    twin = copy.deepcopy(nn.Sequential(layer))[0]
    assert pair_of(twin.weight) is twin.pair
    assert twin.pair is not layer.pair


def test_convert_replaces_linear_and_convolution_and_nothing_else(params: ParameterFile) -> None:
    with torch.random.fork_rng(devices=[]):
        stock = nn.Sequential(
            nn.Conv2d(1, 4, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(4), nn.Flatten(),
            nn.Sequential(nn.Linear(64, 16), nn.Hardtanh(), nn.Linear(16, 16)),
        ).eval()
    before = {name: value.clone() for name, value in stock.state_dict().items()}
    model = convert(stock, params, seed=11)
    assert isinstance(model, nn.Sequential)
    assert isinstance(model[0], BinaryConv2d)
    assert model[0].stride == (2, 2)
    assert model[0].bias is None
    assert isinstance(model[3][0], BinaryLinear)
    assert torch.equal(model[3][0].bias, stock[3][0].bias)
    assert type(model[1]) is nn.BatchNorm2d
    assert not model.training
    assert model(torch.zeros(2, 1, 8, 8)).shape == (2, 16)
    assert all(torch.equal(before[name], value) for name, value in stock.state_dict().items())
    seeds = {int(module.array.clock[0]) for module in model.modules() if isinstance(module, DifferentialPair)}
    assert len(seeds) == 3
    again, other = convert(stock, params, seed=11), convert(stock, params, seed=12)
    assert torch.equal(again[0].weight, model[0].weight)  # type: ignore[index]
    assert not torch.equal(other[0].weight, model[0].weight)  # type: ignore[index]


def test_convert_takes_a_single_layer_and_refuses_a_network_without_weights(params: ParameterFile) -> None:
    with torch.random.fork_rng(devices=[]):
        assert isinstance(convert(nn.Linear(3, 2), params), BinaryLinear)
    with pytest.raises(SimulationError, match=r"no nn\.Linear"):
        convert(nn.ReLU(), params)


@pytest.mark.parametrize("n", [torch.ones(3, 3), torch.ones(2, 3, dtype=torch.int64)])
def test_impossible_pulses_are_refused(params: ParameterFile, n: torch.Tensor) -> None:
    with pytest.raises(SimulationError, match="integers of shape"):
        DifferentialPair((3, 3), params).pulse(n)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_counter_that_would_run_over_is_refused_and_nothing_moves(params: ParameterFile, sign: int) -> None:
    layer = BinaryLinear(2, 2, params=params)
    state_of(layer.pair.array.moving)[0, 0, 0 if sign > 0 else 1] = 2 * (MOST_PULSES - 4)
    before = layer.pair.array.moving.clone()
    n = torch.tensor([[5 * sign, 0], [0, 0]])
    for weight in (layer.weight, None):
        with pytest.raises(SimulationError, match=f"5 pulses .* up to {MOST_PULSES - 4}: the counter"):
            layer.pair.pulse(n, weight)
    assert torch.equal(layer.pair.array.moving, before)


def test_the_smallest_number_of_a_small_type_is_that_many_pulses(params: ParameterFile) -> None:
    pair = DifferentialPair((2, 2), params)
    n = torch.tensor([[-128, 0], [3, 0]], dtype=torch.int8)
    assert pair.pulse(n, pair.signs()).pulses == 131
    assert pair.array.pulse_count.flatten().tolist() == [0, 128, 0, 0, 3, 0, 0, 0]
