"""Checks on the two spreads of devices with several cycles: from cycle to cycle, and from device to device."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from weakreset.validation.plan import Plan
from weakreset.validation.pool import Pool
from weakreset.validation.summaries import Summary

__all__ = ["cycle_summaries"]

Array = NDArray[np.float64]

_LEAST_FREEDOM = 5  # a standard deviation from fewer is uncertain by a third and more
_LEAST_DEVICES = 6  # for the same reason, between devices
_FLOOR = 1e-12  # of ln R: cycles that are equal but for rounding have a logarithm too


def cycle_summaries(pool: Pool, plan: Plan) -> tuple[list[Summary], list[str]]:
    """Summaries, and what had to be left out and why; none of both where every device has one cycle.

    All other checks take the traces of a replica together, and would not see whether what tells them apart is the
    device or the cycle: half of each has the same distribution of ln R as all of one.
    """
    if pool.members.shape[1] == pool.n_devices:
        return [], []
    columns = {"of the fresh resistance": pool.features["fresh"][:, 0]}
    for pulse in plan.distribution_pulses:
        place = int(np.searchsorted(plan.envelope_pulses, pulse))
        columns[f"of ln(R/R0) at pulse {pulse}"] = pool.features["log_ratio"][:, place]
    within, between = {}, {}
    for name, column in columns.items():
        read = np.isfinite(column[pool.members[0]])
        devices, starts, counts = np.unique(pool.devices[read], return_index=True, return_counts=True)
        freedom = int(counts.sum()) - len(devices)
        values = column[pool.members[:, read]]
        means = np.add.reduceat(values, starts, axis=1) / counts if len(devices) else values
        if freedom >= _LEAST_FREEDOM:
            squares = ((values - np.repeat(means, counts, axis=1)) ** 2).sum(axis=1)
            within[name] = np.log(np.sqrt(squares / freedom) + _FLOOR)
        if len(devices) >= _LEAST_DEVICES:
            between[name] = np.log(means.std(axis=1) + _FLOOR)
    found, skipped = [], []
    for kind, spreads, least in (
        ("cycles", within, f"fewer than {_LEAST_FREEDOM} cycles beside the first of each device"),
        ("devices", between, f"fewer than {_LEAST_DEVICES} devices"),
    ):
        if spreads:
            what = f"The spread between {kind}{' of a device' if kind == 'cycles' else ''} (ln of its sd)"
            values = np.stack(list(spreads.values()), axis=1)
            found.append(Summary(f"spread between {kind}", values, tuple(spreads), what))
        else:
            skipped.append(f"spread between {kind}: {least}")
    return found, skipped
