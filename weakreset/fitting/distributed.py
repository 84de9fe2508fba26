"""A fit on the workers of a Dask cluster: the plan of `fit_stream`, its blocks, its numbers; what is done is kept."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from weakreset.cluster import LOCAL, check_address, client_of
from weakreset.errors import FitError, UsageError
from weakreset.fitting.blocks import fit_block
from weakreset.fitting.fit_devices import check_drift, finished, with_a_way
from weakreset.fitting.fit_options import FitOptions
from weakreset.fitting.fit_rows import FitRows
from weakreset.fitting.fit_set import FitSet
from weakreset.fitting.fit_text import digest_of
from weakreset.fitting.group import Group, families, grouped, pieces
from weakreset.fitting.part_store import PartStore
from weakreset.fitting.plan import FitPlan
from weakreset.fitting.result import DeviceFit
from weakreset.fitting.second_look import plan_of
from weakreset.fitting.stream import Seen, sketch, surveyed
from weakreset.fitting.threads import one_blas_thread
from weakreset.fitting.used_reads import UsedReads
from weakreset.locks import held
from weakreset.options import named_options
from weakreset.progress import Progress
from weakreset.traces import TraceSet
from weakreset.traces.group_labels import group_labels
from weakreset.version import __version__

__all__ = ["fit_distributed"]

_AHEAD = 3  # parts at the workers while one more is read


@named_options
def fit_distributed(
    chunks: Iterable[TraceSet],
    folder: str | os.PathLike[str],
    options: FitOptions | None = None,
    progress: Progress | None = None,
    *,
    address: str = LOCAL,
    jobs: int | None = None,
    trust_network: bool = False,
    every_likelihood: bool = False,
) -> FitSet:
    """Fit device after device on the workers of a Dask cluster: the numbers of `fit_stream`.

    Parameters
    ----------
    chunks : iterable of TraceSet
        Gone through twice, in this process: `weakreset.stream_traces(...)`, or a list. Each is a part.
    folder : path
        For finished parts, a Parquet file each and `_manifest.json`. A fit that was stopped, or whose scheduler or
        workers were killed, goes on from them when it is started again with the same traces and options.
    options, progress
        As in `fit_stream`.
    address : str
        Of a scheduler, `tls://host:8786` or `tcp://127.0.0.1:8786`; "local": workers on this machine.
    jobs : int, optional
        Workers on this machine, one a core unless given.
    trust_network : bool
        Whether `tcp://` of another machine is accepted. Dask sends pickles: whoever can reach its ports can run
        programs as you. `tls://` keeps strangers out.
    every_likelihood : bool
        As in `fit_stream`.

    Returns
    -------
    FitSet
        Every device has its numbers, none keeps its trace.

    Raises
    ------
    MissingExtraError
        Dask is not installed.
    UsageError
        For chunks that can be gone through only once, an address that is not safe, workers of another version.
    FitError
        As from `fit_stream`; and where the cluster is lost, with what is kept.
    """
    chosen, place = options or FitOptions(), Path(folder)
    check_drift(chosen.drift)
    check_address(address, trust_network, "fits on several machines")
    source = iter(chunks)
    if source is chunks:
        raise UsageError("a generator can be gone through only once: give stream_traces(...) or a list of chunks")
    survey, _ = surveyed(source, chosen, progress, only_first=False)
    with one_blas_thread(), held(folder=place):
        store, plan, seen = PartStore(place), plan_of(survey, chosen, 1), Seen(fits=FitRows(on_disk=every_likelihood))

        def kept() -> str:
            return f"{len(store)} finished parts are kept in {place}"

        with client_of(address, jobs, FitError, kept) as client:
            for used, fits in _parts(chunks, seen, plan, store, client, chosen.mixed_pulses):
                seen.keep(used, fits)
                if progress is not None:
                    progress(len(seen.fits), survey.n_devices, "devices")
    together = finished(seen.fits, plan, chosen, seen.kept, seen.short, seen.long)
    return with_a_way(replace(together, groups=seen.groups), survey, plan, chosen)


def _parts(
    chunks: Iterable[TraceSet], seen: Seen, plan: FitPlan, store: PartStore, client: Any, mixed: bool
) -> Iterator[tuple[list[UsedReads], list[DeviceFit]]]:
    """Chunk after chunk, in order: from the store, or from the workers and then into it."""
    by_plan = digest_of((__version__, plan))
    # a task, no scattered data: what a killed worker held is then made again
    at_workers = client.submit(_itself, plan, pure=False)
    waiting: deque[tuple[str, list[UsedReads], list[DeviceFit] | list[Any]]] = deque()

    def done() -> tuple[list[UsedReads], list[DeviceFit]]:
        key, used, what = waiting.popleft()
        if not what or isinstance(what[0], DeviceFit):
            return used, what
        fits = [fit for block in client.gather(what) for fit in block]
        store.save(key, fits, group_labels(one.trace for one in used))
        return used, fits

    for chunk in chunks:
        used = seen.read(chunk, mixed)
        key = digest_of((by_plan, [(one.trace.key, one.trace.device, one.fingerprint) for one in used]))
        known = store.load(key)
        if known is None:
            blocks = [block for family in families(grouped(used, plan.grids)) for block in pieces(family)]
            # pure=False: Dask would hash the traces to find equal tasks
            waiting.append((key, used, client.map(_fit_piece, blocks, plan=at_workers, pure=False)))
        else:
            waiting.append((key, used, known))
        if len(waiting) > _AHEAD:
            yield done()
    while waiting:
        yield done()


def _itself(plan: FitPlan) -> FitPlan:
    return plan


def _fit_piece(block: list[Group], plan: FitPlan) -> list[DeviceFit]:
    """What a worker does: a block, without its arrays."""
    with one_blas_thread():
        return [sketch(fit) for fit in fit_block(plan, block)]
