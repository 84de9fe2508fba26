"""The yardstick: a binarized network without devices, real latent weights behind every sign."""

from __future__ import annotations

import copy
from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from weakreset.simulation.convert import Layers, convertible_layers
from weakreset.training.networks import sign_straight_through

__all__ = ["binarize", "clip_latent_weights", "latent_weights"]

_LATENT_SD = 0.03
"""Weights that start far from zero never turn: Adam moves one by about 1e-3 a step, and by less later."""


class _SignOfLatent(nn.Module):
    def forward(self, latent: Tensor) -> Tensor:
        return sign_straight_through(latent)


def binarize(model: nn.Module, generator: torch.Generator, layers: Layers | None = None) -> nn.Module:
    """A copy of `model` whose linear and convolution weights are signs of latent ones (Courbariaux 2016).

    The layers are those that `convert` would put on devices.
    """
    binary = copy.deepcopy(model)
    for name in convertible_layers(binary, layers):
        module = binary.get_submodule(name)
        weight: Tensor = module.weight  # type: ignore[assignment]
        with torch.no_grad():
            weight.copy_(_LATENT_SD * torch.randn(weight.shape, generator=generator))
        # the sign is taken anew in every pass; optimizers see the latent number, `module.weight` is +-1
        parametrize.register_parametrization(module, "weight", _SignOfLatent())
    return binary


def latent_weights(model: nn.Module) -> list[nn.Parameter]:
    """The latent weights of a binarized model."""
    return [p for name, p in model.named_parameters() if name.endswith("parametrizations.weight.original")]


@torch.no_grad()
def clip_latent_weights(weights: Iterable[nn.Parameter]) -> None:
    """Keep latent weights in [-1, 1], so that a sign can always turn back."""
    for latent in weights:
        latent.clamp_(-1.0, 1.0)
