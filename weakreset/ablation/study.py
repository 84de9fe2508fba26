"""Run every condition with every seed, in parallel processes, and go on where a study stopped."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from weakreset.ablation.conditions import Condition, all_conditions
from weakreset.ablation.result import Ablation
from weakreset.ablation.study_folder import claim
from weakreset.ablation.study_runs import StudyRun, finished, on_cluster, on_this_machine
from weakreset.ablation.study_settings import StudySettings
from weakreset.cluster import check_address
from weakreset.errors import UsageError
from weakreset.locks import held
from weakreset.options import named_options
from weakreset.parameter_file import ParameterFile, dump_parameters, load_parameters
from weakreset.progress import Progress, to_no_one

__all__ = ["PartDone", "ablate", "ablate_part", "finals_of"]


@named_options
def ablate(
    params: str | os.PathLike[str] | ParameterFile, folder: str | os.PathLike[str],
    settings: StudySettings | None = None, *, seeds: Sequence[int] = range(5),
    conditions: Sequence[Condition] | None = None, jobs: int = 1, progress: Progress | None = None, network: Any = None,
    data: Any = None, test: Any = None, loss: Any = None, score: Any = None, layers: Any = None,
    address: str = "", trust_network: bool = False,
) -> Ablation:
    """Train under every condition with every seed.

    Parameters
    ----------
    params : ParameterFile, path or preset name
    folder : path
        Each run has a folder in it; a run that is there is not repeated, one that was interrupted goes on.
    settings : StudySettings, optional
    seeds : sequence of int
        The same for all conditions.
    conditions : sequence of Condition, optional
        `all_conditions(params)` unless given; "all on" must be among them.
    jobs : int
        Processes, each with one thread; 0 for one a core. The result does not depend on it.
    progress : callable, optional
        Called as progress(done, total, what) with the number of finished runs.
    network, data, test, loss, score, layers : optional
        Of your own, as in `weakreset.training.train`, in place of those that `settings` names. With more than one
        process they must be things that processes can hand to each other: functions at the top of a module, no lambdas.
    address : str
        Of a Dask scheduler, or "local", for runs on its workers; they write into `folder`, which all machines must
        share. A run whose worker is killed goes on elsewhere. "" for processes of this machine.
    trust_network : bool
        As in `fit_distributed`.

    Raises
    ------
    UsageError
        For a folder with results of another study, a cluster that is not safe or was lost, and whatever `train`
        raises.
    MissingExtraError
        Dask is asked for and not installed.
    OutputError
        Where `folder` cannot be written, or another run is writing there.
    """
    if address:
        check_address(address, trust_network, "a study on several machines")
    params = load_parameters(params)
    chosen, wanted = settings or StudySettings(), tuple(conditions or all_conditions(params))
    given = {"network": network, "data": data, "test": test, "loss": loss, "score": score, "layers": layers}
    own = {name: value for name, value in given.items() if value is not None}
    finals = finals_of(params, Path(folder), chosen, wanted, tuple(seeds), jobs, progress, own, address=address)
    return Ablation.of(finals, tuple(seeds), asdict(chosen) | {"parameter_file": params.name} | _own_names(own))


@dataclass(frozen=True)
class PartDone:
    """How many runs are finished: of this part, and of the whole study, where other parts may be running."""

    finished: int
    total: int
    part_finished: int
    part_total: int


@named_options
def ablate_part(
    params: str | os.PathLike[str] | ParameterFile, folder: str | os.PathLike[str], part: tuple[int, int],
    settings: StudySettings | None = None, *, seeds: Sequence[int] = range(5),
    conditions: Sequence[Condition] | None = None, jobs: int = 1, progress: Progress | None = None,
) -> PartDone:
    """Do part i of n of a study, beside other parts in the same folder; `ablate` then finds all runs done.

    Parameters
    ----------
    part : tuple of int
        (i, n): runs i, i + n, i + 2 n, ... of the study, 1 <= i <= n.
    params, folder, settings, seeds, conditions, jobs, progress
        As in `ablate`; the same for all parts.

    Raises
    ------
    UsageError
        A part that there is not, a folder with results of another study, and whatever `train` raises.
    OutputError
        Where `folder` cannot be written, or the same part, or one of its runs, is running elsewhere.
    """
    number, of = part
    if not 1 <= number <= of:
        raise UsageError(f"part {number}/{of}: give i/n with 1 <= i <= n")
    params = load_parameters(params)
    chosen, wanted = settings or StudySettings(), tuple(conditions or all_conditions(params))
    finals = finals_of(params, Path(folder), chosen, wanted, tuple(seeds), jobs, progress, part=part)
    done = [bool(finals[name][k]) for k in range(len(tuple(seeds))) for name in finals]
    mine = done[number - 1 :: of]
    return PartDone(sum(done), len(done), sum(mine), len(mine))


def _own_names(own: Mapping[str, Any]) -> dict[str, str]:
    from weakreset.training.own import network_name

    return {name: network_name(value) if name == "network" else _word(value) for name, value in own.items()}


def _word(value: Any) -> str:
    if isinstance(value, str | list | tuple) and all(isinstance(part, str) for part in value):
        return str(value)
    return getattr(value, "name", None) or getattr(value, "__name__", None) or type(value).__name__


def _own_fingerprint(own: Mapping[str, Any], settings: StudySettings) -> dict[str, Any]:
    """What of a study is its user's own: names, and the numbers of network and data."""
    if not own:
        return {}
    from weakreset.training.settings import TrainingSettings
    from weakreset.training.task import OWN, images_of, task_of

    data, test = own.get("data", settings.data), own.get("test")
    images = images_of(data, test, settings.data_dir, False, settings.shrink, settings.holdout)
    network = own.get("network", settings.network)
    run = TrainingSettings.create(
        OWN if images is None else images.name, str(_word(network)), settings.hidden, settings.width, settings.epochs,
        settings.batch_size, 0, settings.recipe, (),
    )
    task = task_of(run, images, network, data=data, test=test, holdout=settings.holdout)
    return {"own": _own_names(own) | dict(task.about)}


