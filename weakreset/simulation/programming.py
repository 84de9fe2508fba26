"""Write wanted signs to a chip, and let a chip age: what is done with a network that was trained before."""

from __future__ import annotations

import copy
import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from weakreset.errors import SimulationError
from weakreset.simulation.binary_layers import DeviceLayer
from weakreset.simulation.counter_random import derive_seed, make_key, normal, normal_table, random_words
from weakreset.simulation.differential_pair import DifferentialPair
from weakreset.simulation.skip_ahead import LONGEST_BURST

__all__ = ["LayerProgrammed", "Programmed", "aged", "program"]


@dataclass(frozen=True)
class LayerProgrammed:
    """What writing one layer came to.

    Attributes
    ----------
    name : str
    weights, agreed_before, agree : int
        How many weights there are, had the wanted sign before, and have it now.
    pulses, bursts : int
        RESET pulses, and bursts of them; a pair is compared after each burst.
    most_pulses : int
        Of one device, since it was made.
    """

    name: str
    weights: int
    agreed_before: int
    agree: int
    pulses: int
    bursts: int
    most_pulses: int


@dataclass(frozen=True)
class Programmed:
    """A row a layer, and what they come to together."""

    layers: tuple[LayerProgrammed, ...]

    @property
    def agreement(self) -> float:
        """Share of all weights that have the wanted sign."""
        return sum(layer.agree for layer in self.layers) / max(sum(layer.weights for layer in self.layers), 1)

    @property
    def pulses_per_device(self) -> float:
        """RESET pulses of this programming, over all devices."""
        return sum(layer.pulses for layer in self.layers) / max(2 * sum(layer.weights for layer in self.layers), 1)

    def __str__(self) -> str:
        lines = [
            f"{layer.name or '(the model)'}: {layer.agree / max(layer.weights, 1):.2%} of {layer.weights} weights "
            f"agree (before: {layer.agreed_before / max(layer.weights, 1):.2%}); {layer.pulses} pulses in "
            f"{layer.bursts} bursts, at most {layer.most_pulses} on a device in its life"
            for layer in self.layers
        ]
        return "\n".join([*lines, f"all: {self.agreement:.2%} agree, {self.pulses_per_device:.1f} pulses a device"])


