"""A layer never computes with a weight that its devices do not hold, however it was written."""

from __future__ import annotations

import copy
import io
import math
import pickle
from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrize, prune

from weakreset.errors import SimulationError
from weakreset.parameter_file import ParameterFile
from weakreset.simulation import BinaryConv2d, BinaryLinear, LatentOptimizer, PulseOptimizer, convert, pair_of
from weakreset.simulation.seal import BLOCK

NOT_THEIRS = "are not what their devices hold"


def small(params: ParameterFile) -> nn.Sequential:
    return nn.Sequential(BinaryLinear(12, 30, params=params, seed=0), nn.BatchNorm1d(30), nn.Hardtanh(),
                         BinaryLinear(30, 4, params=params, seed=0))


def float_twin() -> nn.Sequential:
    with torch.random.fork_rng(devices=[]):
        return nn.Sequential(nn.Linear(12, 30), nn.BatchNorm1d(30), nn.Hardtanh(), nn.Linear(30, 4))


def images(n: int = 16) -> torch.Tensor:
    return torch.randn(n, 12, generator=torch.Generator().manual_seed(3))


def agrees(layer: BinaryLinear) -> bool:
    return torch.equal(layer._parameters["weight"].detach(), layer.pair.signs())


def adam(model: nn.Sequential) -> None:
    model(images()).square().mean().backward()
    torch.optim.Adam(model.parameters(), lr=0.1).step()


@torch.no_grad()
def init(model: nn.Sequential) -> None:
    for module in model.modules():
        if isinstance(module, nn.Linear):
            nn.init.constant_(module.weight, 0.3)


def by_data(model: nn.Sequential) -> None:
    model[0].weight.data.mul_(0.5)


def one_sign_by_data(model: nn.Sequential) -> None:
    model[0].weight.data[7, 3] *= -1


def two_signs_of_a_row_by_data(model: nn.Sequential) -> None:
    row = model[0].weight.data[7]
    up, down = int(row.argmax()), int(row.argmin())
    row[up], row[down] = -1.0, 1.0


def by_numpy(model: nn.Sequential) -> None:
    model[0].weight.detach().numpy()[2, 2] = 0.0


def a_new_parameter(model: nn.Sequential) -> None:
    model[0].weight = nn.Parameter(torch.full((30, 12), 0.1))


WRITERS = [adam, init, by_data, one_sign_by_data, two_signs_of_a_row_by_data, by_numpy, a_new_parameter]


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("write", WRITERS)
def test_whatever_else_writes_a_weight_is_found_out(
    params: ParameterFile, write: Callable[[nn.Sequential], None], training: bool
) -> None:
    model = small(params).train(training)
    write(model)
    for use in (lambda: model(images()), model.state_dict, lambda: copy.deepcopy(model)(images())):
        with pytest.raises(SimulationError, match=NOT_THEIRS):
            use()
    for layer in (model[0], model[3]):
        layer.refresh_weight()
        assert agrees(layer)
    model(images())


def test_an_average_of_models_is_refused(params: ParameterFile) -> None:
    model = small(params)
    averaged = torch.optim.swa_utils.AveragedModel(model)
    averaged(images())
    optimizer = PulseOptimizer(model.parameters(), lr=100)
    for _ in range(3):
        model(images()).square().mean().backward()
        optimizer.step()
        averaged.update_parameters(model)
    with pytest.raises(SimulationError, match=NOT_THEIRS):
        averaged(images())


def test_weights_of_a_network_without_devices_are_refused_and_what_is_digital_may_be_loaded(
    params: ParameterFile,
) -> None:
    model, stock = small(params), float_twin()
    with pytest.raises(SimulationError, match=r"0\.weight was saved without its devices"):
        model.load_state_dict(stock.state_dict(), strict=False)
    digital = {name: value for name, value in stock.state_dict().items() if name not in ("0.weight", "3.weight")}
    model.load_state_dict(digital, strict=False)
    assert torch.equal(model[0].bias, stock[0].bias)
    model(images())


def test_a_state_whose_weights_are_not_those_of_its_devices_is_refused(params: ParameterFile) -> None:
    state = small(params).state_dict()
    state["0.weight"] = -state["0.weight"]
    with pytest.raises(SimulationError, match=NOT_THEIRS):
        small(params).load_state_dict(state)


