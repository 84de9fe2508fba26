"""Devices that do not work, by kind; single readings that were dropped are no defects."""

from __future__ import annotations

from weakreset.fitting.fit_set import FitSet
from weakreset.fitting.result import FitStatus

__all__ = ["KINDS", "count_defects", "kind_of"]

KINDS = ("open", "short", "stuck")
"""Kinds of defect: the words that the screening begins its reasons with.

A trace that stopped early or has too few reads says nothing against the device: it is excluded by name in
the provenance, and is no defect.
"""


def kind_of(reason: str) -> str | None:
    """The kind of defect that a reason for leaving out a device stands for; None where it is no defect."""
    said = reason.partition(":")[0].strip().lower()
    return said if said in KINDS else None


def count_defects(fits: FitSet) -> dict[str, int]:
    """Devices (cycles, where there are several) excluded whole, by kind, in the order of `KINDS`."""
    kinds = [kind_of(fit.excluded_because) for fit in fits if fit.status is FitStatus.EXCLUDED]
    return {kind: kinds.count(kind) for kind in KINDS if kind in kinds}
