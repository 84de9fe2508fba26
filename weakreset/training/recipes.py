"""Ways to train, by name.

latent (what is taken where none is named)
    A digital latent number a weight moves as in a network without devices; a pair whose sign is another is programmed:
    a SET of the device that is not to move, if it has had pulses, then bursts of 2, 4, ... 64, 96 pulses to the other
    one, a comparison after each. A pair that these do not turn makes its latent number give way. The recipe remembers
    what each weight is wanted to be, so it learns from small batches too, and pulses only pairs that are to turn. See
    `weakreset.simulation.LatentOptimizer`.
latent-byte
    The same with one byte a weight in place of 12: latent numbers of 8 bits and no moments of Adam.
published
    Majumdar et al. 2021 as in their code: pulses = round(100 u) cut at 14, u being Adam's update, on every
    weight at every step, the rate halved every 7 epochs. It wears devices out: thousands of pulses each, far
    past the knee, where noise moves a device more than a pulse does.
device-aware
    The same, but only weights whose pair disagrees with the wish get pulses, and the rate falls
    to zero along a cosine. A comparison of the two resistances decides; it is the read that gives the
    weight anyway. Runs of fewer than 1,200 steps take larger rates, up to four times, for about the same wear in all.
ideal
    No devices: real latent weights, straight-through gradient, Adam with the rate and the schedule
    of `latent`. The yardstick.

What was tried and not kept is in docs/recipes.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from weakreset.errors import UsageError

__all__ = ["DEFAULT_RECIPE", "RECIPES", "Recipe", "recipe_named"]


@dataclass(frozen=True)
class Recipe:
    """One way to train.

    Attributes
    ----------
    lr : float
        Pulses per unit of Adam's update; where there are latent numbers, the step of these.
    schedule : str
        "halve-every-7" epochs or "cosine" to zero at the end.
    max_pulses : int
        Longest burst, without latent numbers.
    only_disagreeing : bool
        Pulse only weights whose pair disagrees with the wish; always so with latent numbers.
    digital_lr : float
        Adam step of biases and batch norm.
    digital_schedule : str
        "constant", or "same" as `schedule`.
    devices : bool
        False: latent weights instead of devices.
    betas : tuple of float
        Of Adam, for devices and digital numbers alike.
    full_steps : int
        A run of fewer steps multiplies `lr` by full_steps / steps, at most by 4; 0 for never.
    latent_bits : int
        Of the latent number behind each device weight: 32, or 8 without moments of Adam; 0 for none.
    bursts : tuple of int
        Pulses of each burst that a pair may get in a step, with latent numbers.
    give_back : float
        Size of the latent number of a pair that did not turn.
    sets : bool
        Whether devices may be SET, with latent numbers.
    label_smoothing : float
        Share of each label given to all classes alike, in the loss; digital bookkeeping.
    """

    name: str
    lr: float
    schedule: Literal["halve-every-7", "cosine"]
    max_pulses: int = 14
    only_disagreeing: bool = False
    digital_lr: float = 8e-3
    digital_schedule: Literal["constant", "same"] = "constant"
    devices: bool = True
    betas: tuple[float, float] = (0.9, 0.999)
    label_smoothing: float = 0.0
    full_steps: int = 0
    latent_bits: Literal[0, 8, 32] = 0
    bursts: tuple[int, ...] = ()
    give_back: float = 0.0
    sets: bool = False

    def factor(self, step: int, steps_per_epoch: int, epochs: int) -> float:
        """What multiplies `lr` at `step` (0, 1, ...) of the whole run."""
        steps = steps_per_epoch * epochs
        catch_up = min(max(self.full_steps / steps, 1.0), _MOST_CATCH_UP)
        if self.schedule == "cosine":
            return catch_up * 0.5 * (1.0 + math.cos(math.pi * (step + 1) / steps))  # step + 1: the last step has rate 0
        return catch_up * float(0.5 ** (step // (7 * steps_per_epoch)))  # as in the published code


_MOST_CATCH_UP = 4.0  # a short run pulses harder, but not so hard that its first steps wear the devices out

DEFAULT_RECIPE = "latent"

_LATENT: Any = {
    "lr": 2e-3, "schedule": "cosine", "bursts": (2, 4, 8, 16, 32, 64, 96), "give_back": 0.04, "sets": True,
}

RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe("latent", latent_bits=32, **_LATENT),
        Recipe("latent-byte", latent_bits=8, **_LATENT),
        Recipe("device-aware", lr=6.0, schedule="cosine", only_disagreeing=True, full_steps=1200),
        Recipe("published", lr=100.0, schedule="halve-every-7"),
        Recipe("ideal", lr=2e-3, schedule="cosine", devices=False),
    )
}


def recipe_named(name: str) -> Recipe:
    """Look a recipe up; UsageError when there is none of that name."""
    if name not in RECIPES:
        raise UsageError(f"no recipe {name!r}: choose from {', '.join(RECIPES)}")
    return RECIPES[name]
