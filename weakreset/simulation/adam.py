"""Adam (Kingma and Ba 2015) in separately rounded float32 steps, so that every kernel gives the same bits."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from weakreset.simulation.compiled.arguments import AdamStep

__all__ = ["adam_step", "adam_update", "bursts"]


def adam_step(
    step: float, lr: float, betas: tuple[float, float], eps: float, limit: float = math.inf,
    only_disagreeing: bool = False,
) -> AdamStep:
    """The numbers of step number `step` (1, 2, ...), computed in double precision."""
    beta1, beta2 = betas
    return AdamStep(
        keep1=np.float32(beta1), new1=np.float32(1 - beta1), keep2=np.float32(beta2), new2=np.float32(1 - beta2),
        # both bias corrections of Adam are folded into two factors: no division a weight more
        scale=np.float32(1 / math.sqrt(1 - beta2**step)), eps=np.float32(eps),
        factor=np.float32(-lr / (1 - beta1**step)), limit=np.float32(limit), only_disagreeing=only_disagreeing,
    )


def adam_update(gradient: Tensor, mean: Tensor, square: Tensor, step: AdamStep) -> Tensor:
    """Bring the moments up to date in place; -lr times Adam's update, a new tensor.

    `lerp_`, `addcmul_` and `add(alpha=)` are avoided: they may round once where two operations round twice.
    """
    mean.mul_(float(step.keep1)).add_(gradient * float(step.new1))
    square.mul_(float(step.keep2)).add_((gradient * gradient).mul_(float(step.new2)))
    denominator = _root(square).mul_(float(step.scale)).add_(float(step.eps))
    return (mean * float(step.factor)).div_(denominator)


def _root(x: Tensor) -> Tensor:
    """The square root, rounded correctly: of every fifth float32 number torch's own, MKL's, is off by one step.

    That of float64 rounded once more is exact; other devices round float32 correctly, and may know no float64.
    """
    return x.double().sqrt_().to(x.dtype) if x.device.type == "cpu" else x.sqrt()


def bursts(update: Tensor, weight: Tensor, step: AdamStep) -> tuple[Tensor, int]:
    """Signed pulses (int32) for an update, and how many updates were no number (they get no pulse)."""
    lost = torch.isnan(update)
    limit = float(step.limit)
    n = torch.where(lost, 0.0, update).clamp_(-limit, limit).round_()  # half to even: nothing, where |lr u| <= 0.5
    if step.only_disagreeing:
        n *= n * weight < 0  # +-1 weights: opposite signs have a negative product
    return n.to(torch.int32), int(lost.sum())
