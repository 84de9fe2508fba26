import pytest
import torch
from torch import nn

from weakreset.errors import UsageError
from weakreset.training import build_network, train
from weakreset.training.augment import random_crop_and_flip
from weakreset.training.ideal import binarize, clip_latent_weights, latent_weights
from weakreset.training.networks import mlp, sign_straight_through
from weakreset.training.recipes import DEFAULT_RECIPE, RECIPES, recipe_named


def test_the_mlp_is_784_3000_10_with_binary_activations() -> None:
    model = build_network("mlp", (1, 28, 28), 10)
    linear = [m for m in model.modules() if isinstance(m, nn.Linear)]
    assert [(m.in_features, m.out_features) for m in linear] == [(784, 3000), (3000, 10)]
    generator = torch.Generator().manual_seed(0)
    hidden = model[:5](torch.rand(7, 1, 28, 28, generator=generator))  # type: ignore[index]
    assert sorted(hidden.unique().tolist()) == [-1.0, 1.0]


def test_the_vgg_has_the_published_layers_times_its_width() -> None:
    model = build_network("vgg", (3, 32, 32), 10, width=0.125)
    convolutions = [m.out_channels for m in model.modules() if isinstance(m, nn.Conv2d)]
    assert convolutions == [48, 48, 96, 96, 192, 64]
    linear = [(m.in_features, m.out_features) for m in model.modules() if isinstance(m, nn.Linear)]
    assert linear == [(1024, 128), (128, 128), (128, 10)]
    assert model(torch.zeros(2, 3, 32, 32)).shape == (2, 10)
    with torch.device("meta"):
        full = build_network("vgg", (3, 32, 32), 10)
    first_dense = next(m for m in full.modules() if isinstance(m, nn.Linear))
    assert first_dense.in_features == 8192


def test_sign_has_no_zero_and_passes_the_gradient() -> None:
    x = torch.tensor([-2.0, -0.0, 0.0, 3.0], requires_grad=True)
    y = sign_straight_through(x)
    assert y.tolist() == [-1, 1, 1, 1]
    (y * torch.tensor([1.0, 2, 3, 4])).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [1, 2, 3, 4]


def test_latent_weights_are_real_and_their_signs_are_used() -> None:
    stock = build_network("mlp", (1, 4, 4), 3, hidden=8)
    model = binarize(stock, torch.Generator().manual_seed(0))
    latent = latent_weights(model)
    assert [tuple(p.shape) for p in latent] == [(8, 16), (3, 8)]
    assert torch.equal(model[1].weight, torch.where(latent[0] >= 0, 1.0, -1.0))  # type: ignore[index]
    model(torch.linspace(0, 1, 80).view(5, 1, 4, 4)).square().sum().backward()
    assert latent[0].grad is not None
    with torch.no_grad():
        latent[0].fill_(7)
    clip_latent_weights(latent)
    assert float(latent[0].detach().max()) == 1


def test_crops_are_shifts_of_at_most_four_pixels_and_mirrors() -> None:
    generator = torch.Generator().manual_seed(0)
    image = torch.rand(1, 3, 32, 32, generator=generator)
    out = random_crop_and_flip(image.expand(40, 3, 32, 32), generator)
    padded = nn.functional.pad(image[0], [4] * 4, value=-1.0)
    crops = [padded[:, r : r + 32, c : c + 32] for r in range(9) for c in range(9)]
    candidates = torch.stack([*crops, *(crop.flip(2) for crop in crops)])
    where = [(candidates == o).flatten(1).all(1).nonzero().view(-1).tolist() for o in out]
    assert all(len(hit) == 1 for hit in where)
    found = [hit[0] for hit in where]
    assert len(set(found)) > 25
    assert 5 < sum(number >= 81 for number in found) < 35


def test_rates_follow_their_schedule() -> None:
    published, aware = recipe_named("published"), recipe_named("device-aware")
    assert [published.factor(epoch * 60, 60, 20) for epoch in (0, 6, 7, 13, 14)] == [1, 1, 0.5, 0.5, 0.25]
    assert aware.factor(0, 60, 20) > 0.99
    assert aware.factor(599, 60, 20) == pytest.approx(0.5)
    assert aware.factor(1199, 60, 20) == pytest.approx(0, abs=1e-12)
    assert aware.factor(149, 60, 5) == pytest.approx(2.0)  # half of the cosine, four times the rate
    assert aware.factor(359, 60, 12) == pytest.approx(0.5 * 20 / 12)
    assert aware.factor(14, 30, 1) == pytest.approx(2.0)
    assert aware.factor(1199, 60, 40) == pytest.approx(0.5)
    latent, ideal = recipe_named(DEFAULT_RECIPE), recipe_named("ideal")
    shared = ("lr", "schedule", "digital_lr", "digital_schedule", "betas", "full_steps", "label_smoothing")
    assert all(getattr(latent, name) == getattr(ideal, name) for name in shared)  # else no yardstick
    assert set(RECIPES) == {"latent", "latent-byte", "device-aware", "published", "ideal"}


@pytest.mark.parametrize(
    ("name", "side", "options"),
    [("resnet", 8, {}), ("mlp", 8, {"hidden": 0}), ("vgg", 28, {}), ("vgg", 8, {"width": 0})],
)
def test_impossible_networks_are_refused(name: str, side: int, options: dict[str, float]) -> None:
    shape = (1, side, side)
    with pytest.raises(UsageError):
        build_network(name, shape, 10, **options)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="choose from"):
        recipe_named("magic")


@pytest.mark.parametrize(("network", "sizes", "named"), [
    ("vgg", {"hidden": 100}, "hidden = 100 is a size of the mlp, the network vgg has none"),
    ("mlp", {"width": 0.5}, "width = 0.5 is a size of the vgg, the network mlp has none"),
    (torch.nn.Linear(4, 2), {"hidden": 100}, "a network of your own has none"),
    (mlp, {"hidden": 100}, "a network of your own has none"),
])
def test_a_size_that_a_network_does_not_have_is_refused(network, sizes, named):
    with pytest.raises(UsageError, match=named):
        train("majumdar2021", "digits", network=network, **sizes)
