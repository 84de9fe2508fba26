"""Adam for networks on devices: updates of device weights become RESET pulses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

import torch
from torch import Tensor, nn

from weakreset.errors import SimulationError
from weakreset.simulation.adam import adam_step, adam_update, bursts
from weakreset.simulation.device_optimizer import DeviceOptimizer, check_rates, full
from weakreset.simulation.differential_pair import DifferentialPair, pair_of
from weakreset.simulation.groups import largest_update
from weakreset.simulation.pulse_report import PulseReport

__all__ = ["PulseOptimizer"]

_LARGEST_BURST = 1 << 20  # a million pulses wear any device out
_USUAL_LR = 6.0  # of the recipe device-aware
_SMALLEST_BURST = 0.5  # what rounds to nothing


class PulseOptimizer(DeviceOptimizer):
    """Adam, or another optimizer, to pulses for device weights; ordinary Adam for everything else.

    Per step and device weight, u is the optimizer's update (direction minus gradient) and

        n = round(clamp(lr * u, -max_pulses, +max_pulses))

    pulses go to BL where n > 0 and |n| to BLb where n < 0 (Majumdar et al. 2021). There is no SET: devices
    only climb.

    Parameters
    ----------
    params : iterable of Parameter or of dict
        `model.parameters()`, device weights and others together.
    lr : float, optional
        Pulses per unit of Adam's update, which has a size of about 1. Without one the numbers are those of the recipe
        device-aware: 6, and only weights that disagree; let a scheduler take it to zero. `LatentOptimizer` learns more.
    max_pulses : int
        Longest burst of one step.
    digital_lr : float
        Adam step of biases and batch norm, which are digital.
    betas, eps
        As for `torch.optim.Adam`.
    only_disagreeing : bool, optional
        Pulse only weights whose sign differs from that of n; where `lr` is given, not unless asked for. It needs a
        comparison of the two resistances, which is how a weight is read anyway, and saves most of the wear.
    wrapped : callable, optional
        Takes a list of tensors and returns the `torch.optim` optimizer that takes Adam's place for device
        weights: `lambda p: torch.optim.SGD(p, lr=1.0, momentum=0.9)`. u is what it adds to a tensor that is
        zero before every step, so its weight decay does nothing. Costs 4 bytes a weight.

    Attributes
    ----------
    last_step : PulseReport
        Pulses, devices touched and sign flips of the last step.

    Raises
    ------
    SimulationError
        For numbers out of range, or two layers that share one random stream (same seed and shape).

    Notes
    -----
    In main memory Adam, the pulses and the new signs are one compiled pass; results equal those of plain torch
    bit for bit. A gradient with NaN or infinity raises after the step: the weights concerned get no pulse.

    Parameter groups carry `role`, "device" or "digital"; learning-rate schedulers see both.
    """

    def __init__(
        self, params: Iterable[Any], lr: float | None = None, max_pulses: int = 14, *, digital_lr: float = 8e-3,
        betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8, only_disagreeing: bool | None = None,
        wrapped: Callable[[list[Tensor]], torch.optim.Optimizer] | None = None,
    ) -> None:
        choosy = lr is None if only_disagreeing is None else only_disagreeing
        lr = _USUAL_LR if lr is None else lr
        shared = {"betas": betas, "eps": eps, "max_pulses": max_pulses, "only_disagreeing": choosy}
        problems = check_rates({"lr": lr, "digital_lr": digital_lr}, betas, eps) + self._problems(shared)
        if problems:
            raise SimulationError("PulseOptimizer: " + "; ".join(problems))
        self._makes_wrapped = wrapped is not None
        super().__init__(params, lr, digital_lr, shared)
        self._proxies = {p: torch.zeros_like(full(p)) for p in self._members() if wrapped is not None and pair_of(p)}
        self._wrapped = wrapped(list(self._proxies.values())) if wrapped is not None else None

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """As for torch's optimizers; device weights and the rest become groups of their own."""
        super().add_param_group(param_group)
        if (wrapped := getattr(self, "_wrapped", None)) is not None:
            new = {p: torch.zeros_like(full(p)) for p in self._members() if pair_of(p) and p not in self._proxies}
            self._proxies |= new
            wrapped.add_param_group({"params": list(new.values())})

    def _problems(self, numbers: Mapping[str, Any]) -> list[str]:
        most = numbers["max_pulses"]
        whole = 1 <= most <= _LARGEST_BURST and most == int(most)
        return [] if whole else [f"max_pulses must be a whole number in 1 .. {_LARGEST_BURST}, got {most!r}"]

    def _check_group(self, group: dict[str, Any]) -> None:
        super()._check_group(group)
        most = largest_update(group.get("betas", self.defaults["betas"]))
        if group["role"] == "device" and not self._makes_wrapped and 0 < group["lr"] * most < _SMALLEST_BURST:
            raise SimulationError(
                f"PulseOptimizer: lr={group['lr']:g} can never give a pulse: lr counts pulses, Adam's update is at "
                f"most {most:.3g}, and less than half a pulse is none. Take lr of 1 to 100 (device-aware: 6), or lr=0 "
                "to give none; a rate as for ordinary weights is meant for LatentOptimizer, or for digital_lr"
            )

    def _step_devices(
        self, parameter: nn.Parameter, pair: DifferentialPair, group: dict[str, Any]
    ) -> tuple[PulseReport, int]:
        limit, choosy = group["max_pulses"], group["only_disagreeing"]
        if self._wrapped is not None:
            update = self._proxies[parameter] * group["lr"]  # what the wrapped optimizer added to zero is u
            # moments are the wrapped optimizer's: only the limit and the choice of weights are used of this
            step = adam_step(1.0, group["lr"], group["betas"], group["eps"], limit, choosy)
        else:
            state, gradient = self._moments(parameter), full(cast(Tensor, parameter.grad)).contiguous()
            step = adam_step(float(state["step"]), group["lr"], group["betas"], group["eps"], limit, choosy)
            moments = (gradient, state["exp_avg"], state["exp_avg_sq"])
            # Adam, rounding, pulses and signs in one pass over memory: what a step costs is lines of memory
            if pair.runs_compiled(parameter, limit) and all(part.is_contiguous() for part in moments):
                return pair.adam_pulse(parameter, moments, step)
            update = adam_update(*moments, step)
        n, lost = bursts(update, parameter, step)
        return pair.pulse(n, parameter), lost

    def _before_step(self) -> None:
        """Let the wrapped optimizer move the proxies from zero; its state is kept as that of the weights."""
        if self._wrapped is None:
            return
        for parameter, proxy in self._proxies.items():
            proxy.zero_()
            proxy.grad = None if parameter.grad is None else full(parameter.grad)
            self._wrapped.state[proxy] = self.state[parameter]  # so `state_dict` has it under the weight, and resumes
        self._wrapped.step()
