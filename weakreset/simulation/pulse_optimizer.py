"""Adam for networks on devices: updates of device weights become RESET pulses."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

import torch
from torch import Tensor, nn

from weakreset.errors import SimulationError
from weakreset.simulation.adam import adam_step, adam_update, bursts
from weakreset.simulation.compiled.garbage import garbage_kept
from weakreset.simulation.differential_pair import DifferentialPair, PulseReport, pair_of

__all__ = ["PulseOptimizer"]

_LARGEST_BURST = 1 << 20  # a million pulses wear any device out


class PulseOptimizer(torch.optim.Optimizer):
    """Adam, or another optimizer, to pulses for device weights; ordinary Adam for everything else.

    Per step and device weight, u is the optimizer's update (direction minus gradient) and

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
        self, params: Iterable[Any], lr: float = 100.0, max_pulses: int = 14, *, digital_lr: float = 8e-3,
        betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8, only_disagreeing: bool = False,
        wrapped: Callable[[list[Tensor]], torch.optim.Optimizer] | None = None,
    ) -> None:
        _check_numbers(lr, max_pulses, digital_lr, betas)
        shared = {"betas": betas, "eps": eps, "max_pulses": max_pulses, "only_disagreeing": only_disagreeing}
        groups = _split(list(params), lr, digital_lr)
        with garbage_kept():  # the first optimizer of a process, of any kind, makes torch load its own compiler
            super().__init__(groups, {"lr": lr, "role": "digital", **shared})
        members = [p for group in self.param_groups for p in group["params"]]
        _refuse_twins([pair for p in members if (pair := pair_of(p))])
        self._proxies = {p: torch.zeros_like(p) for p in members if wrapped is not None and pair_of(p)}
        self._wrapped = wrapped(list(self._proxies.values())) if wrapped is not None else None
        self.last_step = PulseReport()

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One update of every parameter that has a gradient."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        self._step_wrapped()
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

    def _step_digital(self, parameter: nn.Parameter, group: dict[str, Any]) -> None:
        state, gradient = self._moments(parameter), cast(Tensor, parameter.grad)
        step = adam_step(float(state["step"]), group["lr"], group["betas"], group["eps"])
        parameter.add_(adam_update(gradient, state["exp_avg"], state["exp_avg_sq"], step))

    def _step_devices(
        self, parameter: nn.Parameter, pair: DifferentialPair, group: dict[str, Any]
    ) -> tuple[PulseReport, int]:
        limit, choosy = group["max_pulses"], group["only_disagreeing"]
        if self._wrapped is not None:
            update = self._proxies[parameter] * group["lr"]
            step = adam_step(1.0, group["lr"], group["betas"], group["eps"], limit, choosy)
        else:
            state, gradient = self._moments(parameter), cast(Tensor, parameter.grad).contiguous()
            step = adam_step(float(state["step"]), group["lr"], group["betas"], group["eps"], limit, choosy)
            moments = (gradient, state["exp_avg"], state["exp_avg_sq"])
            if pair.runs_compiled(parameter, limit) and all(part.is_contiguous() for part in moments):
                return pair.adam_pulse(parameter, moments, step)
            update = adam_update(*moments, step)
        n, lost = bursts(update, parameter, step)
        return pair.pulse(n, parameter), lost

    def _moments(self, parameter: nn.Parameter) -> dict[str, Any]:
        """Adam's state of a parameter, its step counted one further."""
        state: dict[str, Any] = self.state[parameter]
        if not state:
            state["step"] = torch.zeros((), dtype=torch.float32)
            state["exp_avg"] = torch.zeros_like(parameter, memory_format=torch.contiguous_format)
            state["exp_avg_sq"] = torch.zeros_like(parameter, memory_format=torch.contiguous_format)
        state["step"] += 1
        return state

    def _step_wrapped(self) -> None:
        """Let the wrapped optimizer move the proxies from zero; its state is kept as that of the weights."""
        if self._wrapped is None:
            return
        for parameter, proxy in self._proxies.items():
            proxy.zero_()
            proxy.grad = parameter.grad
            self._wrapped.state[proxy] = self.state[parameter]
        self._wrapped.step()


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
    if not 1 <= max_pulses <= _LARGEST_BURST:
        problems.append(f"max_pulses must be 1 .. {_LARGEST_BURST}, got {max_pulses!r}")
    if not all(0 <= beta < 1 for beta in betas):
        problems.append(f"betas must lie in [0, 1), got {betas!r}")
    if problems:
        raise SimulationError("PulseOptimizer: " + "; ".join(problems))
