"""A latent number behind every device weight, moved as without devices; pairs that disagree are programmed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, cast

import numpy as np
import torch
from torch import Tensor, nn

from weakreset.errors import SimulationError
from weakreset.simulation.adam import adam_step, adam_update
from weakreset.simulation.compiled import calls
from weakreset.simulation.counter_random import Key, make_key
from weakreset.simulation.device_optimizer import DeviceOptimizer, check_rates, full
from weakreset.simulation.differential_pair import DifferentialPair
from weakreset.simulation.latents import (
    LEAST,
    layer_factor,
    level_of,
    move_bytes,
    move_numbers,
    start_latents,
)
from weakreset.simulation.moving_rows import MOST_PULSES
from weakreset.simulation.pulse_report import PulseReport
from weakreset.simulation.skip_ahead import LONGEST_BURST

__all__ = ["LatentOptimizer"]

_MOST_BURSTS = 1000


class LatentOptimizer(DeviceOptimizer):
    """Train a network on devices as a binarized network without devices is trained, and let the devices follow.

    Every device weight has a digital latent number l in -1 .. 1 that remembers the wish. A step moves it,

        l <- clamp(l + lr u, -1, 1),

    u being Adam's update, and then turns the pairs whose sign is not that of l. Pulses move a device one way only, so
    where the device that is not to move has had pulses, a SET takes all of them back (`sets`); that alone turns most
    pairs back that were turned before. Then `bursts[0]` RESET pulses to the device that must rise, a comparison,
    `bursts[1]`, and so on, until the pair has turned or has had all bursts. A pair that did not turn makes its latent
    number give way, l <- give_back x sign of the pair, so that a stuck pair asks again only after gradients have asked
    for it for a while.

    Parameters
    ----------
    params : iterable of Parameter or of dict
        `model.parameters()`, device weights and others together. Groups may have an `lr` of their own.
    lr : float
        Step of the latent numbers, per unit of Adam's update.
    bursts : sequence of int
        Pulses of each burst that a pair may get in a step.
    most_pulses : int
        Budget of a device from one SET to the next, for devices that wear out; 0 for none.
    give_back : float
        Where the latent number of a pair that would not turn goes; in 0 .. 1.
    sets : bool
        Whether devices may be SET.
    digital_lr : float
        Adam step of biases and batch norm, which are digital.
    betas, eps
        As for `torch.optim.Adam`.
    latent_bits : 32 or 8
        32 keeps float32 latent numbers and Adam's two moments: 12 bytes a weight. 8 keeps one byte a weight and no
        moments: u is minus the gradient over the root mean square gradient of the layer, and steps are rounded to
        levels of 1/127.5 at random.

    Attributes
    ----------
    last_step : PulseReport
        Pulses, bursts, SETs, devices touched, sign flips, and pairs that would not turn, of the last step.

    Raises
    ------
    SimulationError
        For numbers out of range, or two layers that share one random stream (same seed and shape).

    Notes
    -----
    Latent numbers start half-normal with standard deviation 0.03 and the signs that the chip has when the first step is
    taken. Every pair is measured once then: the numbers nearest to zero go to the pairs whose devices are nearest to
    each other, for these turn with the fewest pulses. They belong to the state of the optimizer, which `state_dict()`
    holds: a run goes on bit for bit.

    In main memory a step is one compiled pass over the numbers, a comparison with the signs, and a compiled loop over
    the pairs that disagree. Results equal those of plain torch bit for bit. A gradient with NaN or infinity raises
    after the step: its number stays.
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 2e-3, *, bursts: Sequence[int] = (2, 4, 8, 16, 32, 64, 96),
        most_pulses: int = 0, give_back: float = 0.04, sets: bool = True, digital_lr: float = 8e-3,
        betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8, latent_bits: Literal[8, 32] = 32,
    ) -> None:
        shared = {
            "betas": betas, "eps": eps, "bursts": tuple(bursts) if isinstance(bursts, Iterable) else bursts,
            "most_pulses": most_pulses, "give_back": give_back, "sets": sets, "latent_bits": latent_bits,
        }
        problems = check_rates({"lr": lr, "digital_lr": digital_lr}, betas, eps)
        problems += self._problems({"lr": lr, **shared})
        if problems:
            raise SimulationError("LatentOptimizer: " + "; ".join(problems))
        super().__init__(params, lr, digital_lr, shared)

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """As for `DeviceOptimizer`.

        Raises
        ------
        SimulationError
            For a state from before stuck pairs had devices SET, which this rule cannot go on from.
        """
        if any(group.get("role") == "device" and "bursts" not in group for group in state_dict["param_groups"]):
            raise SimulationError(
                "this state is of a LatentOptimizer that knew neither SETs nor growing bursts: its run cannot go on "
                "under the present rule; train anew, or go on with the version of weakreset that wrote it"
            )
        super().load_state_dict(state_dict)

    def _problems(self, numbers: Mapping[str, Any]) -> list[str]:
        lr, problems = numbers["lr"], []
        if lr > 1:
            problems.append(f"lr is a step of numbers in -1 .. 1, usually 0.002, got {lr!r} (no number of pulses)")
        budget = (numbers[key] for key in ("bursts", "most_pulses", "give_back", "latent_bits"))
        return problems + _check_budget(*budget)

    def _step_devices(
        self, parameter: nn.Parameter, pair: DifferentialPair, group: dict[str, Any]
    ) -> tuple[PulseReport, int]:
        # the start is put off until here: signs and gaps are those of the chip that is trained, loaded or pulsed since
        started = self._start(parameter, pair, group["latent_bits"] == 8)
        state, clock = self.state[parameter], pair.array.tick()
        gradient = full(cast(Tensor, parameter.grad)).contiguous()
        if group["latent_bits"] == 8:
            lost = self._move_bytes(state, gradient, group, clock, pair.array.in_main_memory)
        else:
            lost = self._move_numbers(parameter, gradient, group, pair.array.in_main_memory)
        return started + _program(parameter, pair, state["latent"], group, clock), lost

    def _move_numbers(
        self, parameter: nn.Parameter, gradient: Tensor, group: dict[str, Any], compiled: bool
    ) -> int:
        state = self._moments(parameter)
        step = adam_step(float(state["step"]), group["lr"], group["betas"], group["eps"])
        parts = (gradient, state["exp_avg"], state["exp_avg_sq"], state["latent"])
        if compiled and _plain(parts):
            return calls.move_latents(parts, (step,))
        return move_numbers(state["latent"], adam_update(*parts[:3], step))

    def _move_bytes(
        self, state: dict[str, Any], gradient: Tensor, group: dict[str, Any], clock: tuple[int, int], compiled: bool
    ) -> int:
        parts, key = (gradient, state["latent"]), _rounding_key(*clock)
        factor = self._layer_step(state, gradient, group)
        if compiled and _plain(parts):
            return calls.move_latents(parts, (factor, np.array(key, np.uint64)))
        return move_bytes(state["latent"], gradient, float(factor), key)

    def _start(self, parameter: nn.Parameter, pair: DifferentialPair, one_byte: bool) -> PulseReport:
        """Measure the pairs before the first step, for where latent numbers start."""
        state = self.state[parameter]
        if "latent" in state:
            return PulseReport()
        state["latent"] = start_latents(parameter.detach(), pair.gaps(), int(pair.array.clock[0]), one_byte)
        return PulseReport(measured=pair.n_weights)

    def _layer_step(self, state: dict[str, Any], gradient: Tensor, group: dict[str, Any]) -> np.float32:
        """Bring the mean square gradient of the layer up to date; levels a unit of the gradient."""
        if "mean_square" not in state:
            state["step"], state["mean_square"] = torch.zeros(()), torch.zeros(())
        state["step"] += 1
        # one number a layer in place of a moment a weight: its mean square gradient
        now = float(torch.linalg.vector_norm(gradient)) ** 2 / max(gradient.numel(), 1)
        beta = group["betas"][1]
        state["mean_square"] = torch.tensor(beta * float(state["mean_square"]) + (1.0 - beta) * now)
        return layer_factor(group["lr"], float(state["mean_square"]), beta, int(state["step"]), group["eps"])