@pytest.mark.parametrize("move", [
    lambda model: model.to_empty(device="cpu"), lambda model: model.double(), lambda model: model.half(),
    lambda model: model.to(torch.bfloat16), lambda model: model.cpu(),
])
def test_moving_a_model_keeps_weights_and_devices_together(params: ParameterFile, move: Callable[..., object]) -> None:
    model = small(params)
    signs = model[0].pair.signs()
    move(model)
    assert torch.equal(model[0].weight.detach().float(), signs)
    assert pair_of(model[0].weight) is model[0].pair


def test_devices_on_meta_are_lost_and_said_to_be(params: ParameterFile) -> None:
    model = small(params).to("meta")
    with pytest.raises(SimulationError, match="lost on the meta device"):
        model.to_empty(device="cpu")


def test_devices_that_are_pulsed_or_set_by_hand_are_read_again(params: ParameterFile) -> None:
    layer = BinaryLinear(40, 30, params=params)
    before = layer.weight.detach().clone()
    layer.pair.array.pulse(300)
    assert agrees(layer) or not torch.equal(layer.weight.detach(), before)
    assert torch.equal(layer.weight.detach(), layer.pair.signs())
    assert not torch.equal(layer.weight.detach(), before)
    layer.pair.array.set_(torch.ones(30, 40, 2, dtype=torch.bool))
    assert torch.equal(layer.weight.detach(), layer.pair.signs())


