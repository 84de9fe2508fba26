"""Trained weights written to a chip, read with noise, and a chip that ages."""

from __future__ import annotations

import copy
from statistics import NormalDist

import pytest
import torch
from torch import nn

from weakreset.errors import SimulationError
from weakreset.parameter_file import ParameterFile
from weakreset.simulation import BinaryLinear, DifferentialPair, LatentOptimizer, PulseOptimizer, aged, convert, program


def float_net() -> nn.Sequential:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        return nn.Sequential(nn.Linear(40, 60), nn.BatchNorm1d(60), nn.Hardtanh(), nn.Linear(60, 10))


def noisy(params: ParameterFile, sd: float = 0.02) -> ParameterFile:
    read = params.noise.read.model_copy(update={"enabled": True, "sd": sd})
    return params.model_copy(update={"noise": params.noise.model_copy(update={"read": read})})


def test_signs_are_written_and_agreement_and_wear_are_reported(params: ParameterFile) -> None:
    stock = float_net()
    model = convert(stock, params, seed=1)
    told = program(model, stock)
    wanted = [torch.where(stock[k].weight.detach() >= 0, 1.0, -1.0) for k in (0, 3)]
    found = [model[k].weight.detach() for k in (0, 3)]  # type: ignore[index]
    agree = sum(int((a == b).sum()) for a, b in zip(found, wanted, strict=True))
    assert told.agreement == agree / 3000
    assert [layer.name for layer in told.layers] == ["0", "3"]
    assert 0.4 < sum(layer.agreed_before for layer in told.layers) / 3000 < 0.6
    assert told.agreement > 0.95  # 1,000 pulses flip 94 % of fresh pairs, and half agree already
    pulses = sum(int(model[k].pair.array.pulse_count.sum()) for k in (0, 3))  # type: ignore[index]
    assert told.pulses_per_device == pulses / 6000
    assert max(layer.most_pulses for layer in told.layers) <= 1120
    assert f"{told.agreement:.2%} agree" in str(told)
    again = program(model, stock.state_dict())
    assert again.agreement >= told.agreement


def test_with_a_margin_pairs_are_pulsed_apart_and_keep_their_signs(params: ParameterFile) -> None:
    stock, lost = float_net(), []
    for margin in (0.0, 0.04):
        model = convert(stock, params, seed=1)
        told = program(model, stock, budget=2800, margin=margin)
        assert told.agreement > 0.95
        old = aged(model, 0.01, seed=3)
        lost.append(sum(int((old[k].weight != model[k].weight).sum()) for k in (0, 3)))  # type: ignore[index]
    wish = torch.where(stock[0].weight.detach() >= 0, 1.0, -1.0)
    bl, blb = model[0].pair.array.log_r.unbind(-1)  # type: ignore[index]
    assert float(((bl - blb) * wish >= 0.04).float().mean()) > 0.85
    assert lost[1] < 0.3 * lost[0]


def test_pairs_that_agree_are_left_alone_and_the_budget_is_kept(params: ParameterFile) -> None:
    model = convert(float_net(), params, seed=2)
    before, signs = model[0].pair.array.moving.clone(), model[0].pair.signs()  # type: ignore[index]
    told = program(model, {"0": -signs}, budget=28)
    assert [layer.name for layer in told.layers] == ["0"]
    assert int(model[0].pair.array.pulse_count.max()) == 28  # type: ignore[index]
    assert int((model[0].pair.array.pulse_count > 0).sum(-1).max()) == 1  # type: ignore[index]
    fresh = convert(float_net(), params, seed=2)
    assert program(fresh, {"0.weight": signs}).pulses_per_device == 0
    assert torch.equal(fresh[0].pair.array.moving, before)  # type: ignore[index]


def test_a_network_trained_without_devices_works_on_the_chip(params: ParameterFile) -> None:
    """Read out, its answers are those of the binary network but for the pairs that stay stuck."""
    stock = float_net()
    model = convert(stock, params, seed=3)
    program(model, stock, budget=5000)
    digital = {name: value for name, value in stock.state_dict().items() if not name.endswith("weight") or "1" in name}
    model.load_state_dict(digital, strict=False)
    binary = copy.deepcopy(stock)
    for k in (0, 3):
        binary[k].weight.data = torch.where(binary[k].weight.data >= 0, 1.0, -1.0)
    x = torch.randn(200, 40, generator=torch.Generator().manual_seed(0))
    same = (model.eval()(x).argmax(1) == binary.eval()(x).argmax(1)).float().mean()
    assert float(same) > 0.6  # a chip that was not written gives the same answer one time in ten: 200 images, sd 0.02


@pytest.mark.parametrize(("signs", "message"), [
    ({"0": torch.ones(3, 3)}, "must have shape"), ({"0": torch.full((60, 40), float("nan"))}, "2400 that are no num"),
    ({"00": torch.ones(60, 40)}, "no signs for any"), ({"0": "x"}, "got str"),
    ({"0": torch.zeros(60, 40, dtype=torch.bool)}, "cannot be -1"), ({"0": torch.zeros(60, 40).byte()}, "cannot be -1"),
])
def test_signs_that_do_not_fit_are_refused(params: ParameterFile, signs: dict[str, torch.Tensor], message: str) -> None:
    with pytest.raises(SimulationError, match=message):
        program(convert(float_net(), params), signs)


def test_budgets_and_models_that_make_no_sense_are_refused(params: ParameterFile) -> None:
    for options in ({"budget": 3}, {"margin": -1.0}, {"pulses_per_burst": 0}):
        with pytest.raises(SimulationError, match="budget at least that and margin"):
            program(convert(float_net(), params), float_net(), **options)  # type: ignore[arg-type]
    with pytest.raises(SimulationError, match="no layers on devices"):
        program(float_net(), float_net())
    with pytest.raises(SimulationError, match="no layers on devices"):
        aged(float_net(), 0.1)


