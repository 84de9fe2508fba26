"""Devices of one die resemble each other: which share of the spread lies between dies, and drawing with it.

A parameter's normal score is z = sqrt(share) u + sqrt(1 - share) e, with u the same for all devices of a die and e the
device's own: over dies each device still follows the file's law, and its correlations.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy import special

from weakreset.parameter_file.law_schema import Strict

__all__ = ["Dies", "die_of_each", "on_dies"]

Array = NDArray[np.float64]

_STREAM = 7011
"""Of the dies, apart from those of the devices: a file without dies keeps its bits."""


class Dies(Strict):
    """Variance components of the normal scores between dies (or wafers, lots); absent where no difference was shown."""

    column: str = Field(default="die", description="what the groups are: die, wafer or lot")
    share: dict[str, float] = Field(description="share of the variance between them, 0 to 1, by parameter")
    n_groups: int | None = Field(default=None, ge=0)
    note: str | None = None

    def problems(self, known: Mapping[str, object]) -> list[str]:
        """What is wrong with the shares."""
        found = [f"dies.share: no such parameter: {name}" for name in self.share if name not in known]
        return found + [
            f"dies.share.{name} must be >= 0 and < 1, got {value}"
            for name, value in self.share.items() if not 0.0 <= value < 1.0
        ]


def die_of_each(n_devices: int, n_dies: int) -> NDArray[np.int64]:
    """The die of each device: as many on each as can be, neighbours together; shape (n_devices,)."""
    return np.arange(n_devices) * n_dies // n_devices


def on_dies(dies: Dies, uniforms: Mapping[str, Array], die: NDArray[np.int64], seed: int) -> dict[str, Array]:
    """Uniforms of devices that sit on these dies.

    Parameters
    ----------
    dies : Dies
    uniforms : mapping of str to ndarray, shape (n_devices,)
        Of devices that have nothing in common.
    die : ndarray of int, shape (n_devices,)
    seed : int
        Of the dies: die number i is the same for every call.
    """
    mixed = dict(uniforms)
    names = list(uniforms)
    scores = np.random.default_rng([seed, _STREAM]).standard_normal((int(die.max(initial=0)) + 1, len(names)))
    for column, name in enumerate(names):
        share = dies.share.get(name, 0.0)
        if share > 0.0:
            # ndtri(0) and ndtri(1) are infinite
            own = special.ndtri(np.clip(uniforms[name], np.finfo(float).tiny, 1 - 1e-16))
            # share + (1 - share) = 1: still standard normal, so the law over all devices is that of the file
            mixed[name] = np.asarray(special.ndtr(np.sqrt(share) * scores[die, column] + np.sqrt(1.0 - share) * own))
    return mixed
