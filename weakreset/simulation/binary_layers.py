"""Layers of torch whose weights are signs of pairs of simulated devices.

`layer.weight` is an ordinary parameter that holds +1 and -1. The forward pass uses it as it is, so its
gradient is the straight-through gradient; `PulseOptimizer` turns that into pulses. Other optimizers must
not step it: only pulses can move a device, and a layer refuses to hand out a weight that is not its devices'.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self, cast

import torch
from torch import nn

from weakreset.errors import SimulationError
from weakreset.simulation.counter_random import derive_seed
from weakreset.simulation.device_array import ParameterSource
from weakreset.simulation.differential_pair import DifferentialPair, attach_pair

__all__ = [
    "BinaryConv1d",
    "BinaryConv2d",
    "BinaryConv3d",
    "BinaryConvTranspose1d",
    "BinaryConvTranspose2d",
    "BinaryConvTranspose3d",
    "BinaryLinear",
    "DeviceLayer",
]


class DeviceLayer(nn.Module):
    """What all layers on devices share: a pair of devices per weight, and a weight that knows them.

    It stands before a layer of torch in the bases of a class.
    """

    pair: DifferentialPair

    def _install(
        self, params: ParameterSource, seed: int, without: Sequence[str] | str, n_poles: int
    ) -> None:
        weight = self._parameters["weight"]
        if weight is None or weight.is_meta:
            raise SimulationError(f"{type(self).__name__} has no weight in memory: move it off the meta device first")
        # mixed with the shape: layers made by hand with one seed would else share random numbers
        own = derive_seed(seed, f"{type(self).__name__}{tuple(weight.shape)}")
        self._share(DifferentialPair(
            tuple(weight.shape), params, own, without=without, device=weight.device, n_poles=n_poles
        ))

    def _share(self, pair: DifferentialPair) -> None:
        """Be held by this pair, which another layer with the same weight may hold too."""
        self.pair = pair
        self._adopt()
        pair.read_into(self._own_weight())
        # after all keys are in: only then weight and devices can be compared
        self.register_load_state_dict_post_hook(_check_loaded)  # type: ignore[no-untyped-call]

    def _own_weight(self) -> nn.Parameter:
        weight = self._parameters.get("weight")
        if weight is None:
            raise SimulationError(
                f"the weight of {type(self).__name__} was replaced by one that is computed (pruning, a "
                "parametrization, weight norm): devices hold +1 and -1 and nothing else. Undo it"
            )
        return weight

    def _adopt(self) -> None:
        """Let optimizers find the devices behind the weight; copying and moving a module makes parameters anew."""
        if self._parameters.get("weight") is not None:
            attach_pair(self._own_weight(), self.pair)

    def reset_parameters(self) -> None:
        """Biases start at zero; torch's global generator is left alone."""
        bias = cast("nn.Parameter | None", self.bias)
        if bias is not None:
            nn.init.zeros_(bias)

    def refresh_weight(self) -> None:
        """Read every pair again, whatever the weight was."""
        self.pair.read_into(self._own_weight())

    def __getattr__(self, name: str) -> Any:
        """`weight` is looked at before it is handed out, to `forward` too; see `seal`.

        Code made by `torch.compile` runs no Python: there the optimizer's step and `state_dict()` look at it.
        """
        if name == "weight" and not torch.compiler.is_compiling():
            if "_read" in self.__dict__:  # a noisy read of this forward pass; see `forward`
                return self.__dict__["_read"]
            if "pair" in self._modules and (weight := self._parameters.get("weight")) is not None:
                if not weight.is_meta:
                    self.pair.verify(weight, whole=not self.training)
                return weight
        return super().__getattr__(name)

    def forward(self, *inputs: Any, **options: Any) -> Any:
        """As the layer of torch.

        In `eval()` mode, where the file has read noise, every pass reads all pairs again, with new noise: inference
        on devices. The order of passes decides which noise; `state_dict()` holds how many there were.
        """
        quiet = self.training or not self.pair.array.reads_are_noisy
        if quiet and torch.compiler.is_compiling():  # no Python there: see `__getattr__`
            return super().forward(*inputs, **options)
        if "_is_replica" in self.__dict__:  # of nn.DataParallel: its weight is a copy, made for this pass alone
            return super().forward(*inputs, **options)
        weight = self._own_weight()
        if quiet:
            return super().forward(*inputs, **options)
        self.pair.verify(weight)
        read = self.pair.read_again().to(weight.dtype)
        self.__dict__["_read"] = weight + (read - weight).detach()  # the gradient is that of the weight, as ever
        try:
            return super().forward(*inputs, **options)
        finally:
            del self.__dict__["_read"]

    def _apply(self, fn: Callable[[torch.Tensor], torch.Tensor], recurse: bool = True) -> Self:
        """Move as any module; the weight is then read from the devices, which `to_empty` leaves alone."""
        weight = self._parameters.get("weight")
        if weight is not None and not weight.is_meta and "pair" in self._modules:
            # before it is read anew: what an init or an optimizer wrote would be blessed by being overwritten
            self.pair.verify(weight, whole=False)
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        if "pair" in self._modules and (moved := self._parameters.get("weight")) is not None and not moved.is_meta:
            self._adopt()
            self.pair.read_into(moved)
        return self

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        weight = self._parameters.get("weight")
        if weight is not None and not weight.is_meta:
            self.pair.verify(weight)
        super()._save_to_state_dict(destination, prefix, keep_vars)

    def _load_from_state_dict(self, state_dict: Mapping[str, Any], prefix: str, *args: Any) -> None:
        if f"{prefix}weight" in state_dict and not any(key.startswith(f"{prefix}pair.") for key in state_dict):
            raise SimulationError(
                f"{prefix}weight was saved without its devices, by a network of ordinary layers: nothing but pulses "
                "moves a device. Load it before convert(), write its signs with program(), or leave this key out of "
                "what is loaded"
            )
        # first of all: torch collects errors and loads the rest, which would leave half a chip
        self.pair.array.check_loadable(state_dict, f"{prefix}pair.array.")
        super()._load_from_state_dict(state_dict, prefix, *args)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)  # type: ignore[no-untyped-call]
        self._adopt()


