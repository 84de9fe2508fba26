"""Turn a stock network into one on simulated devices, and say what of it is on them."""

from __future__ import annotations

import copy
import difflib
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, TypeAlias

import torch
from torch import nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.parameter import UninitializedParameter
from torch.nn.utils import parametrize

from weakreset.errors import SimulationError, expect
from weakreset.parameter_file import load_parameters
from weakreset.simulation.binary_layers import DeviceLayer
from weakreset.simulation.counter_random import derive_seed
from weakreset.simulation.device_array import ParameterSource
from weakreset.simulation.device_classes import CONVERTIBLE, device_class
from weakreset.simulation.differential_pair import DifferentialPair

__all__ = ["Conversion", "LayerLeft", "LayerOnDevices", "Layers", "conversion_of", "convert", "convertible_layers"]

Layers: TypeAlias = Sequence[str | type[nn.Module]] | Callable[[str, nn.Module], bool]
"""Which layers: names as in `named_modules()`, with * and ? if wanted, classes, or a function of name and module."""

_DIGITAL = (_NormBase, nn.LayerNorm, nn.GroupNorm)
"""Their numbers scale and shift activations, one by one: digital, as biases are."""


@dataclass(frozen=True)
class LayerOnDevices:
    """A layer on devices; `frozen` where its weight asks for no gradient and so gets no pulse."""

    name: str
    kind: str
    shape: tuple[int, ...]
    frozen: bool


@dataclass(frozen=True)
class LayerLeft:
    """A part of the network whose weights are real numbers, and why."""

    name: str
    kind: str
    weights: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class Conversion:
    """What of a network is on devices, and what is not.

    Biases and normalisation are digital by design and not listed.
    """

    on_devices: tuple[LayerOnDevices, ...]
    left: tuple[LayerLeft, ...]

    def __str__(self) -> str:
        lines = [
            f"on devices: {layer.name or '(the model)'}, {layer.kind} {layer.shape}{', frozen' if layer.frozen else ''}"
            for layer in self.on_devices
        ]
        lines += [f"not on devices: {layer.name or '(the model)'}, {layer.kind}: {layer.reason}" for layer in self.left]
        return "\n".join(lines)


def convert(
    model: nn.Module, params: ParameterSource, seed: int = 0, *,
    without: Sequence[str] | str = (), n_poles: int = 4, layers: Layers | None = None, strict: bool = False,
) -> nn.Module:
    """A copy of `model` with the weights of its linear and convolution layers on devices; the rest as it was.

    Linear, Conv1d, 2d and 3d and their transposes are converted, grouped and depthwise ones too, and subclasses of
    these, which keep their own `forward`. A module used twice stays one chip, tied weights stay tied, hooks, dtype
    and `requires_grad` stay: a frozen layer gets no pulses. Weights start at what the fresh devices happen to hold,
    biases are kept. Each layer draws its own seed from `seed` and its name in the model: layers never share a random
    stream, and adding a layer does not change the chips of the others.

    Parameters
    ----------
    layers : sequence of str or class, or callable, optional
        Only these: names as in `named_modules()` with * and ? ("features.*"), classes, or a function of name and
        module.
    strict : bool
        Refuse a model with weights that cannot be converted. Otherwise they are named in a warning;
        `conversion_of` lists them.

    Raises
    ------
    SimulationError
        There is nothing to convert, `layers` names what is not there, or with `strict` something would be left.
    """
    expect(model, nn.Module, "convert(network, params)")
    options: dict[str, Any] = {"params": load_parameters(params), "without": without, "n_poles": n_poles}
    converted = copy.deepcopy(model)
    _put_on_devices(converted, convertible_layers(converted, layers), seed, options)
    wanted = _chosen(converted, layers)
    left = [layer for layer in conversion_of(converted).left if wanted(layer.name, converted.get_submodule(layer.name))]
    if left:
        found = "; ".join(f"{layer.name or '(the model)'} ({layer.kind}): {layer.reason}" for layer in left)
        if strict:
            raise SimulationError(f"strict: these weights would stay real numbers: {found}")
        warnings.warn(f"convert: these weights stay real numbers: {found}", UserWarning, stacklevel=2)
    return converted


def convertible_layers(model: nn.Module, layers: Layers | None = None) -> list[str]:
    """Names of the layers that `convert` puts on devices; raises as it does when there is none."""
    wanted = _chosen(model, layers)
    reasons = {name: _reason(module) for name, module in model.named_modules() if isinstance(module, CONVERTIBLE)}
    ready = [name for name, reason in reasons.items() if reason is None and wanted(name, model.get_submodule(name))]
    if not ready:
        why = "; ".join(f"{name or 'it'}: {reason}" for name, reason in reasons.items() if reason)
        raise SimulationError(
            f"{type(model).__name__} has no nn.Linear, nn.Conv1d, 2d, 3d or transposed convolution to convert"
            + (f" ({why})" if why else "")
        )
    return ready


