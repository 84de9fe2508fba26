"""Turn a stock network into one on simulated devices."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from torch import nn

from weakreset.errors import SimulationError
from weakreset.parameter_file import load_parameters
from weakreset.simulation.binary_layers import BinaryConv2d, BinaryLinear
from weakreset.simulation.counter_random import derive_seed
from weakreset.simulation.device_array import ParameterSource

__all__ = ["convert"]

_CONV_ARGUMENTS = (
    "in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups", "padding_mode",
)


def convert(
    model: nn.Module, params: ParameterSource, seed: int = 0, *,
    without: Sequence[str] | str = (), n_poles: int = 4,
) -> nn.Module:
    """A copy of `model` with every `nn.Linear` and `nn.Conv2d` on devices; the rest as it was.

    Weights start at what the fresh devices happen to hold, biases are kept. Each layer draws its own seed
    from `seed` and its name in the model: layers never share a random stream, and adding a layer does not
    change the chips of the others.

    Raises
    ------
    SimulationError
        When there is nothing to convert.
    """
    options: dict[str, Any] = {"params": load_parameters(params), "without": without, "n_poles": n_poles}
    if type(model) in (nn.Linear, nn.Conv2d):
        return _on_devices(model, options | {"seed": derive_seed(seed, "")})
    converted = copy.deepcopy(model)
    stock = [(name, part) for name, part in converted.named_modules() if type(part) in (nn.Linear, nn.Conv2d)]
    if not stock:
        raise SimulationError(f"{type(model).__name__} has no nn.Linear or nn.Conv2d to convert")
    for name, module in stock:
        parent, _, child = name.rpartition(".")
        layer = _on_devices(module, options | {"seed": derive_seed(seed, name)})
        setattr(converted.get_submodule(parent), child, layer)
    return converted


def _on_devices(module: nn.Module, options: dict[str, Any]) -> nn.Module:
    layer: BinaryLinear | BinaryConv2d
    bias = getattr(module, "bias", None)
    common = options | {"bias": bias is not None, "device": next(module.parameters()).device}
    if isinstance(module, nn.Linear):
        layer = BinaryLinear(module.in_features, module.out_features, **common)
    elif isinstance(module, nn.Conv2d):
        layer = BinaryConv2d(**{name: getattr(module, name) for name in _CONV_ARGUMENTS}, **common)
    else:
        raise SimulationError(f"cannot convert {type(module).__name__}")
    if layer.bias is not None and bias is not None:
        layer.bias.data.copy_(bias.data)
    return layer.train(module.training)
