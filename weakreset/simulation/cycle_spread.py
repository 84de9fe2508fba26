"""What a SET changes of a device itself: the cycle-to-cycle spread of the file, redrawn by numbers that depend on
nothing but seed, device, cycle and parameter. The step of the cycle before is computed again and taken out, so it costs
no memory."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from weakreset.errors import SimulationError
from weakreset.model import D2D, DriftShape
from weakreset.parameter_file import ParameterFile
from weakreset.simulation.counter_random import make_key, normal, random_words
from weakreset.simulation.traits import OFFSET, trait_names

__all__ = ["CycleSteps", "cycle_steps"]

_CHUNK = 1 << 15  # devices at once: double precision for all of a large chip would not fit


@dataclass(frozen=True)
class CycleSteps:
    """Standard deviation by parameter name, and the number of its stream."""

    shape: DriftShape
    spreads: tuple[tuple[str, float, int], ...]

    def redraw(
        self, seed: int, log_r0: torch.Tensor, traits: torch.Tensor, normals: torch.Tensor,
        index: torch.Tensor, cycle: torch.Tensor,
    ) -> None:
        """Move `log_r0` and `traits` (flat, in place) of devices `index` to `cycle` from the cycle before."""
        columns = trait_names(self.shape)
        for part, count in zip(torch.split(index, _CHUNK), torch.split(cycle, _CHUNK), strict=True):
            now = part + len(log_r0) * count.to(torch.int64)
            again = count > 0
            before = torch.where(again, now - len(log_r0), now)
            for name, sd, number in self.spreads:
                key = make_key(seed, "c2c", number)
                step = normal(random_words(key, now, 0), normals)
                # from the own number of the device, not from the last cycle: steps do not add up to a walk
                step = torch.where(again, step - normal(random_words(key, before, 0), normals), step) * sd
                if name == "r0_ohm":
                    log_r0[part] += step
                if name in ("r0_ohm", self.shape.offset):  # ln R0 is part of `offset`: it moves both
                    traits[part, OFFSET] += step
                elif self.shape[name].scale == "linear":
                    traits[part, columns.index(name)] += step
                else:
                    traits[part, columns.index(name)] *= step.double().exp().float()


def cycle_steps(
    params: ParameterFile, shape: DriftShape, without: tuple[str, ...], half_traits: bool
) -> CycleSteps | None:
    """What SET changes; None where the file says nothing of cycles, or D2D is off.

    Raises
    ------
    SimulationError
        With halves, which cannot carry a number from cycle to cycle.
    """
    if not params.c2c or D2D in without:
        return None
    if half_traits:
        raise SimulationError(
            f"half_traits: {params.name} has cycle-to-cycle spread (c2c), which halves cannot follow from SET to SET; "
            "use half_traits=False, or take c2c out of the file"
        )
    names = ("r0_ohm", *shape.parameters)
    spreads = [(name, params.c2c[name].sd, number) for number, name in enumerate(names) if name in params.c2c]
    return CycleSteps(shape, tuple(spreads))
