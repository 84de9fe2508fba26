"""Random streams that go by name: what one of them draws does not depend on which others there are."""

from __future__ import annotations

import copy

import numpy as np

__all__ = ["named_stream"]


def named_stream(rng: np.random.Generator, name: str) -> np.random.Generator:
    """The stream `name` of `rng`, which is not moved."""
    seed = copy.deepcopy(rng).integers(1 << 32, size=4).tolist()
    return np.random.default_rng([*seed, *name.encode()])
