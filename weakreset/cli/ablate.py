"""`weakreset ablate`: which imperfection costs how much accuracy."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from weakreset.cli.common import claim_outputs, console_for, print_json, progress_bar, resumable
from weakreset.cli.imperfections import CONDITIONS
from weakreset.cli.parameters import AssumeOption, parameters_of
from weakreset.errors import UsageError
from weakreset.resources import all_or_none, check_outputs

if TYPE_CHECKING:
    from weakreset.ablation import Ablation, Condition, StudySettings
    from weakreset.parameter_file import ParameterFile

__all__ = ["ablate_command"]

_TABLE, _FIGURES, _PICTURE = "ablation.csv", "ablation.json", "ablation.png"


def ablate_command(
    params: Annotated[str, typer.Argument(metavar="PARAMS", help="Parameter file, or preset name.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder of the study; run again to go on.")],
    data: Annotated[str, typer.Option(help="digits, mnist, fashion-mnist or cifar10.")] = "digits",
    data_dir: Annotated[Path | None, typer.Option(help="Folder with the files of the data set.")] = None,
    download: Annotated[bool, typer.Option("--download", help="Fetch the data set where it is absent.")] = False,
    recipe: Annotated[str, typer.Option(help="latent, latent-byte, device-aware or published.")] = "latent",
    network: Annotated[str, typer.Option(help="mlp or vgg.")] = "mlp",
    hidden: Annotated[int | None, typer.Option(help="Hidden units of the mlp.")] = None,
    width: Annotated[float | None, typer.Option(help="Factor on the channels of the vgg (0.125).")] = None,
    epochs: Annotated[int | None, typer.Option()] = None,
    batch_size: Annotated[int | None, typer.Option()] = None,
    shrink: Annotated[int, typer.Option(help="Average N x N pixels into one: smaller images.")] = 1,
    seeds: Annotated[int, typer.Option(help="Seeds 0, 1, ...: chips, orders of the images.")] = 5,
    nominal: Annotated[str, typer.Option(help='Device that "no D2D" means: median or mean.')] = "median",
    lr: Annotated[float | None, typer.Option(help="In place of that of the recipe.")] = None,
    only: Annotated[str, typer.Option(help=f"Conditions, comma between: {CONDITIONS} and those of the table.")] = "",
    target: Annotated[float | None, typer.Option(help="Wanted accuracy (0.97): how far must spreads shrink?")] = None,
    parameters: Annotated[str, typer.Option(help="With --target: only these, e.g. m1,t_star,all.")] = "",
    jobs: Annotated[int, typer.Option(help="Processes; 0 means one a core.")] = 0,
    part: Annotated[str, typer.Option(help="i/n: only every n-th run from the i-th on, for arrays of jobs.")] = "",
    dask: Annotated[str, typer.Option(metavar="ADDRESS", help="On a Dask cluster (tls://...), or `local`.")] = "",
    trust_network: Annotated[bool, typer.Option(help="Accept tcp:// of other machines: Dask sends pickles.")] = False,
    assume: AssumeOption = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Train the same chips with one imperfection switched off at a time."""
    from weakreset.ablation import StudySettings

    if nominal not in ("median", "mean"):
        raise UsageError(f"--nominal {nominal!r}: choose median or mean")
    if recipe == "ideal":
        raise UsageError("--recipe ideal has no devices to ablate: choose latent, latent-byte, device-aware, published")
    share = _share(part)
    _check_together(target is not None, share is not None, bool(dask), trust_network)
    _claim(output)
    file = parameters_of(params, assume)
    if download:
        from weakreset.training import folder_of

        data_dir = folder_of(data, data_dir)  # once, before processes would each fetch it
    # as from the root: a study goes on from another working folder too
    folder = None if data_dir is None else str(data_dir.resolve())
    settings = StudySettings(data, folder, recipe, network, hidden, width, epochs, batch_size, nominal, shrink, lr)
    with resumable(lambda: _kept(output)):
        if target is not None:
            _target(file, output, settings, target, range(seeds), _words(parameters), jobs, as_json)
        elif share is not None:
            _part(file, output, settings, share, range(seeds), _words(only), jobs, as_json)
        else:
            _study(file, output, settings, range(seeds), _words(only), jobs, as_json, (dask, trust_network))


def _claim(folder: Path) -> None:
    claim_outputs(folder=folder)
    check_outputs(*(folder / name for name in (_TABLE, _FIGURES, _PICTURE)))  # written after all trainings


def _check_together(target: bool, part: bool, dask: bool, trust_network: bool) -> None:
    """Refuse options that exclude each other."""
    if part and target:
        raise UsageError("--part and --target: what a target needs is found step by step, and has no parts")
    if dask and (part or target):
        raise UsageError("--dask runs a whole study: leave out --part and --target")
    if trust_network and not dask:
        raise UsageError("--trust-network goes with --dask")


