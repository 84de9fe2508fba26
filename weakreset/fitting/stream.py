"""Fit more devices than fit into memory: traces come in chunks and go, what was learnt of each stays."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain

import numpy as np

from weakreset.errors import FitError
from weakreset.fitting.blocks import fit_groups
from weakreset.fitting.fit_devices import check_drift, finished, read_all, with_a_way
from weakreset.fitting.fit_options import FitOptions
from weakreset.fitting.fit_rows import FitRows
from weakreset.fitting.fit_set import FitSet
from weakreset.fitting.group import grouped
from weakreset.fitting.result import DeviceFit
from weakreset.fitting.second_look import plan_of
from weakreset.fitting.survey import SURVEYED, Survey
from weakreset.fitting.threads import one_blas_thread
from weakreset.fitting.used_reads import UsedReads
from weakreset.options import named_options
from weakreset.progress import Progress
from weakreset.traces import Exclusion, PulseTrace, SourceFile, TraceSet
from weakreset.traces.fit_needs import LEAST_READS
from weakreset.traces.group_labels import group_labels
from weakreset.traces.pulse_settings import PulseSettings, count_settings, refuse_mixed

__all__ = ["Seen", "fit_stream", "sketch", "surveyed"]

_DETAILED = 1000
_EMPTY = np.empty(0)


@named_options
def fit_stream(
    chunks: Iterable[TraceSet],
    options: FitOptions | None = None,
    progress: Progress | None = None,
    *,
    jobs: int | None = None,
    every_likelihood: bool = False,
) -> FitSet:
    """Fit device after device without holding the traces: the numbers of `fit_devices`, however the set is cut.

    Parameters
    ----------
    chunks : iterable of TraceSet
        Gone through twice, first for a sample of the devices, from which the noise is estimated, then to fit:
        `weakreset.stream_traces(...)`, a list, or anything that can be iterated again. A generator, which cannot, is
        surveyed on the devices of its first chunk; `notes` says so.
    options : FitOptions, optional
    progress : callable, optional
        Called as progress(done, total, what); the total is 0 as long as it is not known.
    jobs : int, optional
        As in `fit_devices`.
    every_likelihood : bool
        Keep the likelihood of every device, not of 20,000 drawn at random: in an unnamed file where temporary files go
        (TMPDIR), 3 kB a device. `fit_population(fits, most_devices=0)` then fits the laws to all of them.

    Returns
    -------
    FitSet
        Every device has its numbers; the first 1,000 keep trace, residuals and lmfit result as well.
        `traces` holds their traces only, with all exclusions and sources.

    Raises
    ------
    FitError
        No chunks at all, or none with a trace long enough.
    TraceError
        The traces mix pulses of different amplitude or width.
    """
    chosen = options or FitOptions()
    check_drift(chosen.drift)
    source = iter(chunks)
    if source is chunks:
        survey, first = surveyed(source, chosen, progress, only_first=True)
        again: Iterable[TraceSet] = chain(first, source)
        once: tuple[str, ...] = (
            f"the noise was estimated from the {survey.n_devices} devices of the first chunk: they come from a "
            "generator, which can be read only once",
        )
    else:
        survey, _ = surveyed(source, chosen, progress, only_first=False)
        again, once = chunks, ()
    with one_blas_thread():
        plan = plan_of(survey, chosen, jobs)
        seen = Seen(_DETAILED, FitRows(on_disk=every_likelihood))
        for chunk in again:
            used = seen.read(chunk, chosen.mixed_pulses)
            seen.keep(used, list(fit_groups(grouped(used, plan.grids), plan, jobs)))
            if progress is not None and seen.fits:
                progress(len(seen.fits), 0 if once else survey.n_devices, "devices")
    fits = finished(seen.fits, plan, chosen, seen.kept, seen.short, (*once, *seen.long))
    return with_a_way(replace(fits, groups=seen.groups), survey, plan, chosen)


def surveyed(
    chunks: Iterator[TraceSet], chosen: FitOptions, progress: Progress | None, only_first: bool
) -> tuple[Survey, list[TraceSet]]:
    """A survey of all chunks, or of those up to the first one with a trace that can be fitted; and the chunks."""
    survey, gone = Survey(), list[TraceSet]()
    settings: PulseSettings = {}
    some = False
    for chunk in chunks:
        some = True
        if not chosen.mixed_pulses:  # refused before hours of work, not after
            settings = count_settings(chunk, settings)
            refuse_mixed(settings)
        survey.add(read_all(chunk)[0])
        if progress is not None:
            progress(survey.n_devices, 0, f"reading, to choose {SURVEYED} for the noise")
        if only_first:
            gone.append(chunk)
            if survey.n_devices:
                break
    if not survey.n_devices:
        reason = f"none has the {LEAST_READS} reads after the first pulse that a fit needs" if some else "it is empty"
        raise FitError(f"no traces to fit in the stream of chunks: {reason}")
    return survey, gone


@dataclass
class Seen:
    """What the chunks bring, the fits of their traces among it; the first `detailed` of them whole."""

    detailed: int = 0
    fits: FitRows = field(default_factory=FitRows)
    traces: list[PulseTrace] = field(default_factory=list)
    exclusions: list[Exclusion] = field(default_factory=list)
    short: list[Exclusion] = field(default_factory=list)
    sources: dict[SourceFile, None] = field(default_factory=dict)
    notes: dict[str, None] = field(default_factory=dict)
    long: list[str] = field(default_factory=list)
    settings: PulseSettings = field(default_factory=dict)
    groups: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def kept(self) -> TraceSet:
        """All exclusions and sources, and the traces of the detailed fits."""
        return TraceSet(tuple(self.traces), tuple(self.exclusions), tuple(self.sources), tuple(self.notes))

    def read(self, chunk: TraceSet, mixed: bool) -> list[UsedReads]:
        """The reads of a chunk that are fitted; all else that it says is kept."""
        for column, of in group_labels(chunk).items():
            self.groups.setdefault(column, {}).update((name, sys.intern(group)) for name, group in of.items())
        self.exclusions += chunk.exclusions
        self.sources.update(dict.fromkeys(chunk.sources))
        self.notes.update(dict.fromkeys(chunk.notes))
        if not mixed:
            self.settings = count_settings(chunk, self.settings)
            refuse_mixed(self.settings)
        used, short = read_all(chunk)
        self.short += short
        self.long += [one.note for one in used if one.note]
        return used

    def keep(self, used: list[UsedReads], fitted: list[DeviceFit]) -> None:
        """The fits of these reads, in whatever order, and let the traces go."""
        fits = {fit.device: fit for fit in fitted}
        for one in used:
            fit = fits[one.trace.key]
            fit = replace(fit, set_aside=one.lone) if one.lone else fit
            if len(self.fits) < self.detailed:
                self.traces.append(one.trace)
            self.fits.append(fit if len(self.fits) < self.detailed else sketch(fit))


def sketch(fit: DeviceFit) -> DeviceFit:
    """The device without its arrays."""
    profile = None if fit.knee_profile is None else (fit.knee_profile[0][:1].copy(), _EMPTY)
    ends = fit.pulses[[0, -1]]
    return replace(fit, pulses=ends, log_ratio=_EMPTY, white_residuals=None, result=None, knee_profile=profile)
