"""Other processes that tests start."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["here"]


def here() -> dict[str, str]:
    """Environment in which another process finds this checkout."""
    path = os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    return {**os.environ, "PYTHONPATH": path}
