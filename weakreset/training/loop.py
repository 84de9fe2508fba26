"""Train a binarized network on simulated devices, or on none."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from weakreset.display import ROWS_SHOWN, Shown, Summary, number, percent
from weakreset.errors import UsageError
from weakreset.locks import held
from weakreset.options import named_options
from weakreset.parameter_file import load_parameters
from weakreset.simulation import convert, derive_seed, imperfection_activity
from weakreset.simulation.convert import Layers
from weakreset.simulation.device_array import DeviceArray, ParameterSource
from weakreset.simulation.pulse_report import PulseReport
from weakreset.training.batches import seeded
from weakreset.training.costs import costs
from weakreset.training.ideal import binarize
from weakreset.training.networks import check_sizes
from weakreset.training.optimizers import optimizer_of
from weakreset.training.own import Loss, Network, Score, network_name
from weakreset.training.recipes import DEFAULT_RECIPE, Recipe
from weakreset.training.run_folder import RunFolder
from weakreset.training.settings import TrainingSettings, describe
from weakreset.training.task import OWN, Task, images_of, task_of

__all__ = ["Progress", "Trainer", "TrainingRun", "train"]

_USED_UP = "data that can be gone through only once (a generator) is used up: let __iter__ begin anew"


@dataclass(frozen=True)
class Progress:
    """Handed to the callback after every step; `metrics` is filled after the last one of an epoch."""

    epoch: int
    epochs: int
    step: int
    steps_per_epoch: int
    metrics: dict[str, Any] | None = None


@dataclass(frozen=True, repr=False)
class TrainingRun(Shown):
    """A finished run.

    Attributes
    ----------
    metrics : list of dict
        One per epoch: epoch, train_loss, train_accuracy (while training), test_accuracy, seconds, flips (sign
        changes of weights in the epoch), lr (of the last step), the costs of `weakreset.training.costs`, and
        activity_d2d, activity_pink, ...: `weakreset.simulation.imperfection_activity` after the epoch.
    config : dict
        The effective configuration.
    model : nn.Module
    run_dir : Path or None
    """

    metrics: list[dict[str, Any]]
    config: dict[str, Any]
    model: nn.Module
    run_dir: Path | None

    @property
    def test_accuracy(self) -> float:
        """Test accuracy of the last epoch; never the best one, which would be chosen on the test set."""
        return float(self.metrics[-1]["test_accuracy"])

    def _shown(self) -> Summary:
        config, devices = self.config, f"simulated devices of {self.config['parameter_file']}"
        on = devices if config["recipe"]["devices"] else "latent weights, no devices"
        off = f", without {', '.join(config['without'])}" if config["without"] else ""
        last = f"test accuracy {percent(self.test_accuracy, 2)} after the last of {len(self.metrics)} epochs"
        return Summary(
            f"TrainingRun: {config['data']}, recipe {config['recipe']['name']}, {on}{off}",
            (last, *([] if self.run_dir is None else [f"written to {self.run_dir}"])),
            ("epoch", "train loss", "train accuracy", "test accuracy", "pulses a device", "flips", "seconds"),
            [_row(line) for line in self.metrics[::-1][:ROWS_SHOWN]],  # the latest first: it is the one that counts
            len(self.metrics),
        )


def _row(line: dict[str, Any]) -> tuple[str, ...]:
    return (
        str(line["epoch"]), number(line["train_loss"], 3), percent(line["train_accuracy"], 2),
        percent(line["test_accuracy"], 2), f"mean {line['pulses_mean']:.0f}, max {line['pulses_max']:.0f}",
        str(line["flips"]), number(line["seconds"], 3),
    )


@named_options
def train(
    params: ParameterSource, data: Any = "digits", *, test: Any = None,
    data_dir: str | os.PathLike[str] | None = None, download: bool = False,
    network: str | Network = "mlp", hidden: int | None = None, width: float | None = None, epochs: int | None = None,
    batch_size: int | None = None, shrink: int = 1, holdout: float = 0.0, seed: int = 0,
    recipe: str | Recipe = DEFAULT_RECIPE, without: Sequence[str] | str = (),
    loss: Loss | None = None, score: Score | None = None, layers: Layers | None = None,
    run_dir: str | os.PathLike[str] | None = None, resume: bool = False,
    progress: Callable[[Progress], None] | None = None, device: torch.device | str | None = None,
) -> TrainingRun:
    """Train a network whose weights are pairs of simulated devices.

    Parameters
    ----------
    params : ParameterFile, path or preset name
        The devices. The recipe `ideal` does not use them.
    data : str, Dataset, torch Dataset or DataLoader, or pair of tensors
        digits, mnist, fashion-mnist, cifar10, or data of your own: items are (input, target).
    test : torch Dataset or DataLoader, or pair of tensors, optional
        What to test on, where `data` is of torch; or give `holdout`.
    data_dir : path, optional
        Where the files of the data set are.
    download : bool
        Fetch the files of the data set where they are absent; see `load_dataset`.
    network : str, module, or function without arguments that builds one
        mlp or vgg, or a network of your own, of ordinary layers: `convert` puts them on devices. A function may use
        torch's global generator, which is set by `seed`; a module is copied, its weights start at what the chip has.
    hidden, width : int, float, optional
        Hidden units of the mlp, channels of the vgg, see `build_network`; other networks have no such size.
    epochs, batch_size : int, optional
        Usual values per data set: `weakreset.training.settings.DEFAULTS`. The last, smaller batch of an epoch
        is left out; the order is new in every epoch.
    shrink : int
        Average so many pixels by so many into one, for quick studies: 2 makes 16 x 16 of 32 x 32.
    holdout : float
        Share of the training images to test on instead of the test set, to choose between recipes.
    seed : int
        Chip, order of the images and latent weights. Runs that differ in recipe or `without` alone have the
        same chip and the same order.
    recipe : str or Recipe
    without : sequence of str
        Imperfections to switch off.
    loss : callable, optional
        Of outputs and targets; cross entropy unless given.
    score : callable, optional
        Of outputs and targets, a number in 0 .. 1 an item, whose mean is called accuracy; whether the largest output is
        the target's unless given.
    layers : optional
        Which layers are put on devices, see `convert`.
    run_dir : path, optional
        Folder for config.json, metrics.jsonl and checkpoint.safetensors.
    resume : bool
        Go on where the run in `run_dir` stopped; the result equals that of an uninterrupted run, bit for bit.
    progress : callable, optional
        Called with a `Progress` after every step.
    device : torch.device, optional

    Raises
    ------
    UsageError, DatasetError, ParameterFileError, SimulationError
        For input that makes no run.
    OutputError
        Where `run_dir` cannot be written, or another run is writing there.
    """
    check_sizes(network, hidden=hidden, width=width)
    file, off = load_parameters(params), without if isinstance(without, str) else list(without)
    _check_device(device)
    images = images_of(data, test, data_dir, download, shrink, holdout)
    name = OWN if images is None else images.name
    settings = TrainingSettings.create(
        name, network_name(network), hidden, width, epochs, batch_size, seed, recipe, off
    )
    task = task_of(
        settings, images, network, data=data, test=test, holdout=holdout, loss=loss, score=score, layers=layers,
        device=device,
    )
    config = describe(settings, file) | dict(task.about)
    with nullcontext() if run_dir is None else held(folder=run_dir):
        folder = None if run_dir is None else RunFolder(run_dir, config, resume)
        trainer = Trainer(settings, file, task, device)
        metrics = _run(trainer, folder, progress)
    return TrainingRun(metrics, config, trainer.model, None if folder is None else folder.path)


def _check_device(device: torch.device | str | None) -> None:
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:  # no such name; no such processor here, or torch not built for it
        reason = str(error).partition("\n")[0]
        raise UsageError(f"device {str(device)!r} cannot be used: {reason}") from None


def _run(
    trainer: Trainer, folder: RunFolder | None, progress: Callable[[Progress], None] | None
) -> list[dict[str, Any]]:
    """All epochs that are not in the folder; the metrics of all."""
    settings, steps = trainer.settings, trainer.batches.steps
    metrics = [] if folder is None else folder.load(trainer.model, trainer.optimizer)
    for epoch in range(len(metrics) + 1, settings.epochs + 1):
        # dropout and loaders draw from torch's global generator: set anew in every epoch, so that a run can go on
        with seeded(settings.seed, f"epoch {epoch} of torch"):
            metrics.append(trainer.run_epoch(epoch, progress))
        if folder is not None:
            folder.save(trainer.model, trainer.optimizer, metrics)
        if progress is not None:
            progress(Progress(epoch, settings.epochs, steps, steps, metrics[-1]))
    return metrics


class Trainer:
    """Model, optimizer and data of one run. Everything random follows from the seed and the epoch."""

    def __init__(
        self, settings: TrainingSettings, params: ParameterSource, task: Task, device: Any = None
    ) -> None:
        self.settings, self.task, self.batches = settings, task, task.batches
        if settings.recipe.devices:
            # one chip for all conditions of a seed: what is switched off is not drawn differently, so runs are pairs
            chip = derive_seed(settings.seed, "chip")
            self.model = convert(task.stock, params, chip, without=settings.without, layers=task.layers)
        else:
            generator = torch.Generator().manual_seed(derive_seed(settings.seed, "latent weights"))
            self.model = binarize(task.stock, generator, task.layers)
        self.model.to(device)
        self.optimizer = optimizer_of(self.model, settings.recipe)
        self.arrays = [module for module in self.model.modules() if isinstance(module, DeviceArray)]

    def run_epoch(self, epoch: int, progress: Callable[[Progress], None] | None) -> dict[str, Any]:
        start, steps = time.perf_counter(), self.batches.steps
        loss, hits, items, done, taken = 0.0, 0.0, 0, PulseReport(), 0
        self.model.train()
        for step, (inputs, targets) in enumerate(self.batches.train(epoch)):
            # by hand, not by a scheduler of torch, whose state would have to be saved too
            self._set_rate((epoch - 1) * steps + min(step, steps - 1))
            step_loss, scores = self._step(inputs, targets)
            loss, done = loss + step_loss, done + self.optimizer.last_step
            hits, items, taken = hits + float(scores.sum()), items + scores.numel(), step + 1
            if progress is not None and step + 1 < steps:
                progress(Progress(epoch, self.settings.epochs, step + 1, steps))
        if not taken:
            raise UsageError(f"{self.batches.name} gave no batch to train on in epoch {epoch}; {_USED_UP}")
        return {
            "epoch": epoch, "train_loss": loss / taken, "train_accuracy": hits / max(items, 1),
            "test_accuracy": self.accuracy(), "seconds": time.perf_counter() - start,
            **costs(self.arrays, done, self.optimizer), "flips": done.flips, "lr": self._rate, **self._activity(),
        }

    def _activity(self) -> dict[str, float]:
        """What each imperfection does to the devices now: exactly 0 where it is switched off."""
        found = imperfection_activity(self.model) if self.arrays else {}
        return {f"activity_{name}": value for name, value in found.items()}

    def _step(self, inputs: Any, targets: Any) -> tuple[float, Tensor]:
        """One update; the loss and the scores."""
        outputs = self.model(inputs)
        loss = self.task.loss(outputs, targets)
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        return float(loss.detach()), self._scores(outputs, targets)

    def _scores(self, outputs: Any, targets: Any) -> Tensor:
        found = self.task.score(outputs, targets)
        return found.detach() if isinstance(found, Tensor) else torch.as_tensor(found)

    def _set_rate(self, step: int) -> None:
        recipe = self.settings.recipe
        factor = recipe.factor(step, self.batches.steps, self.settings.epochs)
        self._rate = recipe.lr * factor
        for group in self.optimizer.param_groups:
            if group["role"] == "device":
                group["lr"] = self._rate
            elif recipe.digital_schedule == "same":
                group["lr"] = recipe.digital_lr * factor

    @torch.no_grad()
    def accuracy(self) -> float:
        self.model.eval()  # running statistics of batch norm; devices with read noise are read anew
        scores = [self._scores(self.model(inputs), targets) for inputs, targets in self.batches.test()]
        items = sum(part.numel() for part in scores)
        if not items:
            raise UsageError(f"{self.batches.name}: there was nothing to test on; {_USED_UP}")
        return float(sum(float(part.sum()) for part in scores)) / items
