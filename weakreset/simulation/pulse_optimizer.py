"""Adam for networks on devices: updates of device weights become RESET pulses."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

from weakreset.errors import SimulationError
from weakreset.simulation.differential_pair import DifferentialPair, PulseReport, pair_of

__all__ = ["PulseOptimizer"]


class PulseOptimizer(torch.optim.Optimizer):
    """Adam to pulses for device weights, ordinary Adam for everything else.

    Per step and device weight, u is Adam's update (direction minus gradient) and

        n = round(clamp(lr * u, -max_pulses, +max_pulses))

    pulses go to BL where n > 0 and |n| to BLb where n < 0 (Majumdar et al. 2021). There is no SET: devices
    only climb.

    Parameters
    ----------
    params : iterable of Parameter or of dict
        `model.parameters()`, device weights and others together.
    lr : float
        Pulses per unit of Adam's update, which has a size of about 1.
    max_pulses : int
        Longest burst of one step.
    digital_lr : float
        Adam step of biases and batch norm, which are digital.
    betas, eps
        As for `torch.optim.Adam`.
    only_disagreeing : bool
        Pulse only weights whose sign differs from that of n. It needs a comparison of the two resistances,
        which is how a weight is read anyway, and saves most of the wear.

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
    Parameter groups carry `role`, "device" or "digital"; learning-rate schedulers see both.
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 100.0, max_pulses: int = 14, *, digital_lr: float = 8e-3,
        betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8, only_disagreeing: bool = False,
    ) -> None:
        _check_numbers(lr, max_pulses, digital_lr, betas)
        shared = {"betas": betas, "eps": eps, "max_pulses": max_pulses, "only_disagreeing": only_disagreeing}
        groups = _split(list(params), lr, digital_lr)
        super().__init__(groups, {"lr": lr, "role": "digital", **shared})
        _refuse_twins([pair for group in self.param_groups for p in group["params"] if (pair := pair_of(p))])
        self.last_step = PulseReport()

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One update of every parameter that has a gradient."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        report = PulseReport()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    report += self._update(parameter, group)
        self.last_step = report
        return loss

    def _update(self, parameter: nn.Parameter, group: dict[str, Any]) -> PulseReport:
        update = self._adam(parameter, group)
        pair = pair_of(parameter)
        if pair is None:
            parameter.sub_(update.mul_(group["lr"]))
            return PulseReport()
        limit = group["max_pulses"]
        n = update.mul_(-group["lr"]).clamp_(-limit, limit).round_()
        if group["only_disagreeing"]:
            n *= n * parameter < 0
        return pair.pulse(n.to(torch.int32), parameter)

    def _adam(self, parameter: nn.Parameter, group: dict[str, Any]) -> Tensor:
        """Adam's update along plus the gradient (Kingma and Ba 2015), a new tensor."""
        state = self.state[parameter]
        if not state:
            state["step"] = torch.zeros((), dtype=torch.float32)
            state["exp_avg"] = torch.zeros_like(parameter)
            state["exp_avg_sq"] = torch.zeros_like(parameter)
        gradient, (beta1, beta2) = parameter.grad, group["betas"]
        state["step"] += 1
        step = float(state["step"])
        state["exp_avg"].lerp_(gradient, 1 - beta1)
        state["exp_avg_sq"].mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
        scale = math.sqrt(1 - beta2**step)
        denominator = state["exp_avg_sq"].sqrt().div_(scale).add_(group["eps"])
        update: Tensor = state["exp_avg"] / denominator
        return update.div_(1 - beta1**step)


def _split(params: list[Any], lr: float, digital_lr: float) -> list[dict[str, Any]]:
    """Two groups for each one given: device weights and the rest."""
    if not params:
        raise SimulationError("no parameters to optimize")
    given = params if isinstance(params[0], dict) else [{"params": params}]
    groups = []
    for group in given:
        members = list(group["params"])
        devices = [p for p in members if pair_of(p) is not None]
        others = [p for p in members if pair_of(p) is None]
        kept = {key: value for key, value in group.items() if key not in ("params", "digital_lr")}
        if devices:
            groups.append({"lr": lr, **kept, "params": devices, "role": "device"})
        if others:
            own_lr = group.get("digital_lr", digital_lr)
            groups.append({**kept, "lr": own_lr, "params": others, "role": "digital"})
    return groups


def _refuse_twins(pairs: list[DifferentialPair]) -> None:
    seen: dict[int, DifferentialPair] = {}
    for pair in pairs:
        twin = seen.setdefault(int(pair.array.clock[0]), pair)
        if twin is not pair:
            raise SimulationError(
                f"two layers of shape {pair.shape} have the same seed and would share devices and noise; "
                "give them different seeds, or use convert()"
            )


def _check_numbers(lr: float, max_pulses: int, digital_lr: float, betas: tuple[float, float]) -> None:
    problems = []
    if not lr >= 0 or not digital_lr >= 0:
        problems.append(f"learning rates must be >= 0, got lr={lr!r}, digital_lr={digital_lr!r}")
    if max_pulses < 1:
        problems.append(f"max_pulses must be >= 1, got {max_pulses!r}")
    if not all(0 <= beta < 1 for beta in betas):
        problems.append(f"betas must lie in [0, 1), got {betas!r}")
    if problems:
        raise SimulationError("PulseOptimizer: " + "; ".join(problems))
