"""What optimizers for networks on devices share: groups by role, ordinary Adam for what is digital, a report."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, cast

import torch
from torch import nn

from weakreset.errors import SimulationError
from weakreset.simulation.adam import adam_step, adam_update
from weakreset.simulation.compiled.garbage import garbage_kept
from weakreset.simulation.differential_pair import DifferentialPair, PulseReport, pair_of

__all__ = ["DeviceOptimizer", "check_rates"]


class DeviceOptimizer(torch.optim.Optimizer):
    """Pulses for device weights, which a subclass decides on; ordinary Adam for everything else.

    Parameter groups carry `role`, "device" or "digital"; learning-rate schedulers see both.

    Attributes
    ----------
    last_step : PulseReport
        What the last step did to the devices.
    """

    def __init__(self, params: Iterable[Any], lr: float, digital_lr: float, shared: dict[str, Any]) -> None:
        groups = _split(list(params), lr, digital_lr)
        with garbage_kept():  # the first optimizer of a process, of any kind, makes torch load its own compiler
            super().__init__(groups, {"lr": lr, "role": "digital", **shared})
        _refuse_twins([pair for p in self._members() if (pair := pair_of(p))])
        self.last_step = PulseReport()

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One update of every parameter that has a gradient."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        self._before_step()
        report, lost = PulseReport(), 0
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                pair = pair_of(parameter)
                if pair is None:
                    self._step_digital(parameter, group)
                else:
                    done, missing = self._step_devices(parameter, pair, group)
                    report, lost = report + done, lost + missing
        self.last_step = report
        if lost:
            raise SimulationError(
                f"updates of {lost} device weights are no number: their gradients hold NaN or infinity; "
                "these weights got no pulse, and the moments of the optimizer are spoilt"
            )
        return loss

    @abstractmethod
    def _step_devices(
        self, parameter: nn.Parameter, pair: DifferentialPair, group: dict[str, Any]
    ) -> tuple[PulseReport, int]:
        """Move the devices of a layer; what was done, and how many updates were no number."""

    def _before_step(self) -> None:
        """Whatever must be done once for all parameters."""

    def _members(self) -> list[nn.Parameter]:
        return [p for group in self.param_groups for p in group["params"]]

    def _step_digital(self, parameter: nn.Parameter, group: dict[str, Any]) -> None:
        state, gradient = self._moments(parameter), cast(torch.Tensor, parameter.grad)
        step = adam_step(float(state["step"]), group["lr"], group["betas"], group["eps"])
        parameter.add_(adam_update(gradient, state["exp_avg"], state["exp_avg_sq"], step))

    def _moments(self, parameter: nn.Parameter) -> dict[str, Any]:
        """Adam's state of a parameter, its step counted one further."""
        state: dict[str, Any] = self.state[parameter]
        if "exp_avg" not in state:
            state["step"] = torch.zeros((), dtype=torch.float32)
            state["exp_avg"] = torch.zeros_like(parameter, memory_format=torch.contiguous_format)
            state["exp_avg_sq"] = torch.zeros_like(parameter, memory_format=torch.contiguous_format)
        state["step"] += 1
        return state



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


def check_rates(lr: float, digital_lr: float, betas: tuple[float, float]) -> list[str]:
    """What is wrong with the numbers that every optimizer has."""
    problems = []
    if not lr >= 0 or not digital_lr >= 0:
        problems.append(f"learning rates must be >= 0, got lr={lr!r}, digital_lr={digital_lr!r}")
    if not all(0 <= beta < 1 for beta in betas):
        problems.append(f"betas must lie in [0, 1), got {betas!r}")
    return problems
