"""Where on a wafer each device sits, as columns of the traces say it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from weakreset.traces.trace import PulseTrace

__all__ = ["GROUP_COLUMNS", "group_labels"]

GROUP_COLUMNS = ("lot", "wafer", "die", "row", "col")
"""Columns of the traces that say where a device sits; the first ones hold the later ones."""

_NESTED = ("lot", "wafer", "die")  # from the largest: a die lies on one wafer


def group_labels(traces: Iterable[PulseTrace]) -> Mapping[str, Mapping[str, str]]:
    """By column: the group of each device that has one; a die is told by its wafer and lot too."""
    found: dict[str, dict[str, str]] = {}
    for trace in traces:
        own: dict[str, str] = {}
        for name, cells in trace.extras.items():
            word = name.strip().lower()
            if word not in GROUP_COLUMNS:
                continue
            values = np.unique(np.asarray(cells).astype(str))
            if len(values) == 1 and values[0].strip() not in ("", "nan"):
                own[word] = str(values[0])
        for word in own:
            outer = _NESTED[: _NESTED.index(word)] if word in _NESTED else ()
            found.setdefault(word, {})[trace.key] = "/".join([*(own[o] for o in outer if o in own), own[word]])
    return {word: found[word] for word in GROUP_COLUMNS if word in found}
