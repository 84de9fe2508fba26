"""Devices that do not work, or stopped working midway, by kind; single readings that were dropped are no defects."""

from __future__ import annotations

from weakreset.fitting.fit_set import FitSet
from weakreset.fitting.result import FitStatus

__all__ = ["KINDS", "count_defects", "kind_of", "name_defects"]

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
    """Devices (cycles, where there are several) by kind, in the order of `KINDS`: excluded whole, or cut midway."""
    kinds = {
        fit.device: kind for fit in fits if fit.status is FitStatus.EXCLUDED and (kind := kind_of(fit.excluded_because))
    }
    for item in fits.traces.exclusions:
        if item.pulse is not None and (kind := kind_of(item.reason)):
            kinds.setdefault(item.device if not item.cycle else f"{item.device}#{item.cycle}", kind)
    counted = list(kinds.values())
    return {kind: counted.count(kind) for kind in KINDS if kind in counted}


def name_defects(fits: FitSet) -> list[tuple[str, str]]:
    """Device and words of every defect, each device once."""
    found = {fit.device: fit.excluded_because for fit in fits if kind_of(fit.excluded_because)}
    for item in fits.traces.exclusions:
        if item.pulse is not None and kind_of(item.reason):
            found.setdefault(item.device if not item.cycle else f"{item.device}#{item.cycle}", item.reason)
    return list(found.items())