def _check_loaded(layer: DeviceLayer, _: Any) -> None:
    layer._adopt()
    layer.pair.verify(layer._own_weight())


class BinaryLinear(DeviceLayer, nn.Linear):
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

    Raises
    ------
    SimulationError
        From `layer.weight` and every use of the layer: something other than pulses wrote the weight.
    """

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, *,
        params: ParameterSource, seed: int = 0, without: Sequence[str] | str = (),
        device: torch.device | str | None = None, n_poles: int = 4,
    ) -> None:
        super().__init__(in_features, out_features, bias=bias, device=device)
        self._install(params, seed, without, n_poles)


class _Convolution(DeviceLayer):
    def __init__(
        self, *sizes: Any, params: ParameterSource, seed: int = 0, without: Sequence[str] | str = (), n_poles: int = 4,
        **options: Any,
    ) -> None:
        super().__init__(*sizes, **options)
        self._install(params, seed, without, n_poles)


class BinaryConv1d(_Convolution, nn.Conv1d):
    """As `nn.Conv1d`, on 2T2R weights; `params`, `seed` and the rest as for `BinaryLinear`."""


class BinaryConv2d(_Convolution, nn.Conv2d):
    """As `nn.Conv2d`, on 2T2R weights; `params`, `seed` and the rest as for `BinaryLinear`."""


class BinaryConv3d(_Convolution, nn.Conv3d):
    """As `nn.Conv3d`, on 2T2R weights; `params`, `seed` and the rest as for `BinaryLinear`."""


class BinaryConvTranspose1d(_Convolution, nn.ConvTranspose1d):
    """As `nn.ConvTranspose1d`, on 2T2R weights; `params`, `seed` and the rest as for `BinaryLinear`."""


class BinaryConvTranspose2d(_Convolution, nn.ConvTranspose2d):
    """As `nn.ConvTranspose2d`, on 2T2R weights; `params`, `seed` and the rest as for `BinaryLinear`."""


class BinaryConvTranspose3d(_Convolution, nn.ConvTranspose3d):
    """As `nn.ConvTranspose3d`, on 2T2R weights; `params`, `seed` and the rest as for `BinaryLinear`."""