def _check_sendable(own: Mapping[str, Any], jobs: int) -> None:
    from multiprocessing.reduction import ForkingPickler

    for name, value in own.items():
        try:
            ForkingPickler.dumps(value)
        except Exception as error:  # whatever a stranger's object raises when it is packed
            raise UsageError(
                f"{name}: cannot be handed to {jobs} processes ({error}): define it at the top of a module, or use "
                "jobs=1"
            ) from None


def finals_of(
    params: ParameterFile, folder: Path, settings: StudySettings, conditions: Sequence[Condition],
    seeds: Sequence[int], jobs: int, progress: Progress | None, own: Mapping[str, Any] | None = None,
    part: tuple[int, int] | None = None, address: str = "",
) -> dict[str, list[dict[str, Any]]]:
    """Last metrics of every run, by condition, in the order of the seeds; empty of runs that another part has to do."""
    own, jobs = own or {}, jobs or os.cpu_count() or 1
    if jobs > 1 or address:
        _check_sendable(own, jobs)
    # parts share the folder: each holds a name of its own in it, and `train` holds the folder of every run
    ours = held(folder=folder) if part is None else held(folder / f"part-{part[0]}-of-{part[1]}")
    with ours:
        claim(folder, params, settings, _own_fingerprint(own, settings))
        return _finals_in(folder, params, settings, conditions, seeds, jobs, progress, own, part or (1, 1), address)


def _finals_in(
    folder: Path, params: ParameterFile, settings: StudySettings, conditions: Sequence[Condition],
    seeds: Sequence[int], jobs: int, progress: Progress | None, own: Mapping[str, Any], part: tuple[int, int],
    address: str,
) -> dict[str, list[dict[str, Any]]]:
    conditions = list({condition.name: condition for condition in conditions}.values())
    runs = [
        StudyRun(condition, seed, folder / condition.name.replace(" ", "-") / f"seed-{seed}")
        for seed in seeds for condition in conditions
    ]
    report = to_no_one if progress is None else progress
    text = {condition.name: dump_parameters(condition.parameters(params, settings.nominal)) for condition in conditions}
    results = {(run.condition.name, run.seed): finished(run, "score" in own) for run in runs}
    mine = runs[part[0] - 1 :: part[1]]
    left = [run for run in mine if results[run.condition.name, run.seed] is None]
    done = len(mine) - len(left)
    report(done, len(mine), "runs")
    if address:
        ended = on_cluster(left, text, settings, address, jobs, own)
    else:
        ended = on_this_machine(left, text, settings, jobs, own)
    for run, final in ended:
        results[run.condition.name, run.seed] = final
        done += 1
        report(done, len(mine), "runs")
    return {c.name: [results[c.name, seed] or {} for seed in seeds] for c in conditions}