def test_read_noise_kept_beside_ln_r_is_exactly_what_the_read_added(params: ParameterFile) -> None:
    """Devices of one file with and without read noise are moved by the same random numbers: the difference is it."""
    quiet, loud = (DifferentialPair((30, 20), noisy(params), 5, without=off) for off in (("read",), ()))
    n = (torch.arange(600, dtype=torch.int32).view(30, 20) % 41 - 20) * 9
    for k in range(3):
        for pair in (quiet, loud):
            pair.pulse(n.roll(k), pair.signs())
            pair.array.pulse(5 * k)
        error = loud.array.read_errors()
        assert float((loud.array.log_r - quiet.array.log_r - error).abs().max()) < 4e-6  # rounding of ln R near 10
        assert float(error.abs().max()) > 0.02
    loud.array.set_(torch.ones(30, 20, 2, dtype=torch.bool))
    assert float(loud.array.read_errors().abs().max()) == 0


@pytest.mark.parametrize("kind", [PulseOptimizer, LatentOptimizer])
def test_the_steps_of_the_optimizers_keep_the_read_noise_too(params: ParameterFile, kind: type) -> None:
    layer = BinaryLinear(20, 30, params=noisy(params), seed=4)
    optimizer = kind(layer.parameters())
    for k in range(8):
        x = torch.randn(8, 20, generator=torch.Generator().manual_seed(k))
        layer(x).square().mean().backward()
        optimizer.step()
    array = layer.pair.array
    error, moved = array.read_errors(), array.pulse_count > 0
    assert bool((error[~moved] == 0).all())
    assert int(moved.sum()) > 30
    assert float((error[moved] == 0).float().mean()) < 0.01
    assert 0.01 < float(error[moved].std()) < 0.03


def test_a_layer_in_eval_reads_with_new_noise_by_the_law_of_the_file(params: ParameterFile) -> None:
    """Law: a pair at a distance d in ln R turns with probability Phi(-d / (sqrt 2 sd)); 400 reads of 600 pairs.

    The number of turns has a standard deviation of at most sqrt(sum p (1 - p) 400); 5 of them: one false alarm in
    1.7 million. With the noise of one device alone (sqrt 2 forgotten) the same test fails.
    """
    sd, reads = 0.03, 400
    layer = BinaryLinear(30, 20, params=noisy(params, sd), seed=6).eval()
    start = layer.pair.array.moving.clone()
    bl, blb = layer.pair.array.log_r.unbind(-1)
    stored = torch.where(bl > blb, 1.0, -1.0)
    eye, turns = torch.eye(30), 0
    for _ in range(reads):
        turns += int((((layer(eye) - layer.bias).T > 0) != (stored > 0)).sum())

    def expected(width: float) -> tuple[float, float]:
        law = NormalDist(0, width)
        chances = [law.cdf(-abs(d)) for d in (bl - blb).reshape(-1).tolist()]
        return reads * sum(chances), (reads * sum(p * (1 - p) for p in chances)) ** 0.5

    mean, scatter = expected(2**0.5 * sd)
    assert abs(turns - mean) < 5 * scatter
    wrong, its_scatter = expected(sd)
    assert abs(turns - wrong) > 5 * its_scatter
    assert torch.equal(layer.pair.array.moving, start)
    assert torch.equal(layer.weight.detach(), layer.pair.signs())


def test_noisy_reads_repeat_from_a_state_and_without_noise_there_are_none(params: ParameterFile) -> None:
    layer = BinaryLinear(30, 20, params=noisy(params, 0.05), seed=6).eval()
    x = torch.randn(4, 30, generator=torch.Generator().manual_seed(0))
    layer(x)
    state = copy.deepcopy(layer.state_dict())
    first, second = layer(x), layer(x)
    assert not torch.equal(first, second)
    layer.load_state_dict(state)
    assert torch.equal(layer(x), first)
    layer.train()
    assert torch.equal(layer(x), layer(x))
    plain = BinaryLinear(30, 20, params=params, seed=6).eval()
    assert torch.equal(plain(x), plain(x))


def test_gradients_pass_through_noisy_reads(params: ParameterFile) -> None:
    layer = BinaryLinear(8, 5, params=noisy(params), seed=6).eval()
    x = torch.arange(16.0).view(2, 8)
    layer(x).sum().backward()
    assert torch.equal(layer.weight.grad, x.sum(0).expand(5, 8))


def test_a_chip_that_ages_loses_the_signs_that_the_law_says(params: ParameterFile) -> None:
    """As for reads: pairs at a distance d turn with probability Phi(-d / (sqrt 2 sd)); 5 standard deviations."""
    model = nn.Sequential(BinaryLinear(100, 80, params=params, seed=6))
    bl, blb = model[0].pair.array.log_r.unbind(-1)
    law = NormalDist(0, 2**0.5 * 0.05)
    chances = [law.cdf(-abs(d)) for d in (bl - blb).reshape(-1).tolist()]
    old = aged(model, 0.05, 0.3, seed=1)
    turned = int((old[0].weight != model[0].weight).sum())  # type: ignore[index]
    assert abs(turned - sum(chances)) < 5 * sum(p * (1 - p) for p in chances) ** 0.5
    assert torch.equal(aged(model, 0.0)[0].weight, model[0].weight)  # type: ignore[index]
    assert torch.equal(aged(model, 0.05, seed=1)[0].weight, old[0].weight)  # type: ignore[index]
    with pytest.raises(SimulationError, match="sd_log_r"):
        aged(model, -1.0)
