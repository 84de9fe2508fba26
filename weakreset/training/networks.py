"""The paper's networks from ordinary torch modules; `convert` or `binarize` make their weights binary."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from weakreset.errors import UsageError

__all__ = ["NETWORKS", "Sign", "build_network", "check_sizes", "mlp", "sign_straight_through", "vgg"]

NETWORKS = ("mlp", "vgg")
_SIZES = {"hidden": "mlp", "width": "vgg"}


class _SignStraightThrough(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return torch.where(x >= 0, 1.0, -1.0).to(x.dtype)  # not torch.sign, which has 0 for 0: a third state

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return gradients[0]  # straight through (Hinton; Bengio et al. 2013)


def sign_straight_through(x: Tensor) -> Tensor:
    """+1 where x >= 0, else -1; the gradient passes as if it were the identity."""
    result: Tensor = _SignStraightThrough.apply(x)  # type: ignore[no-untyped-call]
    return result


class Sign(nn.Module):
    """Binary activation; put a hardtanh before it to stop the gradient where |x| > 1."""

    def forward(self, x: Tensor) -> Tensor:
        return sign_straight_through(x)


def check_sizes(network: Any, **sizes: float | None) -> None:
    """Refuse a size that the network does not have: it must not look as if it had done something.

    Raises
    ------
    UsageError
    """
    for name, value in sizes.items():
        if value is not None and network != _SIZES[name]:
            whose = f"the network {network}" if isinstance(network, str) else "a network of your own"
            raise UsageError(f"{name} = {value:g} is a size of the {_SIZES[name]}, {whose} has none: leave it out")


def build_network(
    name: str, image_shape: tuple[int, int, int], n_classes: int, hidden: int = 3000, width: float = 1.0
) -> nn.Module:
    """A stock network by name; leaves torch's global generator as it was.

    Parameters
    ----------
    name : str
        "mlp" or "vgg".
    image_shape : tuple of int
        Channels, height, width.
    n_classes : int
    hidden : int
        Hidden units of the mlp.
    width : float
        Factor on the channels and units of the vgg.

    Raises
    ------
    UsageError
        Unknown name, or sizes that make no network.
    """
    if name not in NETWORKS:
        raise UsageError(f"no network {name!r}: choose from {', '.join(NETWORKS)}")
    with torch.random.fork_rng(devices=[]):
        if name == "mlp":
            return mlp(image_shape, n_classes, hidden)
        return vgg(image_shape, n_classes, width)


def mlp(image_shape: tuple[int, int, int], n_classes: int, hidden: int) -> nn.Sequential:
    """inputs - hidden - classes with batch norm, hardtanh and sign between; inputs are real numbers."""
    if hidden < 1:
        raise UsageError(f"hidden must be >= 1, got {hidden}")
    n_inputs = image_shape[0] * image_shape[1] * image_shape[2]
    return nn.Sequential(
        nn.Flatten(), nn.Linear(n_inputs, hidden), nn.BatchNorm1d(hidden), nn.Hardtanh(), Sign(),
        nn.Linear(hidden, n_classes), nn.BatchNorm1d(n_classes),
    )


def vgg(image_shape: tuple[int, int, int], n_classes: int, width: float) -> nn.Sequential:
    """conv 384-384-P-768-768-P-1536-512-P (3 x 3), dense 1024-1024-classes; channels times `width`."""
    channels, height, wide = image_shape
    if not 0 < width < math.inf or height % 8 or wide % 8:
        raise UsageError(f"vgg needs width > 0 and image sides of 8 n, got {width} and {height} x {wide}")
    layers: list[nn.Module] = []
    for planned, pool in ((384, False), (384, True), (768, False), (768, True), (1536, False), (512, True)):
        out = max(1, round(planned * width))
        layers.append(nn.Conv2d(channels, out, 3, padding=1))
        layers += [nn.MaxPool2d(2)] if pool else []  # before the sign: of +-1 the maximum is nearly always +1
        layers += [nn.BatchNorm2d(out), nn.Hardtanh(), Sign()]
        channels = out
    units = channels * (height // 8) * (wide // 8)
    layers.append(nn.Flatten())
    for _ in range(2):
        out = max(1, round(1024 * width))
        layers += [nn.Linear(units, out), nn.BatchNorm1d(out), nn.Hardtanh(), Sign()]
        units = out
    # batch norm last too: sums of +-1 over hundreds of inputs are far too large for a softmax
    return nn.Sequential(*layers, nn.Linear(units, n_classes), nn.BatchNorm1d(n_classes))
