"""Fit more devices than fit into memory: traces come in chunks and go, what was learnt of each stays."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from weakreset.errors import FitError
from weakreset.fitting.fit_devices import FitOptions, fit_devices
from weakreset.fitting.fit_set import FitSet, excluded_fits
from weakreset.fitting.result import DeviceFit
from weakreset.fitting.rtn_rates import pooled_rates
from weakreset.model import DriftShape
from weakreset.options import named_options
from weakreset.traces import Exclusion, SourceFile, TraceSet
from weakreset.traces.fit_needs import too_short
from weakreset.traces.pulse_settings import PulseSettings, count_settings, refuse_mixed

__all__ = ["fit_stream"]

_DETAILED = 1000
_DRAWS = 50
_EMPTY = np.empty(0)


@named_options
def fit_stream(
    chunks: Iterable[TraceSet],
    options: FitOptions | None = None,
    progress: Callable[[int, int, str], None] | None = None,
    *,
    jobs: int | None = None,
) -> FitSet:
    """Fit device after device without holding the traces.

    Parameters
    ----------
    chunks : iterable of TraceSet
        `weakreset.stream_traces(...)`, or any generator of sets. The noise is estimated from the
        first chunk, which should be a fair sample of 100 devices or more.
    options : FitOptions, optional
        `drift="auto"` is not possible here.
    progress : callable, optional
        Called as progress(done, 0, what): the total is not known.
    jobs : int, optional
        As in `fit_devices`.

    Returns
    -------
    FitSet
        Every device has its numbers and a sketch of its likelihood; the first 1,000 keep trace, residuals
        and lmfit result as well. `traces` holds the first chunk only, with all exclusions and sources.

    Raises
    ------
    FitError
        No chunks at all, or none with a trace long enough.
    TraceError
        The traces mix pulses of different amplitude or width.
    """
    chosen = options or FitOptions()
    if chosen.drift == "auto":
        raise FitError("drift 'auto' needs all traces at once; choose it with fit_devices on a sample")
    first: FitSet | None = None
    fits: list[DeviceFit] = []
    seen = _Seen()
    for chunk in _with_a_long_trace(chunks):
        seen.add(chunk, chosen.mixed_pulses)
        if first is not None and not _has_a_long_trace(chunk):
            fits += _left_out(chunk, first.drift)
            continue
        fitted = fit_devices(chunk, replace(chosen, mixed_pulses=True), jobs=jobs)
        if first is None:
            first = fitted
            noise = fitted.noise
            chosen = replace(
                chosen, alpha=noise.alpha, exponent=noise.exponent, read_sd=noise.read_sd, direction=fitted.direction,
                shared={name: float(found.value or 0.0) for name, found in fitted.shared.items()} or chosen.shared,
            )
        room = max(_DETAILED - len(fits), 0)
        few = [_with_few_draws(fit) for fit in fitted]
        fits += [fit if i < room else _sketch(fit) for i, fit in enumerate(few)]
        if progress is not None:
            progress(len(fits), 0, "devices")
    if first is None:
        raise FitError("no traces: the stream of chunks is empty")
    kept = TraceSet(first.traces.traces, tuple(seen.exclusions), tuple(seen.sources), tuple(seen.notes))
    whole = replace(first, fits=tuple(fits), traces=kept)
    noise = replace(first.noise, n_devices=len(whole.usable), **pooled_rates(whole.usable).pooled())
    return replace(whole, noise=noise)


class _Seen:
    """What the chunks say besides their traces."""

    def __init__(self) -> None:
        self.exclusions: list[Exclusion] = []
        self.sources: dict[SourceFile, None] = {}
        self.notes: dict[str, None] = {}
        self._settings: PulseSettings = {}

    def add(self, chunk: TraceSet, mixed: bool) -> None:
        self.exclusions += chunk.exclusions
        self.sources.update(dict.fromkeys(chunk.sources))
        self.notes.update(dict.fromkeys(chunk.notes))
        if not mixed:
            self._settings = count_settings(chunk, self._settings)
            refuse_mixed(self._settings)


def _with_a_long_trace(chunks: Iterable[TraceSet]) -> Iterator[TraceSet]:
    """The chunks; one in which nothing can be fitted is joined to the next."""
    pending: TraceSet | None = None
    for chunk in chunks:
        pending = chunk if pending is None else TraceSet.join([pending, chunk])
        if _has_a_long_trace(pending):
            yield pending
            pending = None
    if pending is not None:
        yield pending


def _has_a_long_trace(chunk: TraceSet) -> bool:
    return any(too_short(trace) is None for trace in chunk)


def _left_out(chunk: TraceSet, drift: DriftShape) -> list[DeviceFit]:
    """Rows for a chunk in which nothing can be fitted."""
    short = (item for trace in chunk if (item := too_short(trace)) is not None)
    return excluded_fits((*chunk.exclusions, *short), drift)


def _with_few_draws(fit: DeviceFit) -> DeviceFit:
    """The device with a quarter of its draws, in single precision."""
    draws = fit.draws
    if draws is None:
        return fit
    step = max(1, len(draws.inside) // _DRAWS)
    beyond: Any = None if draws.beyond is None else draws.beyond[::step].astype(np.float32)
    inside: Any = draws.inside[::step].astype(np.float32)
    return replace(fit, draws=replace(draws, inside=inside, beyond=beyond))


def _sketch(fit: DeviceFit) -> DeviceFit:
    """The device without its arrays."""
    profile = None if fit.knee_profile is None else (fit.knee_profile[0][:1], _EMPTY)
    return replace(fit, log_ratio=_EMPTY, white_residuals=None, result=None, knee_profile=profile)