def _put_on_devices(model: nn.Module, names: Sequence[str], seed: int, options: dict[str, Any]) -> None:
    """Change the class of each module in place: everything else of it, and every place that uses it, stays."""
    pairs: dict[int, DifferentialPair] = {}
    for name in names:
        module = model.get_submodule(name)
        made, known = device_class(type(module)), id(module.weight)  # type: ignore[arg-type]
        try:
            # the class, not the module: hooks, names, and every place that refers to it stay
            module.__class__ = made  # type: ignore[assignment]
        except TypeError as error:
            raise SimulationError(
                f"{name}: {type(module).__name__} cannot be put on devices ({error}); leave it out with layers="
            ) from None
        if known in pairs:  # tied to a layer before it
            module._share(pairs[known])  # type: ignore[operator]
        else:
            module._install(**options, seed=derive_seed(seed, name))  # type: ignore[operator]
            pairs[known] = module.pair  # type: ignore[assignment]


def conversion_of(model: nn.Module) -> Conversion:
    """Which layers of a model are on devices, and which weights are not, with reasons."""
    on, left = [], []
    holders: dict[int, str] = {}
    inside = {id(part) for m in model.modules() if isinstance(m, DifferentialPair) for part in m.modules()}
    parts = [
        (name, module) for name, module in model.named_modules()
        if id(module) not in inside and not isinstance(module, parametrize.ParametrizationList)  # is of its layer
    ]
    for name, module in parts:
        if isinstance(module, DeviceLayer):
            weight = module._own_weight()
            holders[id(weight)] = name  # for weights of other modules that are tied to it
            kind = type(module).__name__
            on.append(LayerOnDevices(name, kind, tuple(weight.shape), not weight.requires_grad))
    for name, module in parts:
        if not isinstance(module, (*_DIGITAL, DeviceLayer)) and (found := _real_weights(module)):
            tied = {holders[id(weight)] for weight in found.values() if id(weight) in holders}
            reason = _reason(module) or "not converted"
            reason = f"tied to {', '.join(sorted(tied))}, whose devices hold it" if tied else reason
            left.append(LayerLeft(name, type(module).__name__, tuple(found), reason))
    return Conversion(tuple(on), tuple(left))


def _real_weights(module: nn.Module) -> Mapping[str, nn.Parameter]:
    """Own parameters that are matrices or more: what a crossbar could hold."""
    own = {name: p for name, p in module.named_parameters(recurse=False) if _lazy(p) or p.ndim >= 2}
    if parametrize.is_parametrized(module):
        hidden = module.parametrizations.named_parameters()  # type: ignore[union-attr]
        own |= {f"parametrizations.{name}": p for name, p in hidden if p.ndim >= 2}
    return own


def _lazy(parameter: torch.Tensor) -> bool:
    return isinstance(parameter, UninitializedParameter)


def _reason(module: nn.Module) -> str | None:
    """Why a module cannot be converted; None where it can."""
    weight = module._parameters.get("weight")
    if isinstance(module, DeviceLayer):
        return "it is on devices already"
    if isinstance(module, nn.MultiheadAttention):
        return "the projections of attention are no layers of their own"
    if isinstance(module, nn.RNNBase | nn.RNNCellBase):
        return "recurrent weights are no layers of their own"
    if isinstance(module, torch.jit.ScriptModule):
        return "it was compiled by TorchScript"
    if not isinstance(module, CONVERTIBLE):
        return f"there is no {type(module).__name__} on devices"
    if weight is None:
        return "its weight is computed from other numbers (parametrization, weight norm, pruning)"
    if _lazy(weight):
        return "its size is not known yet: run one batch through the model first"
    if weight.is_meta:
        return "it is on the meta device"
    return None if weight.is_floating_point() and not weight.is_complex() else f"its weight is of {weight.dtype}"


def _chosen(model: nn.Module, layers: Layers | None) -> Callable[[str, nn.Module], bool]:
    if layers is None:
        return lambda name, module: True
    if callable(layers) and not isinstance(layers, type):
        return layers
    asked = [layers] if isinstance(layers, str | type) else list(layers)
    known = [name for name, _ in model.named_modules()]
    for pattern in (entry for entry in asked if isinstance(entry, str)):
        if not any(fnmatchcase(name, pattern) for name in known):
            near = difflib.get_close_matches(pattern, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(map(repr, known))}"
            raise SimulationError(f"layers: {type(model).__name__} has no {pattern!r}; {hint}")
    patterns = [entry for entry in asked if isinstance(entry, str)]
    kinds = tuple(entry for entry in asked if not isinstance(entry, str))
    return lambda name, module: isinstance(module, kinds) or any(fnmatchcase(name, pattern) for pattern in patterns)