def test_a_large_layer_is_looked_at_in_blocks_while_training_and_whole_otherwise(params: ParameterFile) -> None:
    layer = BinaryLinear(784, 300, params=params, seed=3)
    blocks = math.ceil(300 / (BLOCK * 300 // layer.weight.numel()))
    assert blocks == 60
    optimizer = PulseOptimizer(layer.parameters(), lr=3)
    x = torch.randn(4, 784, generator=torch.Generator().manual_seed(1))
    x[:, 783] = 0  # no gradient and no pulse, which would read the weight again
    layer(x).square().mean().backward()
    optimizer.step()
    layer.weight.data[299, 783] *= -1  # one sign of 235,200, by a road that torch does not count

    def steps() -> None:
        for _ in range(blocks + 1):
            layer(x)
            optimizer.step()

    with pytest.raises(SimulationError, match="1 of 235200"):
        steps()
    layer.refresh_weight()
    optimizer.step()
    layer.weight.data[299, 783] *= -1
    with pytest.raises(SimulationError, match="1 of 235200"):
        layer.eval()(x)


def test_a_weight_written_between_forward_and_step_is_not_blessed_by_the_step(params: ParameterFile) -> None:
    model = small(params)
    optimizer = PulseOptimizer(model.parameters())
    model(images()).square().mean().backward()
    by_data(model)
    with pytest.raises(SimulationError, match=NOT_THEIRS):
        optimizer.step()


def test_pruned_and_parametrized_weights_are_refused(params: ParameterFile) -> None:
    model = small(params)
    prune.l1_unstructured(model[0], "weight", 0.5)
    with pytest.raises(SimulationError, match="was replaced by one that is computed"):
        model(images())
    other = small(params)
    parametrize.register_parametrization(other[0], "weight", nn.Identity())
    with pytest.raises(SimulationError, match="was replaced by one that is computed"):
        other(images())


@pytest.mark.parametrize("kind", [PulseOptimizer, LatentOptimizer])
def test_a_second_backward_of_an_older_graph_is_stopped_by_torch(params: ParameterFile, kind: type) -> None:
    model = small(params)
    optimizer = kind(model.parameters())
    loss = model(images()).square().mean()
    loss.backward(retain_graph=True)
    optimizer.step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_a_checkpoint_of_devices_that_differ_is_not_loaded_into_ones_without_d2d(params: ParameterFile) -> None:
    full, without = (convert(float_twin(), params, without=off) for off in ((), ("d2d",)))
    with pytest.raises(SimulationError, match=r"0\.pair\.array\.: devices were saved that are different .* all alike"):
        without.load_state_dict(full.state_dict())
    with pytest.raises(SimulationError, match=r"devices were saved that are all alike .* different"):
        full.load_state_dict(without.state_dict())
    convert(float_twin(), params, seed=1, without="d2d").load_state_dict(without.state_dict())
    quiet = convert(float_twin(), params, without=("pink", "rtn"))
    quiet.load_state_dict(full.state_dict())  # these stay off: the law of the noise belongs to the array, not its state
    before = quiet[0].pair.array.rtn_high.clone()
    quiet[0].pair.array.pulse(50)
    assert torch.equal(quiet[0].pair.array.rtn_high, before)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("kind", [PulseOptimizer, LatentOptimizer])
def test_a_network_of_another_precision_trains(params: ParameterFile, dtype: torch.dtype, kind: type) -> None:
    model = small(params).to(dtype)
    optimizer = kind(model.parameters())
    before = model[3].weight.detach().clone()
    for _ in range(15):
        optimizer.zero_grad()
        (1e-3 * model(images().to(dtype)).square().mean()).backward()
        optimizer.step()
    assert model[0].weight.dtype == dtype
    assert optimizer.last_step.pulses >= 0
    assert int(model[3].pair.array.pulse_count.sum()) > 0
    assert not torch.equal(before, model[3].weight.detach())
    assert bool(torch.isfinite(model(images().to(dtype))).all())


def test_automatic_mixed_precision_and_inference_mode_see_the_same_weights(params: ParameterFile) -> None:
    model = small(params)
    optimizer = PulseOptimizer(model.parameters(), lr=50)
    for _ in range(3):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = model(images()).float().square().mean()
        loss.backward()
        optimizer.step()
    with torch.inference_mode():
        seen = model.eval()(images())
    assert torch.equal(seen, model(images()).detach())
    one_sign_by_data(model)
    with pytest.raises(SimulationError, match="1 of 360"), torch.inference_mode():
        model(images())


def steps(model: nn.Module, optimizer: torch.optim.Optimizer, n: int) -> None:
    for k in range(n):
        optimizer.zero_grad()
        model(images() + k).square().mean().backward()
        optimizer.step()


def sgd(tensors: list[torch.Tensor]) -> torch.optim.Optimizer:
    return torch.optim.SGD(tensors, lr=1e3, momentum=0.9)


KINDS: list[Callable[[nn.Module], torch.optim.Optimizer]] = [
    lambda m: PulseOptimizer(m.parameters()), lambda m: LatentOptimizer(m.parameters()),
    lambda m: LatentOptimizer(m.parameters(), latent_bits=8),
    lambda m: PulseOptimizer(m.parameters(), lr=1.0, wrapped=sgd),
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", ["deepcopy", "pickle", "torch.save"])
def test_a_copy_of_model_and_optimizer_goes_on_as_they_do(
    params: ParameterFile, kind: Callable[..., torch.optim.Optimizer], way: str
) -> None:
    model = small(params)
    optimizer = kind(model)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 5, 0.5)  # it puts a step of its own into the optimizer
    steps(model, optimizer, 3)
    scheduler.step()
    if way == "deepcopy":
        twin, second = copy.deepcopy((model, optimizer))
    elif way == "pickle":
        twin, second = pickle.loads(pickle.dumps((model, optimizer)))
    else:
        torch.save((model, optimizer), file := io.BytesIO())
        file.seek(0)
        twin, second = torch.load(file, weights_only=False)
    steps(model, optimizer, 3)
    assert not torch.equal(model[0].pair.array.moving, twin[0].pair.array.moving)
    steps(twin, second, 3)
    for (name, one), other in zip(model.state_dict().items(), twin.state_dict().values(), strict=True):
        assert torch.equal(one, other), name


def test_a_copy_of_the_optimizer_alone_has_devices_of_its_own(params: ParameterFile) -> None:
    model = small(params)
    optimizer = PulseOptimizer(model.parameters(), lr=50)
    steps(model, optimizer, 2)
    twin = copy.deepcopy(optimizer)
    weight = twin.param_groups[0]["params"][0]
    before = model[0].pair.array.moving.clone()
    weight.grad = torch.ones_like(weight)
    twin.step()
    assert twin.last_step.pulses > 0
    assert torch.equal(before, model[0].pair.array.moving)
    assert torch.equal(weight.detach(), pair_of(weight).signs())  # type: ignore[union-attr]


def test_a_convolution_is_looked_at_too(params: ParameterFile) -> None:
    layer = BinaryConv2d(3, 4, 3, params=params)
    layer.weight.data[3, 2, 2, 2] *= -1
    with pytest.raises(SimulationError, match="1 of 108"):
        layer(torch.zeros(1, 3, 5, 5))
