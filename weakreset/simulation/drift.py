"""Drift of ln R in float32, for any drift shape of `weakreset.model`, in plain torch."""

from __future__ import annotations

import torch
from torch import Tensor

from weakreset.simulation.traits import FIRST, OFFSET

__all__ = ["drift"]


def drift(shape: str, traits: Tensor, t: Tensor) -> Tensor:
    """ln R without fast noise after `t` pulses (integers); `traits` has a row for each of them."""
    pulses, log_r, numbers = t.to(torch.float32), traits[:, OFFSET].clone(), traits[:, FIRST:].unbind(1)
    m1, knee, m2 = numbers
    log_r += m1 * torch.minimum(pulses, knee)
    log_r += m2 * (pulses - knee).clamp_(min=0.0)
    return log_r