def _kept(folder: Path) -> str:
    """What is in the folder of an interrupted study."""
    from weakreset.training.run_folder import CHECKPOINT

    finished = sum(1 for _ in folder.glob("*/seed-*/final.json"))
    begun = sum(1 for _ in folder.glob(f"*/seed-*/{CHECKPOINT}"))
    if not finished and not begun:
        return "no epoch was finished, so nothing of the study was kept: run the command again, or another"
    what = f"{finished} finished runs and the finished epochs of {begun} others"
    return f"{what} are kept in {folder}: run the same command again to go on"


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _share(text: str) -> tuple[int, int] | None:
    """(i, n) of i/n."""
    if not text:
        return None
    found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
    if found is None or not 1 <= int(found[1]) <= int(found[2]):
        raise UsageError(f"--part {text!r}: give i/n with 1 <= i <= n, such as 2/8")
    return int(found[1]), int(found[2])


def _chosen(params: ParameterFile, only: list[str]) -> tuple[Condition, ...]:
    """The usual conditions, or those that are named and "all on"."""
    from weakreset.ablation import all_conditions, nominal_conditions

    usual = all_conditions(params)
    conditions = (*usual, *nominal_conditions(params))
    names = [condition.name for condition in conditions]
    if unknown := [name for name in only if name not in names]:
        raise UsageError(f"no condition {', '.join(map(repr, unknown))}: choose from {', '.join(names)}")
    return tuple(c for c in conditions if c.name in (*only, "all on")) if only else usual


def _part(
    params: ParameterFile, output: Path, settings: StudySettings, part: tuple[int, int], seeds: range,
    only: list[str], jobs: int, as_json: bool,
) -> None:
    from weakreset.ablation import ablate_part

    conditions, console = _chosen(params, only), console_for(as_json)
    with progress_bar(console) as progress:
        done = ablate_part(
            params, output, part, settings, seeds=seeds, conditions=conditions, jobs=jobs, progress=progress
        )
    if as_json:
        print_json({"part": list(part), **asdict(done), "output": str(output)})
    then = "the same command without --part does what is left, and writes table and picture"
    runs = f"{done.part_finished} runs; {done.finished} of {done.total} are in {output}"
    console.print(f"part {part[0]} of {part[1]}: {runs}; {then}", markup=False)


def _study(
    params: ParameterFile, output: Path, settings: StudySettings, seeds: range, only: list[str], jobs: int,
    as_json: bool, cluster: tuple[str, bool],
) -> None:
    from weakreset.ablation import ablate
    from weakreset.exports import package_of

    conditions, (address, trusted) = _chosen(params, only), cluster
    console = console_for(as_json)
    with progress_bar(console) as progress:
        study = ablate(
            params, output, settings, seeds=seeds, conditions=conditions, jobs=jobs, progress=progress, address=address,
            trust_network=trusted,
        )
    result = study.to_dict()
    texts = {output / _FIGURES: json.dumps(result, indent=1) + "\n", output / _TABLE: study.to_csv()}
    about, data = f"ablation of {params.name}, simulated devices", texts[output / _TABLE].encode()
    described = package_of(output / _TABLE, data, study.csv_units(), about, True, ("condition",))
    all_or_none(texts | dict([described]) | {output / _PICTURE: _picture(study)})
    if as_json:
        print_json(result)
        return
    console.print(_table(study))
    for line in (*study.verdict(), _about(settings)):
        console.print(line, markup=False)
    places = f"table: {output / _TABLE}, {output / _FIGURES}; picture: {output / _PICTURE}"
    console.print(places, markup=False)


def _about(settings: StudySettings) -> str:
    return f'Simulated devices. "No D2D" puts every device at the {settings.nominal} of each truncated law.'


def _picture(study: Ablation) -> bytes:
    from weakreset.plots import ablation_bars, figure_bytes

    title = f"{study.settings['data']}, recipe {study.settings['recipe']}, {len(study.seeds)} seeds"
    axes: Any = ablation_bars([asdict(effect) for effect in study.effects], title=title)
    return figure_bytes(axes.figure, "png")


def _table(study: Ablation) -> Any:
    from rich.table import Table

    from weakreset.ablation import COLUMNS

    table = Table(title="Test accuracy, last epoch", title_justify="left")
    for column in COLUMNS:
        table.add_column(column, justify="left" if column == COLUMNS[0] else "right")
    for row in study.table():
        table.add_row(*row)
    return table


def _target(
    params: ParameterFile, output: Path, settings: StudySettings, target: float, seeds: range,
    parameters: list[str], jobs: int, as_json: bool,
) -> None:
    from weakreset.ablation import run_target

    console = console_for(as_json)
    with progress_bar(console) as progress:
        answers = run_target(
            params, output, target, settings, seeds=seeds, parameters=parameters or None, jobs=jobs, progress=progress
        )
    result = {"target": target, "simulated": True, "answers": [answer.to_dict() for answer in answers]}
    all_or_none({output / "target.json": json.dumps(result, indent=1) + "\n"})
    if as_json:
        print_json(result)
        return
    for answer in answers:
        console.print(answer.sentence, markup=False)
    console.print(_about(settings), markup=False)
    console.print(f"all figures: {output / 'target.json'}", markup=False)
