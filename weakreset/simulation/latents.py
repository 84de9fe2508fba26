"""Latent numbers behind binary weights: a memory of what each weight is wanted to be, in float32 or in one byte.

A latent number lies in -1 .. 1 and its sign is the wish (Courbariaux et al. 2016). One byte k stands for
(k + 0.5) / 127.5, so that no level is zero. What is here is what is meant; `compiled.latents` gives the same bits.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from weakreset.simulation.counter_random import Key, make_key, normal, normal_table, random_words

__all__ = [
    "HIGHEST_LEVEL",
    "LEAST",
    "LEVELS",
    "LOWEST_LEVEL",
    "ROUNDING_BITS",
    "level_of",
    "move_bytes",
    "move_numbers",
    "start_latents",
]

LOWEST_LEVEL, HIGHEST_LEVEL = -128, 127
LEVELS = 127.5
"""Levels of one byte in a unit."""

ROUNDING_BITS = 24
"""Random bits that decide between the level below and that above: all that float32 holds of a fraction."""

LEAST = 1e-7
"""Of a number that gives way: -0.0 would be on the side of +1."""

START_SD = 0.03
"""As for ideal latent weights: those that start far from zero never turn, as a step of Adam is about 1e-3."""


def start_latents(weight: Tensor, gaps: Tensor, seed: int, one_byte: bool) -> Tensor:
    """Half-normal sizes with the signs that the fresh chip has: random signs would have to be programmed, for nothing.

    Numbers near zero turn most often, and pairs that lie close together (`gaps`, flat) turn with the fewest pulses, so
    sizes go to the pairs in the order of their gaps. Their law is that of ideal latent weights, whatever that of gaps.
    Contiguous, float32 or int8, of the shape of `weight`; the same for every processor.
    """
    key, index = make_key(seed, "latent"), torch.arange(weight.numel(), device=weight.device)
    # from the chip's own words, not from a generator of torch: every processor gives the same
    size = normal(random_words(key, index, 0), torch.as_tensor(normal_table()).to(weight.device)).abs_().mul_(START_SD)
    by_size = size.argsort(stable=True)  # stable: ties in the same order everywhere
    nearest_first = by_size[gaps[by_size].argsort(stable=True)]  # equal gaps: by the size that they have anyway
    size[nearest_first] = size[by_size]
    up = weight.reshape(-1) > 0
    if one_byte:
        level = level_of(size)
        return torch.where(up, level, -1.0 - level).to(torch.int8).view(weight.shape)
    return torch.where(up, size, -size).view(weight.shape)


def level_of(size: Tensor) -> Tensor:
    """The level 0 .. 127 that a positive number belongs to."""
    return (size * LEVELS).floor_().clamp_(0, HIGHEST_LEVEL)


def move_numbers(latent: Tensor, update: Tensor) -> int:
    """Add an update in place, within -1 .. 1; how many updates were no number (they change nothing)."""
    lost = torch.isnan(update)
    latent.add_(torch.where(lost, 0.0, update)).clamp_(-1.0, 1.0)
    return int(lost.sum())


def move_bytes(latent: Tensor, gradient: Tensor, factor: float, key: Key) -> int:
    """Move bytes by `factor` levels a unit of the gradient, rounded up or down at random so that the mean is right.

    A step is a fraction of a level: rounded to the nearest it would never be taken (Gupta et al. 2015).
    """
    update = gradient * factor
    lost = torch.isnan(update)
    index = torch.arange(latent.numel(), device=latent.device)
    words = random_words(key, index, 0) >> (64 - ROUNDING_BITS) & ((1 << ROUNDING_BITS) - 1)
    chance = words.to(torch.float32).mul_(2.0**-ROUNDING_BITS).view(latent.shape)
    # floor(x + U) with U uniform in [0, 1) is x on average: the fraction is the chance of the level above
    moved = latent.to(torch.float32) + torch.where(lost, 0.0, update).add_(chance).floor_()
    latent.copy_(moved.clamp_(LOWEST_LEVEL, HIGHEST_LEVEL))
    return int(lost.sum())


def layer_factor(lr: float, square: float, beta: float, step: int, eps: float) -> np.float32:
    """Levels that a unit of the gradient moves a byte: -lr over the root mean square gradient of the layer.

    `square` is its average over steps, by `beta`, from zero, which the division corrects as in Adam.
    """
    return np.float32(-lr * LEVELS / (math.sqrt(square / (1.0 - beta**step)) + eps))
