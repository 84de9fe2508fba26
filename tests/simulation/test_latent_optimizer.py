"""Latent numbers behind device weights, and the programming of pairs that disagree with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from tests.technologies import technology
from weakreset.errors import SimulationError
from weakreset.parameter_file import Defects, ParameterFile, ResetPulse
from weakreset.simulation import (
    BinaryConv2d,
    BinaryLinear,
    LatentOptimizer,
    PulseReport,
    load_checkpoint,
    save_checkpoint,
)
from weakreset.simulation.compiled import calls
from weakreset.simulation.latents import LEVELS, move_bytes, start_latents

BITS = [32, 8]


def gradients(model: nn.Module, step: int) -> None:
    generator = torch.Generator().manual_seed(step)
    for p in model.parameters():
        p.grad = torch.randn(p.shape, generator=generator)


def stepped(
    params: ParameterFile, kernel: str = "auto", steps: int = 6, without: str = "", shape: tuple[int, int] = (70, 90),
    **options: Any,
) -> tuple[BinaryLinear, LatentOptimizer, list[PulseReport]]:
    layer = BinaryLinear(shape[1], shape[0], params=params, seed=5, without=without)
    layer.pair.array.kernel = kernel
    optimizer = LatentOptimizer(layer.parameters(), **({"lr": 0.02} | options))
    reports = []
    for step in range(steps):
        gradients(layer, step)
        optimizer.step()
        reports.append(optimizer.last_step)
    return layer, optimizer, reports


def assert_same(one: tuple[Any, LatentOptimizer, Any], other: tuple[Any, LatentOptimizer, Any]) -> None:
    first, second = one[0].state_dict(), other[0].state_dict()
    for name, value in first.items():
        assert value.numpy().tobytes() == second[name].numpy().tobytes(), name
    for left, right in zip(one[1].state.values(), other[1].state.values(), strict=True):
        for name in left:
            assert left[name].dtype == right[name].dtype
            assert left[name].numpy().tobytes() == right[name].numpy().tobytes(), name
    assert one[2] == other[2]


def harder(params: ParameterFile) -> ParameterFile:
    """Dead devices, read noise, and a price for each pulse."""
    noise = params.noise.model_copy(update={"read": params.noise.read.model_copy(update={"enabled": True, "sd": 0.01})})
    pulse = ResetPulse(voltage_v=1.0, width_s=1e-7)
    return params.model_copy(update={"noise": noise, "defects": Defects(fraction=0.1), "reset_pulse": pulse})


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("without", ["", "all"])
def test_plain_torch_gives_the_same_bits(params: ParameterFile, bits: int, without: str) -> None:
    runs = [stepped(params, kernel, without=without, latent_bits=bits) for kernel in ("auto", "torch")]
    assert_same(*runs)
    assert sum(report.flips for report in runs[0][2]) > 1000


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("shape", [(1, 1), (7, 9), (64, 33), (100, 83)])
def test_dead_devices_read_noise_and_prices_give_the_same_bits(
    params: ParameterFile, bits: int, shape: tuple[int, int]
) -> None:
    """Blocks of 2,048 weights, lists over several of them, and their ends."""
    made = [stepped(harder(params), kernel, shape=shape, latent_bits=bits, lr=0.01) for kernel in ("auto", "torch")]
    assert_same(*made)


@pytest.mark.parametrize("bits", BITS)
def test_devices_that_fall_are_programmed_the_other_way_round(params: ParameterFile, bits: int) -> None:
    """Their bursts are negative numbers to the kernel; read noise is kept by bursts too."""
    falling = harder(params).model_copy(update={"direction": "set"})
    runs = [stepped(falling, kernel, latent_bits=bits) for kernel in ("auto", "torch")]
    assert_same(*runs)
    assert sum(report.flips for report in runs[0][2]) > 1000


def test_a_weight_rises_where_blb_falls(params: ParameterFile) -> None:
    """A first step of 1 makes every wish the sign of minus its gradient."""
    falling = params.model_copy(update={"direction": "set"})
    fresh = stepped(falling, steps=0)[0]
    gradients(fresh, 0)
    assert fresh.weight.grad is not None
    up, was_up = fresh.weight.grad < 0, fresh.weight.detach() > 0
    layer, optimizer, _ = stepped(falling, steps=1, lr=1.0)
    expected = torch.stack([was_up & ~up, up & ~was_up], dim=-1)
    assert torch.equal(layer.pair.array.pulse_count > 0, expected)
    latent = optimizer.state[layer.weight]["latent"]
    assert torch.equal(torch.where(latent >= 0, 1.0, -1.0), layer.weight.detach())


@pytest.mark.parametrize("shape", ["saturating-exponential", "smooth-knee"])
def test_any_drift_shape_will_do(shape: str) -> None:
    runs = [stepped(technology(shape), kernel, steps=3) for kernel in ("auto", "torch")]
    assert_same(*runs)
    assert sum(report.flips for report in runs[0][2]) > 300


@pytest.mark.parametrize("bits", BITS)
def test_bits_do_not_depend_on_threads(params: ParameterFile, bits: int, monkeypatch: pytest.MonkeyPatch) -> None:
    reference = stepped(params, latent_bits=bits)
    monkeypatch.setattr(calls, "_LEAST_SHARE", 100)
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        assert_same(reference, stepped(params, latent_bits=bits))
    finally:
        torch.set_num_threads(threads)


def test_latent_numbers_move_as_those_of_a_network_without_devices(params: ParameterFile) -> None:
    """Adam of torch, clamped; without imperfections every pair turns in time, so that none gives way."""
    layer, optimizer, _ = stepped(params, steps=0, without="all")
    seed = int(layer.pair.array.clock[0])
    latent = nn.Parameter(start_latents(layer.weight.detach(), layer.pair.gaps(), seed, one_byte=False))
    adam = torch.optim.Adam([latent], lr=0.02)
    for step in range(60):
        gradients(layer, step % 7)
        assert layer.weight.grad is not None
        latent.grad = layer.weight.grad.clone()
        adam.step()
        with torch.no_grad():
            latent.clamp_(-1.0, 1.0)
        optimizer.step()
        assert optimizer.last_step.stuck == 0
    found = optimizer.state[layer.weight]["latent"]
    assert torch.allclose(found, latent.detach(), atol=2e-6)
    assert int((found.abs() == 1.0).sum()) > 50
    assert torch.equal(layer.weight.detach(), torch.where(found >= 0, 1.0, -1.0))


@pytest.mark.parametrize("bits", BITS)
def test_costs_are_those_of_programming_one_pair_after_the_other(params: ParameterFile, bits: int) -> None:
    """By hand on a twin: a SET of the other device, if it has had pulses, and a look at the two resistances.

    Then a burst, a look, until the pair has turned or had all its bursts.
    """
    layer, optimizer, _ = stepped(params, steps=3, latent_bits=bits)
    twin, twins, _ = stepped(params, steps=3, latent_bits=bits)
    for part, own in ((layer, optimizer), (twin, twins)):  # wishes at random, and a step that keeps them
        generator = torch.Generator().manual_seed(1)
        own.state[part.weight]["latent"].copy_(torch.randint(0, 2, part.weight.shape, generator=generator) - 0.5)
        own.param_groups[0]["lr"] = 0.0
        gradients(part, 9)
    optimizer.step()
    array, wish = twin.pair.array, twins.state[twin.weight]["latent"].view(-1) >= 0
    clock, log_r = array.tick(), array.log_r.view(-1, 2)
    up = twin.weight.detach().view(-1) > 0
    pulses = bursts = flips = sets = stuck = devices = 0
    for i in (up != wish).nonzero().view(-1).tolist():
        device = torch.tensor([2 * i + (0 if wish[i] else 1)])
        other = int(device) ^ 1
        if pulsed := bool(array.pulse_count.view(-1)[other] > 0):
            array.set_((torch.arange(array.n_devices) == other).view(array.shape))
        sets += pulsed
        given = 0
        for burst in (2, 4, 8, 16, 32, 64, 96):
            if turned := bool(log_r[i, 0] > log_r[i, 1]) == bool(wish[i]):
                break
            array.burst_some(clock, given, device, torch.tensor([burst]))
            pulses, given = pulses + burst, given + 1
        turned = bool(log_r[i, 0] > log_r[i, 1]) == bool(wish[i])
        devices, bursts = devices + (given > 0), bursts + given
        flips, stuck = flips + turned, stuck + (not turned)
    assert optimizer.last_step == PulseReport(pulses, devices, flips, bursts, stuck, sets)
    assert optimizer.last_step.reads == bursts + sets
    assert min(flips, stuck) > 500
    assert sets > 50
    assert torch.equal(array.set_count, layer.pair.array.set_count)
    assert torch.equal(array.moving, layer.pair.array.moving)


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("kernel", ["auto", "torch"])
def test_a_step_keeps_to_its_budget_and_stuck_pairs_give_back(params: ParameterFile, kernel: str, bits: int) -> None:
    options = {"bursts": (1, 4, 7), "give_back": 0.2}
    layer, optimizer, _ = stepped(params, kernel, latent_bits=bits, **options)
    before, weight = layer.pair.array.total_pulses(), layer.weight.detach().clone()
    gradients(layer, 77)
    optimizer.step()
    given = layer.pair.array.total_pulses() - before
    assert set(given.unique().tolist()) == {0, 1, 5, 12}
    assert int((given > 0).sum(-1).max()) == 1  # one device of a pair
    latent = optimizer.state[layer.weight]["latent"].float()
    latent = (latent + 0.5) / LEVELS if bits == 8 else latent
    asked, now = (given > 0).any(-1), layer.weight.detach()
    assert torch.equal(torch.sign(latent), now)  # whoever does not turn has given way
    stuck = asked & (now == weight)
    assert int(stuck.sum()) == optimizer.last_step.stuck > 50
    assert torch.allclose(latent[stuck], 0.2 * now[stuck], atol=0.5 / LEVELS if bits == 8 else 1e-7)
    assert int(given.sum()) == optimizer.last_step.pulses
    assert torch.equal(now, layer.pair.signs())


@pytest.mark.parametrize("bits", BITS)
def test_no_device_gets_more_pulses_than_it_may_have(params: ParameterFile, bits: int) -> None:
    options: dict[str, Any] = {"most_pulses": 150, "latent_bits": bits, "steps": 12, "give_back": 0.0}
    options["bursts"] = (14,) * 8
    runs = [stepped(params, kernel, **options) for kernel in ("auto", "torch")]
    assert_same(*runs)
    layer, optimizer, reports = runs[0]
    counts = layer.pair.array.pulse_count
    assert int(counts.max()) == 140  # ten bursts of 14; one more would be too many
    given = int(layer.pair.array.total_pulses().sum())
    assert given == sum(report.pulses for report in reports) == 14 * sum(r.bursts for r in reports)
    assert given > int(counts.sum())  # the budget is one from SET to SET
    assert reports[-1].stuck > reports[-1].devices - reports[-1].flips  # spent ones are asked, and get nothing
    latent = optimizer.state[layer.weight]["latent"]
    assert torch.equal(torch.where(latent >= 0, 1.0, -1.0), layer.weight.detach())


def test_a_dead_device_costs_its_bursts_and_gives_way(params: ParameterFile) -> None:
    dead = params.model_copy(update={"defects": Defects(fraction=1.0)})
    layer, optimizer, reports = stepped(dead, steps=1, lr=1.0)
    report = reports[0]
    assert report.devices == report.stuck > 1000
    assert (report.flips, report.bursts, report.pulses) == (0, 7 * report.stuck, 222 * report.stuck)
    assert torch.equal(torch.sign(optimizer.state[layer.weight]["latent"]), layer.weight.detach())


def test_a_dead_device_is_asked_no_further_than_its_budget(params: ParameterFile) -> None:
    runs = [stepped(harder(params), kernel, most_pulses=10, lr=0.1) for kernel in ("auto", "torch")]
    assert_same(*runs)
    dead = params.model_copy(update={"defects": Defects(fraction=1.0)})
    report = stepped(dead, steps=1, lr=1.0, most_pulses=10)[2][0]
    assert (report.bursts, report.pulses) == (3 * report.stuck, (2 + 4 + 8) * report.stuck)


@pytest.mark.parametrize("bits", BITS)
def test_an_interrupted_training_goes_on_bit_for_bit(params: ParameterFile, tmp_path: Path, bits: int) -> None:
    whole = stepped(params, steps=6, latent_bits=bits)
    half = stepped(params, steps=3, latent_bits=bits)
    save_checkpoint(tmp_path / "half", *half[:2])
    layer, optimizer, reports = stepped(params, steps=0, latent_bits=bits)
    load_checkpoint(tmp_path / "half", layer, optimizer)
    for step in range(3, 6):
        gradients(layer, step)
        optimizer.step()
        reports.append(optimizer.last_step)
    assert_same((whole[0], whole[1], whole[2][3:]), (layer, optimizer, reports))


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("kernel", ["auto", "torch"])
def test_a_gradient_that_is_no_number_raises_and_moves_nothing(params: ParameterFile, kernel: str, bits: int) -> None:
    layer, optimizer, _ = stepped(params, kernel, steps=0, latent_bits=bits)
    layer.weight.grad = torch.ones_like(layer.weight)
    layer.weight.grad[3, 4] = float("nan")
    seed = int(layer.pair.array.clock[0])
    start = start_latents(layer.weight.detach(), layer.pair.gaps(), seed, one_byte=bits == 8)
    with pytest.raises(SimulationError, match="device weights are no number"):
        optimizer.step()
    assert optimizer.state[layer.weight]["latent"][3, 4] == start[3, 4]


def test_convolutions_in_another_order_of_memory_are_programmed_too(params: ParameterFile) -> None:
    """Channels last: by plain torch, and then every weight is that of its pair."""
    layers = [BinaryConv2d(8, 16, 3, params=params, seed=2) for _ in range(2)]
    layers[1].to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    assert not layers[1].weight.is_contiguous()
    for layer in layers:
        optimizer = LatentOptimizer(layer.parameters(), lr=0.05)
        for step in range(3):
            gradients(layer, step)
            optimizer.step()
        assert torch.equal(layer.weight.detach(), layer.pair.signs())
    assert torch.equal(layers[0].weight.detach(), layers[1].weight.detach())


def test_steps_of_bytes_are_right_on_average() -> None:
    """A third of a level, 40,000 times: mean within 5 standard errors, a false alarm in 1.7 million seeds."""
    latent, gradient = torch.zeros(40_000, dtype=torch.int8), torch.full((40_000,), -1.0)
    move_bytes(latent, gradient, -1.0 / 3.0, (11, 13))
    assert set(latent.unique().tolist()) == {0, 1}
    assert abs(float(latent.float().mean()) - 1.0 / 3.0) < 5.0 * (2.0 / 9.0 / 40_000) ** 0.5
    move_bytes(latent, gradient, -1000.0, (11, 14))
    assert set(latent.unique().tolist()) == {127}
    assert abs(0.0 - 1.0 / 3.0) > 5.0 * (2.0 / 9.0 / 40_000) ** 0.5  # rounding to the nearest would be seen


@pytest.mark.parametrize("one_byte", [False, True])
def test_latent_numbers_start_on_the_side_of_the_chip(params: ParameterFile, one_byte: bool) -> None:
    """Half-normal, sd 0.03: mean square of 40,000 within 5 standard errors (sd of a square: sqrt 2 of its mean)."""
    layer = BinaryLinear(200, 200, params=params, seed=3)
    latent = start_latents(layer.weight.detach(), layer.pair.gaps(), 3, one_byte).double()
    latent = (latent + 0.5) / LEVELS if one_byte else latent
    assert torch.equal(torch.sign(latent).float(), layer.weight.detach())
    square = float(latent.square().mean()) - (1.0 / LEVELS**2 / 12.0 if one_byte else 0.0)  # Sheppard
    assert square == pytest.approx(0.03**2, rel=5.0 * (2.0 / 40_000) ** 0.5)


def test_only_disagreeing_pairs_cost_anything(params: ParameterFile) -> None:
    layer, _, reports = stepped(params, steps=1, lr=0.0)
    assert reports == [PulseReport(measured=layer.weight.numel())]
    assert int(layer.pair.array.pulse_count.sum()) == 0


@pytest.mark.parametrize("falls", [False, True])
def test_a_set_turns_back_what_pulses_turned(params: ParameterFile, falls: bool) -> None:
    """Pairs that were turned are asked back: all of them come back by a SET alone, for the other device is fresh."""
    chosen = params.model_copy(update={"direction": "set"}) if falls else params
    layer, optimizer, _ = stepped(chosen, steps=1, lr=0.0, bursts=(14,) * 100)
    fresh, latent, array = layer.weight.detach().clone(), optimizer.state[layer.weight]["latent"], layer.pair.array
    gradients(layer, 1)
    latent.copy_(-fresh)
    optimizer.step()
    turned = layer.weight.detach() != fresh
    assert optimizer.last_step.sets == 0
    assert array.set_count is None
    latent.copy_(fresh)
    optimizer.step()
    n = int(turned.sum())
    assert optimizer.last_step == PulseReport(flips=n, sets=n)
    assert n > 3000
    assert torch.equal(layer.weight.detach(), fresh)
    assert array.set_count is not None
    again = array.set_count > 0
    assert int(again.sum()) == n
    assert torch.equal(array.log_r[again], array.log_r0[again])
    latent.copy_(-fresh)
    optimizer.param_groups[0]["sets"] = False
    optimizer.step()
    latent.copy_(fresh)
    optimizer.step()
    assert (optimizer.last_step.sets, optimizer.last_step.pulses > 14 * n) == (0, True)


@pytest.mark.parametrize("one_byte", [False, True])
def test_latent_numbers_near_zero_start_behind_pairs_that_turn_easily(params: ParameterFile, one_byte: bool) -> None:
    layer = BinaryLinear(40, 50, params=params, seed=3)
    gaps, weight = layer.pair.gaps(), layer.weight.detach()
    size = start_latents(weight.abs(), gaps, 3, one_byte).float().view(-1)
    nearest_first = torch.from_numpy(np.lexsort((size.numpy(), gaps.numpy())))
    assert bool((size[nearest_first].diff() >= 0).all())
    equal = start_latents(weight, torch.zeros_like(gaps), 3, one_byte=False).view(-1).abs()
    assert torch.equal(equal.sort().values, start_latents(weight, gaps, 3, one_byte=False).view(-1).abs().sort().values)
    assert abs(float(torch.corrcoef(torch.stack([equal, torch.arange(2000.0)]))[0, 1])) < 5.0 / 2000**0.5


def test_a_state_of_the_rule_before_is_refused(params: ParameterFile) -> None:
    _, optimizer, _ = stepped(params, steps=2)
    old = optimizer.state_dict()
    optimizer.load_state_dict(old)
    del old["param_groups"][0]["bursts"]
    with pytest.raises(SimulationError, match="knew neither SETs nor growing bursts"):
        optimizer.load_state_dict(old)


IMPOSSIBLE = [
    {"lr": -1.0}, {"lr": 6.0}, {"bursts": ()}, {"bursts": (2, 0)}, {"bursts": (5000,)},
    {"give_back": 1.5}, {"give_back": float("nan")},
    {"most_pulses": -1}, {"latent_bits": 16}, {"betas": (1.0, 0.9)}, {"eps": 0.0}, {"bursts": 5}, {"bursts": (1.5,)},
]


@pytest.mark.parametrize("options", IMPOSSIBLE)
def test_impossible_numbers_are_refused(params: ParameterFile, options: dict[str, Any]) -> None:
    with pytest.raises(SimulationError, match="LatentOptimizer"):
        stepped(params, steps=0, **options)
