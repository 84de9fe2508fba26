"""`weakreset train`: a binarized network on simulated devices."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from weakreset.cli.imperfections import SWITCHES
from weakreset.cli.parameters import AssumeOption, parameters_of
from weakreset.errors import UsageError

if TYPE_CHECKING:
    from weakreset.parameter_file import ParameterFile
    from weakreset.plots import LayerWear
    from weakreset.training import Progress, TrainingRun

__all__ = ["train_command"]

_PAGE = "report.html"


def train_command(
    params: Annotated[str, typer.Argument(metavar="PARAMS", help="Parameter file, or preset name.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Run folder to write.")],
    data: Annotated[str, typer.Option(help="digits, mnist, fashion-mnist or cifar10.")] = "digits",
    data_dir: Annotated[Path | None, typer.Option(help="Folder with the files of the data set.")] = None,
    download: Annotated[bool, typer.Option("--download", help="Fetch the data set where it is absent.")] = False,
    network: Annotated[str, typer.Option(help="mlp or vgg.")] = "mlp",
    hidden: Annotated[int | None, typer.Option(help="Hidden units of the mlp.")] = None,
    width: Annotated[float | None, typer.Option(help="Factor on the channels of the vgg (0.125).")] = None,
    epochs: Annotated[int | None, typer.Option()] = None,
    batch_size: Annotated[int | None, typer.Option()] = None,
    shrink: Annotated[int, typer.Option(help="Average N x N pixels into one: smaller images.")] = 1,
    holdout: Annotated[float, typer.Option(help="Test on this share of the training images instead.")] = 0.0,
    seed: Annotated[int, typer.Option(help="Chip, order of the images, latent weights.")] = 0,
    recipe: Annotated[str, typer.Option(help="latent, latent-byte, device-aware, published or ideal.")] = "latent",
    lr: Annotated[float | None, typer.Option(help="Learning rate in place of that of the recipe.")] = None,
    without: Annotated[str, typer.Option(help=f"Imperfections to switch off, comma between: {SWITCHES}.")] = "",
    device: Annotated[str | None, typer.Option(help="torch device, e.g. cuda.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in the folder.")] = False,
    assume: AssumeOption = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Train a binarized network whose weights are pairs of simulated devices."""
    from weakreset.cli.common import claim_outputs, resumable
    from weakreset.training import train
    from weakreset.training.recipes import recipe_named

    claim_outputs(folder=output)
    _check_page(output)
    chosen = recipe_named(recipe)
    chosen = chosen if lr is None else replace(chosen, lr=lr)  # in config.json it is part of the recipe
    file = parameters_of(params, assume)
    with resumable(lambda: _kept(output)), _progress_bar() as progress:
        run = train(
            file, data, data_dir=data_dir, download=download, network=network, hidden=hidden, width=width,
            epochs=epochs, batch_size=batch_size, shrink=shrink, holdout=holdout, seed=seed, recipe=chosen,
            without=without, run_dir=output, resume=resume, progress=progress, device=device,
        )
    _write_page(run, file, output)
    _report(run, output, as_json)


def _check_page(folder: Path) -> None:
    """The report is written at the very end, and takes the place of none but an earlier one of such a run."""
    from weakreset.resources import check_outputs

    check_outputs(folder / _PAGE)
    if (folder / _PAGE).exists() and not (folder / "config.json").exists():
        raise UsageError(f"{folder / _PAGE}: is not of a run, and is not written over; name another folder")


def _kept(folder: Path) -> str:
    """What is in the folder of an interrupted run."""
    from weakreset.training.run_folder import finished_epochs

    epochs = finished_epochs(folder)
    if not epochs:
        return "no epoch was finished, so nothing of the run was kept: run the same command again"
    return f"the {epochs} epochs that were finished are in {folder}: go on with --resume"


def _write_page(run: TrainingRun, params: ParameterFile, folder: Path) -> None:
    """RUN/report.html: the training curves and what they were made with."""
    from weakreset.cli.common import command_line
    from weakreset.report import ReportInput, build_report
    from weakreset.report import TrainingRun as Curve
    from weakreset.resources import write_atomically

    name = f"{run.config['data']}, recipe {run.config['recipe']['name']}"
    curve = Curve(name, tuple(run.metrics))
    page = ReportInput(
        title=f"Training: {name}", params=params, runs=(curve,), wear=_wear(run),
        summary=_costs(run), commands=(command_line(),),
    )
    write_atomically(folder / _PAGE, build_report(page))


def _wear(run: TrainingRun) -> tuple[LayerWear, ...]:
    from weakreset.plots import LayerWear
    from weakreset.simulation import DeviceArray
    from weakreset.training import pulses_by_device

    arrays = ((name, part) for name, part in run.model.named_modules() if isinstance(part, DeviceArray))
    return tuple(LayerWear(name.split(".")[0], pulses_by_device(array)) for name, array in arrays)


def _costs(run: TrainingRun) -> tuple[str, ...]:
    """What the run asked of the devices, in a sentence."""
    last = run.metrics[-1]
    if not last["pulses_max"]:
        return ()
    reads = sum(line["reads"] for line in run.metrics)
    return (
        f"Costs: pulses a device {last['pulses_mean']:.0f} on average, 99th percentile {last['pulses_p99']:.0f}, most "
        f"{last['pulses_max']}; {reads:,} comparisons of a pair after a burst; {last['sets']} SETs.",
    )


@contextmanager
def _progress_bar() -> Iterator[Callable[[Progress], None]]:
    """A bar on stderr with accuracy, pulses and time left."""
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    console = Console(file=sys.stderr)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Bar(*columns, console=console) as bar:
        task = bar.add_task("training", total=None)

        def show(progress: Progress) -> None:
            done = (progress.epoch - 1) * progress.steps_per_epoch + progress.step
            total = progress.epochs * progress.steps_per_epoch
            bar.update(task, completed=done, total=total)
            if progress.metrics is not None:
                bar.update(task, description=_line(progress.metrics, progress.epochs))

        yield show


def _line(metrics: dict[str, Any], epochs: int) -> str:
    return (
        f"epoch {metrics['epoch']}/{epochs}  test {metrics['test_accuracy']:.2%}  "
        f"pulses a device: mean {metrics['pulses_mean']:.0f}, max {metrics['pulses_max']:.0f}"
    )


def _report(run: TrainingRun, folder: Path, as_json: bool) -> None:
    from weakreset.cli.common import console_for

    last = run.metrics[-1]
    if as_json:
        sys.stdout.write(json.dumps({"run": str(folder), "config": run.config, "final": last}) + "\n")
        return
    console = console_for(False)
    switched = f", without {', '.join(run.config['without'])}" if run.config["without"] else ""
    config = run.config
    recipe = config["recipe"]["name"]
    console.print(f"{config['parameter_file']}, {config['data']}, recipe {recipe}{switched}", markup=False)
    console.print(_line(last, len(run.metrics)) + " (final epoch; simulated devices)")
    for line in _costs(run):
        console.print(line, highlight=False)
    console.print(f"metrics, configuration, checkpoint and report.html are in {folder}", soft_wrap=True, markup=False)
