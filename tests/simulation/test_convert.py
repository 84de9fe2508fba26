"""What `convert` puts on devices, what it keeps, and what it says of the rest."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

from weakreset.errors import SimulationError
from weakreset.parameter_file import ParameterFile
from weakreset.simulation import (
    BinaryConv2d,
    BinaryLinear,
    DeviceLayer,
    LatentOptimizer,
    PulseOptimizer,
    conversion_of,
    convert,
)


class Scaled(nn.Linear):
    """A layer of somebody else, with a forward of its own."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return 3.0 * super().forward(x)


class Net(nn.Module):
    def __init__(self, **parts: nn.Module) -> None:
        super().__init__()
        for name, part in parts.items():
            self.add_module(name, part)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for part in self.children():
            x = part(x)
        return x


@pytest.fixture(autouse=True)
def _layers_may_be_random():
    with torch.random.fork_rng(devices=[]):
        yield


LAYERS = [
    (nn.Conv1d(4, 6, 3, stride=2), (2, 4, 9)),
    (nn.Conv2d(4, 8, 3, groups=2, padding="same", padding_mode="circular"), (2, 4, 7, 7)),
    (nn.Conv2d(6, 6, 3, groups=6, bias=False), (2, 6, 7, 7)),
    (nn.Conv3d(2, 3, (1, 3, 2), dilation=2), (2, 2, 6, 7, 8)),
    (nn.ConvTranspose1d(4, 6, 3, stride=2, output_padding=1), (2, 4, 9)),
    (nn.ConvTranspose2d(4, 6, 3, groups=2), (2, 4, 5, 5)),
    (nn.ConvTranspose3d(2, 3, 2), (2, 2, 3, 4, 5)),
    (Scaled(5, 4), (2, 5)),
]


@pytest.mark.parametrize(("stock", "shape"), LAYERS)
def test_layers_of_every_kind_compute_what_theirs_does_with_the_signs(
    params: ParameterFile, stock: nn.Module, shape: tuple[int, ...]
) -> None:
    model = convert(nn.Sequential(stock), params, strict=True)
    layer = model[0]  # type: ignore[index]
    assert isinstance(layer, (DeviceLayer, type(stock)))
    reference = copy.deepcopy(stock)
    reference.weight.data = layer.pair.signs()  # type: ignore[union-attr]
    x = torch.randn(shape)
    assert torch.equal(model(x), reference(x))
    optimizer = PulseOptimizer(model.parameters(), lr=50)
    for _ in range(3):
        model(x).square().mean().backward()
        optimizer.step()
    assert int(layer.pair.array.pulse_count.sum()) > 0
    assert torch.equal(layer.weight.detach(), layer.pair.signs())
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert torch.equal(twin(x), model(x))
        assert twin[0].pair is not layer.pair
    with pytest.raises(SimulationError, match=r"no nn\.Linear"):
        convert(model, params)


def test_a_module_used_twice_stays_one_chip(params: ParameterFile) -> None:
    shared = nn.Linear(5, 5)
    model = convert(Net(a=shared, b=nn.Hardtanh(), c=shared), params)
    assert model.a is model.c  # type: ignore[union-attr]
    assert isinstance(model.a, BinaryLinear)
    model(torch.randn(3, 5)).sum().backward()
    LatentOptimizer(model.parameters()).step()
    assert len([layer for layer in model.modules() if isinstance(layer, DeviceLayer)]) == 1


def test_tied_weights_stay_tied_and_have_one_pair(params: ParameterFile) -> None:
    model = Net(a=nn.Linear(5, 5), b=nn.Linear(5, 5, bias=False))
    model.b.weight = model.a.weight
    made = convert(model, params)
    assert made.a.weight is made.b.weight  # type: ignore[union-attr]
    assert made.a.pair is made.b.pair  # type: ignore[union-attr]
    made(torch.randn(3, 5)).square().mean().backward()
    PulseOptimizer(made.parameters(), lr=50).step()
    made(torch.randn(3, 5))
    twin = copy.deepcopy(made)
    assert twin.a.pair is twin.b.pair  # type: ignore[union-attr]
    twin.load_state_dict(made.state_dict())


def test_an_embedding_tied_to_a_layer_is_said_to_be(params: ParameterFile) -> None:
    model = Net(words=nn.Embedding(7, 5), head=nn.Linear(5, 7))
    model.head.weight = model.words.weight
    with pytest.warns(UserWarning, match="words \\(Embedding\\): tied to head, whose devices hold it"):
        made = convert(model, params)
    assert torch.equal(made.words.weight, made.head.weight)  # type: ignore[union-attr]


