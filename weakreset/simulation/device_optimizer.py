"""What optimizers for networks on devices share: groups by role, ordinary Adam for what is digital, a report."""

from __future__ import annotations

import copy
import sys
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self, cast

import torch
from torch import nn

from weakreset.errors import SimulationError
from weakreset.simulation.adam import adam_step, adam_update
from weakreset.simulation.differential_pair import DifferentialPair, attach_pair, pair_of
from weakreset.simulation.groups import check_schedule, refuse_twins, split
from weakreset.simulation.pulse_report import PulseReport

__all__ = ["DeviceOptimizer", "check_rates", "full"]


class DeviceOptimizer(torch.optim.Optimizer):
    """Pulses for device weights, which a subclass decides on; ordinary Adam for everything else.

    Parameter groups carry `role`, "device" or "digital"; learning-rate schedulers see both.

    Attributes
    ----------
    last_step : PulseReport
        What the last step did to the devices.
    """

    def __init__(self, params: Iterable[Any], lr: float, digital_lr: float, shared: dict[str, Any]) -> None:
        self._rates, self._known = (lr, digital_lr), tuple(shared)
        given = list(params)
        if not given:
            raise SimulationError("no parameters to optimize")
        super().__init__(given, {"lr": lr, "role": "digital", **shared})
        self.last_step = PulseReport()

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """As for torch's optimizers; device weights and the rest become groups of their own."""
        ready = split(param_group, self._rates, self._known, type(self).__name__)
        refuse_twins([pair for p in (*self._members(), *_listed(ready)) if (pair := pair_of(p))])
        for group in ready:
            self._check_group(group)
            _without_compiler(torch.optim.Optimizer.add_param_group)(self, group)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """As for torch's optimizers."""
        _without_compiler(torch.optim.Optimizer.zero_grad)(self, set_to_none)

    def _check_group(self, group: dict[str, Any]) -> None:
        """Refuse a group, of one role, whose numbers cannot work."""
        numbers = self.defaults | group
        problems = check_rates({"lr": numbers["lr"]}, numbers["betas"], numbers["eps"])
        if group["role"] == "device":
            problems += self._problems(numbers)
        if problems:
            raise SimulationError(f"{type(self).__name__}: {'; '.join(problems)}")

    @abstractmethod
    def _problems(self, numbers: Mapping[str, Any]) -> list[str]:
        """What is wrong with the numbers of a group of device weights, besides rates and betas."""

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """As for torch's optimizers, which would give all of a state the type of its weight: a half has no moments."""
        super().load_state_dict(cast(Any, state_dict))
        numbers = [number for group in state_dict["param_groups"] for number in group["params"]]
        for number, parameter in zip(numbers, self._members(), strict=True):
            for name, value in state_dict["state"].get(number, {}).items():
                if isinstance(value, torch.Tensor) and self.state[parameter][name].dtype != value.dtype:
                    self.state[parameter][name] = value.to(parameter.device)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One update of every parameter that has a gradient."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        check_schedule(self.param_groups)  # every step: schedulers write `lr` where nobody looks
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
                    with pair.writing(parameter):
                        done, missing = self._step_devices(parameter, pair, group)
                    report, lost = report + done, lost + missing
        self.last_step = report
        # after the loop: other weights have been stepped, so a caller who goes on does so from a known state
        if lost:
            raise SimulationError(
                f"updates of {lost} device weights are no number: their gradients hold NaN or infinity; "
                "these weights got no pulse, and the moments of the optimizer are spoilt"
            )
        return loss

    def __getstate__(self) -> dict[str, Any]:
        """All of it but `step`, which a scheduler may have replaced by one that is bound to this object."""
        return {name: value for name, value in self.__dict__.items() if name != "step"}

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Weights are copied with their devices: together with the model where both are copied in one call."""
        twin = type(self).__new__(type(self))
        memo[id(self)] = twin
        # a copied parameter is a new tensor, without the mark that leads to its devices
        for parameter in self._members():
            copied = copy.deepcopy(parameter, memo)
            if (pair := pair_of(parameter)) is not None:
                attach_pair(copied, copy.deepcopy(pair, memo))
        twin.__dict__.update(copy.deepcopy(self.__getstate__(), memo))
        return twin

    @abstractmethod
    def _step_devices(
        self, parameter: nn.Parameter, pair: DifferentialPair, group: dict[str, Any]
    ) -> tuple[PulseReport, int]:
        """Move the devices of a layer; what was done, and how many updates were no number."""

    def _before_step(self) -> None:
        """Whatever must be done once for all parameters."""

    def _members(self) -> list[nn.Parameter]:
        return _listed(self.param_groups)

    def _step_digital(self, parameter: nn.Parameter, group: dict[str, Any]) -> None:
        state, gradient = self._moments(parameter), cast(torch.Tensor, parameter.grad)
        step = adam_step(float(state["step"]), group["lr"], group["betas"], group["eps"])
        parameter.add_(adam_update(full(gradient), state["exp_avg"], state["exp_avg_sq"], step))

    def _moments(self, parameter: nn.Parameter) -> dict[str, Any]:
        """Adam's state of a parameter, its step counted one further."""
        state: dict[str, Any] = self.state[parameter]
        if "exp_avg" not in state:
            state["step"] = torch.zeros((), dtype=torch.float32)
            for name in ("exp_avg", "exp_avg_sq"):
                state[name] = torch.zeros_like(full(parameter), memory_format=torch.contiguous_format)
        state["step"] += 1  # before use: Adam divides by 1 - beta^step
        return state


def _without_compiler(method: Callable[..., None]) -> Callable[..., None]:
    """A method of torch's optimizers without the cover that keeps torch's compiler from looking into it.

    The first call of any covered method loads that compiler: 1.3 s of processor time, a fifth of the first step of a
    process, for nothing where nobody compiles. Where it is loaded it may be looking, and the cover stays.
    """
    uncovered: Callable[..., None] = getattr(method, "__wrapped__", method)
    return method if "torch._dynamo" in sys.modules else uncovered


def _listed(groups: Iterable[dict[str, Any]]) -> list[nn.Parameter]:
    return [p for group in groups for p in group["params"]]


def full(tensor: torch.Tensor) -> torch.Tensor:
    """In float32 where it is half: squares of gradients are lost below 6e-8."""
    return tensor.float() if tensor.dtype in (torch.float16, torch.bfloat16) else tensor


def check_rates(rates: Mapping[str, float], betas: tuple[float, float], eps: float) -> list[str]:
    """What is wrong with the numbers that every optimizer has."""
    problems = []
    if not all(rate >= 0 for rate in rates.values()):
        found = ", ".join(f"{name}={rate!r}" for name, rate in rates.items())
        problems.append(f"learning rates must be >= 0, got {found}")
    if not all(0 <= beta < 1 for beta in betas):
        problems.append(f"betas must lie in [0, 1), got {betas!r}")
    if not eps > 0:
        problems.append(f"eps must be > 0, got {eps!r}")  # a weight without gradients would divide zero by it
    return problems
