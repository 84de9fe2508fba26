"""Dies, wafers and files side by side: how many devices work there, and their medians."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import PurePath

import numpy as np

from weakreset.fitting import DeviceFit, FitSet, FitStatus
from weakreset.parameter_file.people import in_words
from weakreset.report.tables import Cell, Table, as_number
from weakreset.traces.group_labels import group_labels

__all__ = ["split_tables"]

_MOST_GROUPS = 60


def split_tables(fits: FitSet) -> list[tuple[str, Table]]:
    """A table for each column that has two groups or more: what it is called, and its rows."""
    traces = [*fits.traces, *(item.trace for item in fits.traces.exclusions if item.trace is not None)]
    labels = dict(group_labels(traces))
    labels["file"] = {trace.key: PurePath(trace.source).name for trace in traces if trace.source}
    found = []
    for column, of in labels.items():
        groups: dict[str, list[DeviceFit]] = {}
        for fit in fits:
            if fit.device in of:
                groups.setdefault(of[fit.device], []).append(fit)
        if 2 <= len(groups) <= _MOST_GROUPS:  # one group is the table above; hundreds are device names
            found.append((column, _table(column, groups, fits)))
    return found


def _table(column: str, groups: Mapping[str, list[DeviceFit]], fits: FitSet) -> Table:
    units = {"r0_ohm": "ohm", **fits.drift.units}
    rows = []
    for name in sorted(groups, key=_natural):
        members = groups[name]
        working = [fit for fit in members if fit.status is not FitStatus.EXCLUDED]
        medians = [_median(working, number, fits.drift.name, unit) for number, unit in units.items()]
        share = f"{len(working)} of {len(members)}"
        rows.append((Cell(name), Cell(share, len(working) / len(members)), *medians))
    what = "cycles" if any(fit.of_device != fit.device for fit in fits) else "devices"
    return Table((column, f"{what} fitted", *(f"median {number}" for number in units)), tuple(rows))


def _median(members: list[DeviceFit], number: str, model: str, unit: str) -> Cell:
    """Of the devices' own estimates, and of how many."""
    values = [e.value for fit in members if (e := fit.estimates.get(number)) is not None and e.value is not None]
    if not values:
        return Cell("–")
    middle = float(np.median(values))
    return Cell(f"{in_words(model, number, unit)(middle)} ({len(values)})", middle)


def _natural(name: str) -> tuple[float, str]:
    """Die 10 after die 9; words behind all numbers."""
    return math.inf if (found := as_number(name)) is None else found, name
