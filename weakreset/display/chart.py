"""A curve with a band around it, in characters."""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["text_chart"]

_BAND, _CURVE, _EMPTY = "░", "●", " "


def text_chart(
    x: Sequence[float], low: Sequence[float], middle: Sequence[float], high: Sequence[float],
    labels: Sequence[str], width: int = 60, height: int = 11,
) -> list[str]:
    """Lines of text: `middle` as dots, `low` to `high` shaded.

    Parameters
    ----------
    x : sequence of float
        Rising; a column of characters shows the nearest.
    low, middle, high : sequence of float
        At `x`; finite.
    labels : (str, str, str, str)
        Of the lowest and the highest value, and of the first and the last x.
    """
    least, most = min(low), max(high)
    span = most - least if most > least else 1.0
    # a column shows one point as it is: interpolated, a step would become a slope
    columns = [_nearest(x, x[0] + (x[-1] - x[0]) * i / (width - 1)) for i in range(width)]

    def row(value: float) -> int:
        return round((value - least) / span * (height - 1))

    grid = [[_EMPTY] * width for _ in range(height)]
    for place, i in enumerate(columns):
        for level in range(row(low[i]), row(high[i]) + 1):
            grid[level][place] = _BAND
        grid[row(middle[i])][place] = _CURVE
    margin = max(len(labels[0]), len(labels[1]))
    ends = {0: labels[0], height - 1: labels[1]}
    lines = [f"{ends.get(level, ''):>{margin}} │{''.join(grid[level])}".rstrip() for level in reversed(range(height))]
    lines.append(f"{'':>{margin}} └{'─' * width}")
    gap = max(1, width - len(labels[2]) - len(labels[3]))
    return [*lines, f"{'':>{margin}}  {labels[2]}{' ' * gap}{labels[3]}"]


def _nearest(x: Sequence[float], wanted: float) -> int:
    return min(range(len(x)), key=lambda i: math.fabs(x[i] - wanted))