def test_hooks_precision_and_frozen_weights_are_kept(params: ParameterFile) -> None:
    calls: list[str] = []
    model = Net(first=nn.Linear(5, 6), second=nn.Linear(6, 4)).double()
    model.first.register_forward_hook(lambda *_: calls.append("forward"))
    model.second.weight.requires_grad_(False)
    made = convert(model, params)
    assert made.first.weight.dtype == torch.float64  # type: ignore[union-attr]
    assert [layer.frozen for layer in conversion_of(made).on_devices] == [False, True]
    optimizer = PulseOptimizer(made.parameters(), lr=50)
    for _ in range(5):
        made(torch.randn(8, 5, dtype=torch.float64)).square().mean().backward()
        optimizer.step()
    assert calls == ["forward"] * 5
    assert int(made.first.pair.array.pulse_count.sum()) > 0  # type: ignore[union-attr]
    assert int(made.second.pair.array.pulse_count.sum()) == 0  # type: ignore[union-attr]


def strange() -> Net:
    return Net(
        lin=nn.Linear(5, 5), lstm=nn.LSTM(5, 5), attention=nn.MultiheadAttention(4, 2), bilinear=nn.Bilinear(3, 3, 2),
        normed=parametrizations.weight_norm(nn.Linear(5, 5)), lazy=nn.LazyLinear(3), words=nn.Embedding(3, 4),
        norm=nn.LayerNorm((5, 5)), batch=nn.BatchNorm1d(5),
    )


def test_what_stays_is_listed_with_reasons_and_refused_when_strict(params: ParameterFile) -> None:
    with pytest.warns(UserWarning, match="these weights stay real numbers: lstm"):
        made = convert(strange(), params)
    found = conversion_of(made)
    assert [layer.name for layer in found.on_devices] == ["lin", "attention.out_proj"]
    reasons = {layer.name: layer.reason for layer in found.left}
    assert list(reasons) == ["lstm", "attention", "bilinear", "normed", "lazy", "words"]
    assert "recurrent" in reasons["lstm"]
    assert "attention" in reasons["attention"]
    assert "no Bilinear on devices" in reasons["bilinear"]
    assert "computed from other numbers" in reasons["normed"]
    assert "run one batch" in reasons["lazy"]
    assert "not on devices: bilinear, Bilinear" in str(found)
    for layer in found.left:
        with pytest.raises(SimulationError, match=f"strict: .*{layer.name}"):
            convert(strange(), params, strict=True)


def test_layers_can_be_chosen(params: ParameterFile) -> None:
    model = Net(a=nn.Conv2d(1, 2, 3), b=nn.Conv2d(2, 2, 3), flat=nn.Flatten(), c=nn.Linear(2, 3))
    names = lambda **o: [layer.name for layer in conversion_of(convert(model, params, **o)).on_devices]  # noqa: E731
    assert names() == ["a", "b", "c"]
    assert names(layers=["a", "c"]) == ["a", "c"]
    assert names(layers=["[ab]"], strict=True) == ["a", "b"]  # strict is about what was asked for
    assert names(layers=[nn.Linear]) == ["c"]
    assert names(layers=lambda name, module: name != "a") == ["b", "c"]
    with pytest.raises(SimulationError, match="Net has no 'flatt'; did you mean 'flat'"):
        convert(model, params, layers=["flatt"])
    whole, part = convert(model, params, seed=4), convert(model, params, seed=4, layers="b")
    assert isinstance(part.b, BinaryConv2d)
    assert torch.equal(whole.b.weight, part.b.weight)  # type: ignore[union-attr]
    assert type(part.a) is nn.Conv2d


def test_stock_layers_have_the_chips_that_they_always_had(params: ParameterFile) -> None:
    """Seeds of the layers follow from class, shape and name: written down, they keep old runs repeatable."""
    model = convert(nn.Sequential(nn.Linear(6, 5), nn.Conv2d(2, 3, 3)), params, seed=11)
    seeds = [int(layer.pair.array.clock[0]) for layer in model.modules() if isinstance(layer, DeviceLayer)]
    assert seeds == [SEEDS[0], SEEDS[1]]


SEEDS = (4850399644777977303, 8979753906082930540)
