"""From a trace to the reads that are fitted; and what tells a trace from others whatever its name."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from weakreset.fitting.averaged import MOST_READS, averaged_reads
from weakreset.fitting.lone_reads import lone_reads
from weakreset.fitting.result import DeviceFit
from weakreset.fitting.whitening import Averaged
from weakreset.traces import Exclusion, PulseTrace
from weakreset.traces.fit_needs import too_short

__all__ = ["UsedReads", "fingerprint", "reads_in_words", "used_reads"]

Array = NDArray[np.float64]

_NAMED = 8


@dataclass(frozen=True, eq=False)
class UsedReads:
    """The reads of one trace that a fit uses.

    Attributes
    ----------
    trace : PulseTrace
    fingerprint : bytes
        See `fingerprint`.
    pulses, log_ratio : ndarray, shape (n,)
        ln(R/R0).
    averaged : Averaged or None
        Which of them are means of several.
    lone : tuple of int
        Pulses whose reads stand alone and were left out.
    note : str
        How a very long trace was shortened.
    """

    trace: PulseTrace
    fingerprint: bytes
    pulses: NDArray[np.int64]
    log_ratio: Array
    averaged: Averaged | None = None
    lone: tuple[int, ...] = ()
    note: str = ""


def fingerprint(trace: PulseTrace) -> bytes:
    """A digest of pulses and readings: what is drawn for a device, and in which order devices are added up, comes from
    it, so that names, files and the order of rows move no number."""
    digest = hashlib.blake2b(np.ascontiguousarray(trace.pulses, dtype="<i8").tobytes(), digest_size=16)
    digest.update(np.ascontiguousarray(trace.resistance_ohm, dtype="<f8").tobytes())
    return digest.digest()


def used_reads(trace: PulseTrace) -> UsedReads | Exclusion:
    """The reads to fit, or why there are too few."""
    if (exclusion := too_short(trace)) is not None:
        return exclusion
    pulses, log_ratio = trace.log_ratio()
    aside: tuple[int, ...] = ()
    lone = lone_reads(log_ratio)
    if len(lone):
        aside = tuple(pulses[lone].tolist())
        pulses, log_ratio = np.delete(pulses, lone), np.delete(log_ratio, lone)
    averaged, note, n = None, "", len(pulses)
    if n > MOST_READS:
        pulses, log_ratio, averaged = averaged_reads(pulses, log_ratio)
        stride = 1 if averaged else -(-n // MOST_READS)
        pulses, log_ratio = pulses[::stride], log_ratio[::stride]
        note = f"{trace.words}: {n} reads, {_in_words(averaged, stride)}"
    return UsedReads(trace, fingerprint(trace), pulses, log_ratio, averaged, aside, note)


def _in_words(averaged: Averaged | None, stride: int) -> str:
    if averaged is None:
        return f"not at an even pace: every {stride}. used"
    return f"from pulse {averaged.first} on fitted as means of {averaged.reads}: what is shorter there is not resolved"


def reads_in_words(fits: Iterable[DeviceFit]) -> list[str]:
    """A sentence on reads that stand alone, with their places."""
    found = [(fit, pulse) for fit in fits for pulse in fit.set_aside]
    if not found:
        return []
    places = ", ".join(f"{fit.device} at pulse {pulse}" for fit, pulse in found[:_NAMED])
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    devices = len({fit.device for fit, _ in found})
    return [
        f"{len(found)} reads of {devices} devices lie far from the reads around them and were taken as missing: "
        f"{places}{more}"
    ]
