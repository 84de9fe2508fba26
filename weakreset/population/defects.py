"""Devices that do not work, by kind; single readings that were dropped are no defects."""

from __future__ import annotations

from weakreset.fitting.result import FitSet, FitStatus

__all__ = ["KINDS", "count_defects", "kind_of"]

KINDS = ("open", "short", "stuck", "early stop", "other")
"""Kinds of defect; the first four are the words that the screening begins its reasons with."""


def kind_of(reason: str) -> str:
    """The kind that a reason for leaving out a device stands for."""
    said = reason.partition(":")[0].strip().lower()
    return said if said in KINDS else "other"


def count_defects(fits: FitSet) -> dict[str, int]:
    """Devices (cycles, where there are several) excluded whole, by kind, in the order of `KINDS`."""
    kinds = [kind_of(fit.excluded_because) for fit in fits if fit.status is FitStatus.EXCLUDED]
    return {kind: kinds.count(kind) for kind in KINDS if kind in kinds}