def _plain(parts: tuple[Tensor, ...]) -> bool:
    return all(part.is_contiguous() and part.device.type == "cpu" for part in parts)


def _program(
    parameter: nn.Parameter, pair: DifferentialPair, latent: Tensor, group: dict[str, Any], clock: tuple[int, int]
) -> PulseReport:
    """Turn the pairs that disagree with their latent numbers; those behind pairs that do not turn give way."""
    wish = latent >= 0
    index = (wish != (parameter > 0)).reshape(-1).nonzero().view(-1)
    if not index.numel():
        return PulseReport()
    wanted, report = torch.where(wish.view(-1)[index], 1.0, -1.0), PulseReport()
    # SET first: one SET turns most pairs that were turned before, where the other device would need hundreds of
    # pulses to climb past a telegraph step (docs/recipes.md, "What makes a pair slow")
    if group["sets"]:
        report, index = pair.set_back(index, wanted, parameter)
        wanted = -parameter.detach().reshape(-1)[index].sign()  # they still disagree: the wish is the other sign
    most = group["most_pulses"] or MOST_PULSES
    done, stuck = pair.program_some(index, wanted, parameter, group["bursts"], clock, most)
    _give_way(parameter, latent, stuck, group["give_back"])
    return replace(report, stuck=0) + done  # pairs that bursts turn after a SET that did not are not stuck


def _give_way(parameter: nn.Parameter, latent: Tensor, stuck: Tensor, size: float) -> None:
    size = max(size, LEAST)
    high, low = size, -size
    if latent.dtype == torch.int8:
        high = float(level_of(torch.tensor(size)))
        low = -1.0 - high  # levels are (k + 0.5) / 127.5: k and -1 - k are mirror images
    up = parameter.detach().reshape(-1)[stuck] > 0
    latent.view(-1)[stuck] = torch.where(up, high, low).to(latent.dtype)


def _rounding_key(seed: int, call: int) -> Key:
    return make_key(seed, "latent rounding", call)


def _check_budget(bursts: Any, most: int, give_back: float, bits: int) -> list[str]:
    problems, several = [], isinstance(bursts, Sequence) and 1 <= len(bursts) <= _MOST_BURSTS
    if not several or not all(1 <= n <= LONGEST_BURST and n == int(n) for n in bursts):
        problems.append(f"bursts must be 1 .. {_MOST_BURSTS} numbers of 1 .. {LONGEST_BURST} pulses, got {bursts!r}")
    if not 0 <= most <= MOST_PULSES:
        problems.append(f"most_pulses must be 0 .. {MOST_PULSES}, got {most!r}")
    if not 0 <= give_back <= 1:
        problems.append(f"give_back must lie in 0 .. 1, got {give_back!r}")
    if bits not in (8, 32):
        problems.append(f"latent_bits must be 8 or 32, got {bits!r}")
    return problems
