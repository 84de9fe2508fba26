"""The runs of a study: trained one by one, in processes, or on the workers of a cluster; and what they left."""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from weakreset.ablation.conditions import Condition
from weakreset.ablation.study_folder import read_small
from weakreset.ablation.study_settings import StudySettings
from weakreset.cluster import client_of
from weakreset.errors import UsageError
from weakreset.outputs import remove_leftovers, write_atomically
from weakreset.parameter_file import parse_parameters
from weakreset.workers import follow_parent, stopped_with

__all__ = ["StudyRun", "finished", "on_cluster", "on_this_machine"]

Final = dict[str, Any]
_IN_TABLES = ("test_accuracy", "pulses_mean", "pulses_p99", "pulses_max")


@dataclass(frozen=True)
class StudyRun:
    condition: Condition
    seed: int
    folder: Path


def on_this_machine(
    left: Sequence[StudyRun], text: dict[str, str], settings: StudySettings, jobs: int, own: Mapping[str, Any]
) -> Iterator[tuple[StudyRun, Final]]:
    """The runs that are left, as they end."""
    if jobs == 1:
        for run in left:
            yield run, _train(run, text[run.condition.name], settings, own)
        return
    # spawn: torch's threads do not live on in a forked process
    pool = ProcessPoolExecutor(jobs, get_context("spawn"), follow_parent, (os.getpid(),))
    try:
        with pool, stopped_with():
            waiting = {pool.submit(_train, run, text[run.condition.name], settings, own): run for run in left}
            try:
                for future in as_completed(waiting):
                    yield waiting[future], future.result()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise  # `stopped_with` ends the running ones: their finished epochs are kept
    except BaseException:
        for run in left:
            remove_leftovers(run.folder)
        raise


def on_cluster(
    left: Sequence[StudyRun], text: dict[str, str], settings: StudySettings, address: str, jobs: int,
    own: Mapping[str, Any],
) -> Iterator[tuple[StudyRun, Final]]:
    """The runs that are left, as they end, on the workers of a cluster."""
    def kept() -> str:
        done = sum((run.folder / "final.json").exists() for run in left)
        return f"{done} of {len(left)} runs were finished, and finished epochs of others are kept"

    if not left:
        return
    runs = [replace(run, folder=run.folder.resolve()) for run in left]
    with client_of(address, jobs, UsageError, kept) as client:
        as_they_end: Any = importlib.import_module("distributed").as_completed
        waiting = {
            # pure=False: Dask would hash a user's network to find equal tasks
            client.submit(_train, run, text[run.condition.name], settings, own, pure=False): run for run in runs
        }
        for future in as_they_end(waiting, loop=client.loop):
            yield waiting[future], future.result()


def finished(run: StudyRun, own_score: bool) -> Final | None:
    """Last metrics of a run that is done."""
    path = run.folder / "final.json"
    if not path.exists():
        return None
    from weakreset.training.run_folder import check_numbers, check_shares

    result = read_small(path)
    made = result.pop("condition", None)  # of runs before it was written down there is nothing to compare
    if made is not None and made != _plain(run.condition):
        raise UsageError(
            f"{path}: was trained under another condition of the name {run.condition.name!r}; name another folder, or "
            "the condition otherwise"
        )
    check_numbers(result, f"{path} (remove it, and the run is repeated)", _IN_TABLES)
    if not own_score:
        check_shares(result, str(path))
    return result


def _plain(condition: Condition) -> dict[str, Any]:
    """As JSON gives it back."""
    found: dict[str, Any] = json.loads(json.dumps(asdict(condition)))
    return found


def _train(run: StudyRun, parameters: str, settings: StudySettings, own: Mapping[str, Any]) -> Final:
    """One run, from where it stopped, in one thread; its checkpoint is not kept."""
    import torch

    from weakreset.training import train
    from weakreset.training.recipes import recipe_named
    from weakreset.training.run_folder import CHECKPOINT

    condition, threads = run.condition, torch.get_num_threads()
    recipe = recipe_named("ideal" if condition.ideal else settings.recipe)
    if settings.lr is not None and not condition.ideal:
        recipe = replace(recipe, lr=settings.lr)
    torch.set_num_threads(1)  # sums over a batch differ with the number of threads, and processes take their place
    try:
        task = {"data": settings.data, "network": settings.network} | dict(own)
        trained = train(
            parse_parameters(parameters), data_dir=settings.data_dir, hidden=settings.hidden, width=settings.width,
            epochs=settings.epochs, batch_size=settings.batch_size, shrink=settings.shrink, holdout=settings.holdout,
            seed=run.seed, recipe=recipe, without=condition.without, run_dir=run.folder, resume=True, **task,
        )
    finally:
        torch.set_num_threads(threads)
    final = trained.metrics[-1]
    text = json.dumps(final | {"condition": _plain(condition)})
    write_atomically(run.folder / "final.json", text + "\n")
    (run.folder / CHECKPOINT).unlink(missing_ok=True)  # 80 bytes a weight, and dozens of runs
    return final
