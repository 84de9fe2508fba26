"""A recipe as a torch optimizer and a torch scheduler, for the loop of this package and for one's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

from weakreset.simulation import LatentOptimizer, PulseOptimizer
from weakreset.simulation.pulse_report import PulseReport
from weakreset.training.ideal import clip_latent_weights, latent_weights
from weakreset.training.recipes import DEFAULT_RECIPE, Recipe, recipe_named

__all__ = ["IdealOptimizer", "optimizer_of", "schedule_of"]


class IdealOptimizer(torch.optim.Adam):
    """Adam on the latent weights of a network without devices (`binarize`), kept in -1 .. 1; Adam on the rest.

    Attributes
    ----------
    last_step : PulseReport
        Its `flips`: signs that turned in the last step.
    """

    def __init__(self, model: nn.Module, recipe: Recipe) -> None:
        self._latent = latent_weights(model)
        known = {id(p) for p in self._latent}
        rest = [p for p in model.parameters() if id(p) not in known]
        groups = [
            {"params": self._latent, "lr": recipe.lr, "role": "device"},
            {"params": rest, "lr": recipe.digital_lr, "role": "digital"},
        ]
        super().__init__([group for group in groups if group["params"]], betas=recipe.betas)
        self.last_step = PulseReport()

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One update; latent weights beyond 1 could take too long to turn back."""
        before = [latent.detach() >= 0 for latent in self._latent]  # >= 0 is +1, as in the forward pass
        loss = super().step(closure)
        clip_latent_weights(self._latent)
        turned = (int((old != (new >= 0)).sum()) for old, new in zip(before, self._latent, strict=True))
        self.last_step = PulseReport(flips=sum(turned))
        return loss


def optimizer_of(
    model: nn.Module, recipe: str | Recipe = DEFAULT_RECIPE
) -> LatentOptimizer | PulseOptimizer | IdealOptimizer:
    """The optimizer of a recipe, for a network on devices (`convert`), or for `ideal` a binarized one (`binarize`).

    It is a torch optimizer: `zero_grad`, `step`, `state_dict`, schedulers, gradients of several batches summed before a
    step. `schedule_of` gives the schedule that the recipe was measured with.
    """
    chosen = recipe if isinstance(recipe, Recipe) else recipe_named(recipe)
    if not chosen.devices:
        return IdealOptimizer(model, chosen)
    common: dict[str, Any] = {"lr": chosen.lr, "digital_lr": chosen.digital_lr, "betas": chosen.betas}
    if chosen.latent_bits:
        return LatentOptimizer(
            model.parameters(), **common, bursts=chosen.bursts, give_back=chosen.give_back, sets=chosen.sets,
            latent_bits=chosen.latent_bits,
        )
    return PulseOptimizer(
        model.parameters(), **common, max_pulses=chosen.max_pulses, only_disagreeing=chosen.only_disagreeing
    )


def schedule_of(
    optimizer: torch.optim.Optimizer, steps_per_epoch: int, epochs: int, recipe: str | Recipe = DEFAULT_RECIPE
) -> LambdaLR:
    """The schedule of a recipe as a scheduler of torch, to be stepped after every step of the optimizer.

    Batch norm and biases keep their rate where the recipe says so.
    """
    chosen = recipe if isinstance(recipe, Recipe) else recipe_named(recipe)
    last = steps_per_epoch * epochs - 1

    def moving(step: int) -> float:
        return chosen.factor(min(step, last), steps_per_epoch, epochs)  # torch asks for one step more than there are

    # LambdaLR multiplies the rate of every group by something: by one, where it must not move
    def still(step: int) -> float:
        return 1.0

    moves = (group["role"] == "device" or chosen.digital_schedule == "same" for group in optimizer.param_groups)
    return LambdaLR(optimizer, [moving if move else still for move in moves])
