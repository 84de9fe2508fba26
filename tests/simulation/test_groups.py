"""Parameter groups: what is asked for is done, or refused by name."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from weakreset.errors import SimulationError
from weakreset.parameter_file import ParameterFile
from weakreset.simulation import BinaryLinear, LatentOptimizer, PulseOptimizer
from weakreset.simulation.groups import largest_update

KINDS = [PulseOptimizer, LatentOptimizer]


def small(params: ParameterFile) -> nn.Sequential:
    return nn.Sequential(BinaryLinear(12, 30, params=params), nn.BatchNorm1d(30), BinaryLinear(30, 4, params=params))


def steps(model: nn.Module, optimizer: torch.optim.Optimizer, n: int = 1) -> None:
    for k in range(n):
        x = torch.randn(16, 12, generator=torch.Generator().manual_seed(k))
        optimizer.zero_grad()
        model(x).square().mean().backward()
        optimizer.step()


def rates(optimizer: torch.optim.Optimizer) -> list[tuple[str, float]]:
    return [(group["role"], group["lr"]) for group in optimizer.param_groups]


@pytest.mark.parametrize(("kind", "lr"), [(PulseOptimizer, 3), (LatentOptimizer, 3e-3)])
def test_a_group_without_devices_has_the_rate_that_it_names(params: ParameterFile, kind: type, lr: float) -> None:
    model = small(params)
    both = {"params": model[0].parameters(), "lr": lr, "digital_lr": 2e-4}
    optimizer = kind([{"params": model[1].parameters(), "lr": 1e-4}, both], lr=lr / 2, digital_lr=1e-3)
    assert rates(optimizer) == [("digital", 1e-4), ("device", lr), ("digital", 2e-4)]
    before = model[1].weight.detach().clone()
    steps(model, optimizer)
    assert float((model[1].weight.detach() - before).abs().max()) == pytest.approx(1e-4, rel=1e-3)


@pytest.mark.parametrize(("kind", "lr"), [(PulseOptimizer, 2), (LatentOptimizer, 0.02)])
def test_a_group_can_be_added(params: ParameterFile, kind: type, lr: float) -> None:
    model = small(params)
    optimizer = kind(model[0].parameters(), lr=lr, digital_lr=1e-3)
    optimizer.add_param_group({"params": model[1:].parameters()})
    assert rates(optimizer) == [("device", lr), ("digital", 1e-3), ("device", lr), ("digital", 1e-3)]
    steps(model, optimizer, 15)
    assert int(model[2].pair.array.pulse_count.sum()) > 0
    with pytest.raises(SimulationError, match="share"):
        optimizer.add_param_group({"params": BinaryLinear(12, 30, params=params).parameters()})


def test_a_group_can_be_added_where_another_optimizer_decides(params: ParameterFile) -> None:
    model = small(params)
    optimizer = PulseOptimizer(
        model[0].parameters(), lr=1.0, wrapped=lambda tensors: torch.optim.SGD(tensors, lr=1e4)
    )
    optimizer.add_param_group({"params": model[1:].parameters(), "lr": 1.0, "digital_lr": 1e-3})
    steps(model, optimizer, 3)
    assert all(int(model[k].pair.array.pulse_count.sum()) > 0 for k in (0, 2))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("key", "near"), [("weight_decay", ""), ("max_pulse", ""), ("beta", "betas"), ("l_r", "lr")])
def test_a_key_that_means_nothing_is_named(params: ParameterFile, kind: type, key: str, near: str) -> None:
    model = small(params)
    hint = f"did you mean '{near}'" if near else "It takes"
    with pytest.raises(SimulationError, match=f"{kind.__name__}: a parameter group has {key}=1.*{hint}"):
        kind([{"params": model.parameters(), key: 1}])
    optimizer = kind(model[0].parameters())
    with pytest.raises(SimulationError, match=f"has {key}=1"):
        optimizer.add_param_group({"params": model[2].parameters(), key: 1})


def test_a_misspelt_limit_is_answered_with_the_right_one(params: ParameterFile) -> None:
    with pytest.raises(SimulationError, match="did you mean 'max_pulses'"):
        PulseOptimizer([{"params": small(params).parameters(), "max_pulse": 3}])


@pytest.mark.parametrize("kind", KINDS)
def test_named_parameters_are_taken(params: ParameterFile, kind: type) -> None:
    model = small(params)
    optimizer = kind(model.named_parameters())
    assert [role for role, _ in rates(optimizer)] == ["device", "digital"]


def test_one_rate_for_all_groups_is_refused_and_a_list_works(params: ParameterFile) -> None:
    model = small(params)
    optimizer = PulseOptimizer(model.parameters(), lr=6)
    torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=6, total_steps=50, cycle_momentum=False)
    with pytest.raises(SimulationError, match=r"gave batch norm and biases the rate .* max_lr=\[.*0\.008\]"):
        steps(model, optimizer)
    optimizer = PulseOptimizer(model.parameters(), lr=6)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=[6, 0.008], total_steps=50)
    for _ in range(5):
        steps(model, optimizer)
        scheduler.step()
    by_hand = PulseOptimizer(model.parameters(), lr=6)
    for group in by_hand.param_groups:
        group["lr"] = 3.0
    with pytest.raises(SimulationError, match="rate of the device weights"):
        steps(model, by_hand)


@pytest.mark.parametrize("make", [
    lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 10), lambda o: torch.optim.lr_scheduler.StepLR(o, 2),
    lambda o: torch.optim.lr_scheduler.LinearLR(o, 0.001, total_iters=4),
    lambda o: torch.optim.lr_scheduler.ReduceLROnPlateau(o, patience=0),
])
@pytest.mark.parametrize("kind", KINDS)
def test_schedulers_that_multiply_reach_both_roles(params: ParameterFile, kind: type, make: object) -> None:
    model = small(params)
    optimizer = kind(model.parameters())
    start = [rate for _, rate in rates(optimizer)]
    scheduler = make(optimizer)  # type: ignore[operator]
    plateau = isinstance(scheduler, torch.optim.lr_scheduler.ReduceLROnPlateau)
    for _ in range(3):
        steps(model, optimizer)
        scheduler.step(*([1.0] if plateau else []))
    now = [rate for _, rate in rates(optimizer)]
    assert now[0] / start[0] == pytest.approx(now[1] / start[1])
    assert now[0] < start[0]


def test_a_rate_that_can_never_give_a_pulse_says_so(params: ParameterFile) -> None:
    with pytest.raises(SimulationError, match=r"lr=0\.01 can never give a pulse"):
        PulseOptimizer(small(params).parameters(), lr=0.01)
    PulseOptimizer(small(params).parameters(), lr=0)  # none is asked for
    PulseOptimizer(small(params).parameters(), lr=0.01, wrapped=lambda t: torch.optim.SGD(t, lr=1e6))


def test_the_bound_of_adams_update_holds_for_the_worst_gradients() -> None:
    """The gradient that makes it largest grows as (b1 / b2)^k into the past; it comes within 1 % of the bound."""
    beta1, beta2 = 0.9, 0.999
    bound = largest_update((beta1, beta2))
    n = 20000
    ages = torch.arange(n, dtype=torch.float64)
    mean = (1 - beta1) * (beta1**ages * (beta1 / beta2) ** ages).sum()
    square = (1 - beta2) * (beta2**ages * (beta1 / beta2) ** (2 * ages)).sum()
    reached = float(mean / square.sqrt())
    assert 0.99 * bound < reached <= bound * (1 + 1e-12)
    assert largest_update((0.9, 0.5)) == math.inf


def test_without_numbers_the_optimizer_is_that_of_the_recipe(params: ParameterFile) -> None:
    device = PulseOptimizer(small(params).parameters()).param_groups[0]
    assert (device["lr"], device["only_disagreeing"]) == (6.0, True)
    device = PulseOptimizer(small(params).parameters(), lr=100).param_groups[0]
    assert (device["lr"], device["only_disagreeing"]) == (100, False)  # as it always was


@pytest.mark.parametrize(("kind", "numbers"), [
    (PulseOptimizer, {"lr": -1.0}), (PulseOptimizer, {"max_pulses": 0}), (PulseOptimizer, {"max_pulses": 1.5}),
    (PulseOptimizer, {"betas": (2.0, 0.9)}), (LatentOptimizer, {"lr": 6.0}), (LatentOptimizer, {"bursts": (0,)}),
    (LatentOptimizer, {"latent_bits": 16}), (LatentOptimizer, {"give_back": 7.0}), (LatentOptimizer, {"eps": -1.0}),
])
def test_numbers_of_a_group_are_looked_at_as_those_of_the_optimizer(
    params: ParameterFile, kind: type, numbers: dict[str, object]
) -> None:
    with pytest.raises(SimulationError, match=f"{kind.__name__}: .*must|{kind.__name__}: lr is a step"):
        kind([{"params": small(params).parameters(), **numbers}])


@pytest.mark.parametrize("kind", KINDS)
def test_the_role_of_a_group_is_what_its_parameters_are(params: ParameterFile, kind: type) -> None:
    model = small(params)
    optimizer = kind(model[0].parameters(), digital_lr=1e-3)
    optimizer.add_param_group({"params": model[1].parameters(), "role": "device"})
    assert rates(optimizer)[2:] == [("digital", 1e-3)]
    with pytest.raises(SimulationError, match="weight_decay"):
        optimizer.add_param_group({"params": model[2].parameters(), "role": "device", "weight_decay": 0.1})


@pytest.mark.parametrize("kind", KINDS)
def test_half_networks_go_on_with_the_moments_that_they_had(params: ParameterFile, kind: type) -> None:
    """torch gives a state the type of its weight when it is loaded: halves lose small squares of gradients."""
    model = small(params).half()
    optimizer, other = kind(model.parameters()), kind(model.parameters())
    model[0].weight.grad = torch.full_like(model[0].weight, 1e-4)
    optimizer.step()
    other.load_state_dict(optimizer.state_dict())
    for name, value in optimizer.state[model[0].weight].items():
        assert torch.equal(value, other.state[model[0].weight][name]), name
