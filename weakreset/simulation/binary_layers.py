"""`nn.Linear` and `nn.Conv2d` whose weights are signs of pairs of simulated devices.

`layer.weight` is an ordinary parameter that holds +1 and -1. The forward pass uses it as it is, so its
gradient is the straight-through gradient; `PulseOptimizer` turns that into pulses. Other optimizers must
not step it: only pulses can move a device.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, cast

import torch
from torch import nn

from weakreset.simulation.counter_random import derive_seed
from weakreset.simulation.device_array import ParameterSource
from weakreset.simulation.differential_pair import DifferentialPair, attach_pair

__all__ = ["BinaryConv2d", "BinaryLinear"]


Padding = Literal["zeros", "reflect", "replicate", "circular"]


class _DeviceWeights(nn.Module):
    """What the two layers share: a pair of devices per weight, and a weight that knows them."""

    pair: DifferentialPair

    def _install(
        self, params: ParameterSource, seed: int, without: Sequence[str] | str, n_poles: int
    ) -> None:
        weight = cast(nn.Parameter, self.weight)
        shape, device = tuple(weight.shape), weight.device
        own = derive_seed(seed, f"{type(self).__name__}{shape}")
        self.pair = DifferentialPair(shape, params, own, without=without, device=device, n_poles=n_poles)
        self.refresh_weight()
        attach_pair(weight, self.pair)

    def reset_parameters(self) -> None:
        """Biases start at zero; torch's global generator is left alone."""
        bias = cast("nn.Parameter | None", self.bias)
        if bias is not None:
            nn.init.zeros_(bias)

    def refresh_weight(self) -> None:
        """Read every pair again, after devices were moved by other means than `PulseOptimizer`."""
        with torch.no_grad():
            cast(nn.Parameter, self.weight).copy_(self.pair.signs())

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)  # type: ignore[no-untyped-call]
        attach_pair(cast(nn.Parameter, self.weight), self.pair)  # copy.deepcopy makes parameters anew


class BinaryLinear(_DeviceWeights, nn.Linear):
    """A fully connected layer of 2T2R weights.

    Parameters
    ----------
    in_features, out_features, bias
        As for `nn.Linear`; the bias is an ordinary real parameter.
    params : ParameterFile, path or preset name
    seed : int
        The chip. Mixed with the shape, so layers of different shape never share a random stream; layers of
        the same shape need different seeds (`convert` sees to it, `PulseOptimizer` refuses twins).
    without, n_poles
        As for `DeviceArray`.
    """

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, *,
        params: ParameterSource, seed: int = 0, without: Sequence[str] | str = (),
        device: torch.device | str | None = None, n_poles: int = 4,
    ) -> None:
        super().__init__(in_features, out_features, bias=bias, device=device)
        self._install(params, seed, without, n_poles)


class BinaryConv2d(_DeviceWeights, nn.Conv2d):
    """A convolution of 2T2R weights; arguments as for `nn.Conv2d` and `BinaryLinear`."""

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] = 1, padding: str | int | tuple[int, int] = 0,
        dilation: int | tuple[int, int] = 1, groups: int = 1, bias: bool = True,
        padding_mode: Padding = "zeros", *, params: ParameterSource, seed: int = 0,
        without: Sequence[str] | str = (), device: torch.device | str | None = None, n_poles: int = 4,
    ) -> None:
        nn.Conv2d.__init__(
            self, in_channels, out_channels, kernel_size, stride=stride, padding=padding, dilation=dilation,
            groups=groups, bias=bias, padding_mode=padding_mode, device=device,
        )
        self._install(params, seed, without, n_poles)