@torch.no_grad()
def program(
    model: nn.Module, signs: nn.Module | Mapping[str, Tensor], *, pulses_per_burst: int = 14, budget: int = 1120,
    margin: float = 0.0,
) -> Programmed:
    """Write trained binary weights to the devices of `model` by program-and-verify, in place.

    A pair whose sign is not the wanted one gets bursts of RESET pulses to the device that must rise, a comparison after
    each, until it turns or has had its budget. Pairs that agree get none. A pair that has just turned is as close as
    pairs can be: with a `margin` it is pulsed on, for the sake of retention and of noisy reads.

    Parameters
    ----------
    model : nn.Module
        With layers on devices (`convert`).
    signs : nn.Module or mapping of str to Tensor
        A network with layers of the same names, whose weights are binary or whose signs are wanted, or tensors by layer
        name ("3" or "3.weight"); other keys of a `state_dict()` may be there. Layers on devices that are not named stay
        as they are. A weight of zero counts as +1.
    pulses_per_burst : int
    budget : int
        Pulses that one weight may get.
    margin : float
        How far apart, in ln R, a pair must be to need no more pulses.

    Raises
    ------
    SimulationError
        For numbers out of range, a layer that there is not, another shape, or signs that are no numbers.
    """
    if not 1 <= pulses_per_burst <= LONGEST_BURST or budget < pulses_per_burst or not margin >= 0:
        raise SimulationError(
            f"program: pulses_per_burst must be 1 .. {LONGEST_BURST}, budget at least that and margin >= 0, got "
            f"{pulses_per_burst!r}, {budget!r} and {margin!r}"
        )
    layers = {name: module for name, module in model.named_modules() if isinstance(module, DeviceLayer)}
    wanted = _wanted(layers, signs)
    return Programmed(tuple(
        _program(name, layers[name], target, [pulses_per_burst] * (budget // pulses_per_burst), margin)
        for name, target in wanted.items()
    ))


def _wanted(layers: Mapping[str, DeviceLayer], signs: nn.Module | Mapping[str, Tensor]) -> dict[str, Tensor]:
    if not layers:
        raise SimulationError("program: the model has no layers on devices; use convert() first")
    if isinstance(signs, nn.Module):
        parts = dict(signs.named_modules())
        given: Mapping[str, Any] = {name: parts[name].weight for name in layers if hasattr(parts.get(name), "weight")}
    else:
        given = {key.removesuffix(".weight") if key not in layers else key: value for key, value in signs.items()}
        # a model that is one layer has no name: its weight is "weight"
        given = {("" if key == "weight" else key): value for key, value in given.items()}
    wanted = {name: given[name] for name in layers if name in given}
    if not wanted:
        near = [difflib.get_close_matches(name, list(given), n=1) for name in layers]
        hint = f"; did you mean {near[0][0]!r}?" if near and near[0] else ""
        raise SimulationError(f"program: no signs for any of the layers {', '.join(map(repr, layers))}{hint}")
    for name, target in wanted.items():
        shape = layers[name].pair.shape
        if not isinstance(target, Tensor) or tuple(target.shape) != shape:
            raise SimulationError(f"program: signs of {name!r} must have shape {shape}, got {_described(target)}")
        if not target.dtype.is_signed or target.is_complex():
            raise SimulationError(
                f"program: signs of {name!r} are of {target.dtype}, which cannot be -1, and 0 or False would "
                "count as +1: give real numbers, for a mask torch.where(mask, 1.0, -1.0)"
            )
        if lost := int(torch.isnan(target).sum()):
            raise SimulationError(f"program: signs of {name!r} hold {lost} that are no number")
    return wanted


def _described(value: Any) -> str:
    return str(tuple(value.shape)) if isinstance(value, Tensor) else type(value).__name__


def _program(
    name: str, layer: DeviceLayer, target: Tensor, bursts: Sequence[int], margin: float
) -> LayerProgrammed:
    weight, pair = layer._own_weight(), layer.pair
    wish = torch.where(target.detach().to(weight.device) >= 0, 1.0, -1.0).reshape(-1)
    with pair.writing(weight):
        before = int((weight.detach().reshape(-1) == wish).sum())
        everything = torch.arange(pair.n_weights, device=weight.device)
        index = pair.disagree(everything, wish, weight, margin).nonzero().view(-1)
        report, _ = pair.program_some(index, wish[index], weight, bursts, pair.array.tick(), margin=margin)
        after = int((weight.detach().reshape(-1) == wish).sum())
    most = int(pair.array.total_pulses().max()) if pair.n_weights else 0
    return LayerProgrammed(name, pair.n_weights, before, after, report.pulses, report.bursts, most)


@torch.no_grad()
def aged(model: nn.Module, sd_log_r: float, mean_log_r: float = 0.0, *, seed: int = 0) -> nn.Module:
    """A copy of a model whose devices lost some of what was written, each by a number of its own: retention.

    ln R of every device moves by a normal number of this mean and standard deviation. The parameter file holds nothing
    about time, so how large they are for how many hours must come from a retention measurement. A pulse writes a device
    anew: what it had lost does not come back into the model of its drift.

    Parameters
    ----------
    sd_log_r, mean_log_r : float
        In ln R. A mean that all devices share turns no sign.
    seed : int
        The same seed ages the same chip in the same way; twice as far at twice the `sd_log_r`.

    Raises
    ------
    SimulationError
        For a negative `sd_log_r`, numbers that are not finite, or a model without devices.
    """
    if not sd_log_r >= 0 or not math.isfinite(sd_log_r + mean_log_r):
        raise SimulationError(f"aged: finite numbers and sd_log_r >= 0 are needed, got {sd_log_r!r} and {mean_log_r!r}")
    old = copy.deepcopy(model)
    pairs = [part for part in old.modules() if isinstance(part, DifferentialPair)]
    if not pairs:
        raise SimulationError("aged: the model has no layers on devices; use convert() first")
    for pair in pairs:
        array = pair.array
        # by the seed of the chip too: two layers of one shape do not lose the same
        key = make_key(derive_seed(seed, "aged"), "aged", int(array.clock[0]))
        index = torch.arange(array.n_devices, device=array.log_r0.device)
        table = torch.as_tensor(normal_table()).to(index.device)
        # into ln R as read, not into the drift: the next pulse evaluates the drift anew and overwrites it
        array.log_r.add_((normal(random_words(key, index, 0), table) * sd_log_r + mean_log_r).view(array.shape))
    for layer in old.modules():
        if isinstance(layer, DeviceLayer):
            layer.refresh_weight()
    return old
