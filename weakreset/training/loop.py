"""Train a binarized network on simulated devices, or on none."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from weakreset.display import ROWS_SHOWN, Shown, Summary, number, percent
from weakreset.errors import UsageError
from weakreset.options import named_options
from weakreset.parameter_file import load_parameters
from weakreset.simulation import LatentOptimizer, PulseOptimizer, convert, derive_seed, imperfection_activity
from weakreset.simulation.device_array import DeviceArray, ParameterSource
from weakreset.simulation.device_optimizer import DeviceOptimizer
from weakreset.simulation.differential_pair import PulseReport
from weakreset.training.augment import random_crop_and_flip
from weakreset.training.costs import costs
from weakreset.training.datasets import Dataset, load_dataset
from weakreset.training.ideal import binarize, clip_latent_weights, latent_weights
from weakreset.training.networks import build_network
from weakreset.training.recipes import DEFAULT_RECIPE, Recipe
from weakreset.training.run_folder import RunFolder
from weakreset.training.settings import TrainingSettings, describe

__all__ = ["Progress", "TrainingRun", "train"]

_TEST_BATCH = 1000  # images: activations of a whole test set at once would take gigabytes


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
    params: ParameterSource, data: str | Dataset = "digits", *,
    data_dir: str | os.PathLike[str] | None = None, download: bool = False,
    network: str = "mlp", hidden: int | None = None, width: float = 0.125, epochs: int | None = None,
    batch_size: int | None = None, shrink: int = 1, holdout: float = 0.0, seed: int = 0,
    recipe: str | Recipe = DEFAULT_RECIPE, without: Sequence[str] | str = (),
    run_dir: str | os.PathLike[str] | None = None, resume: bool = False,
    progress: Callable[[Progress], None] | None = None, device: torch.device | str | None = None,
) -> TrainingRun:
    """Train a network whose weights are pairs of simulated devices.

    Parameters
    ----------
    params : ParameterFile, path or preset name
        The devices. The recipe `ideal` does not use them.
    data : str or Dataset
        digits, mnist, fashion-mnist, cifar10, or images of your own.
    data_dir : path, optional
        Where the files of the data set are.
    download : bool
        Fetch the files of the data set where they are absent; see `load_dataset`.
    network, hidden, width
        See `build_network`.
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
    """
    file = load_parameters(params)
    images = data if isinstance(data, Dataset) else load_dataset(data, data_dir, download=download)
    images = images.shrunk(shrink)
    images = images.held_out(holdout) if holdout else images
    off = without if isinstance(without, str) else list(without)
    settings = TrainingSettings.create(
        images.name, network, hidden, width, epochs, batch_size, seed, recipe, off
    )
    config = describe(settings, file) | {"data_source": images.source, "data_sha256": images.fingerprint()}
    folder = None if run_dir is None else RunFolder(run_dir, config, resume)
    trainer = _Trainer(settings, file, images, device)
    metrics = [] if folder is None else folder.load(trainer.model, trainer.optimizer)
    for epoch in range(len(metrics) + 1, settings.epochs + 1):
        metrics.append(trainer.run_epoch(epoch, progress))
        if folder is not None:
            folder.save(trainer.model, trainer.optimizer, metrics)
        if progress is not None:
            progress(Progress(epoch, settings.epochs, trainer.steps, trainer.steps, metrics[-1]))
    return TrainingRun(metrics, config, trainer.model, None if folder is None else folder.path)


class _Trainer:
    """Model, optimizer and data of one run. Everything random follows from the seed and the epoch."""

    def __init__(
        self, settings: TrainingSettings, params: ParameterSource, data: Dataset, device: Any
    ) -> None:
        self.settings, self.data = settings, data if device is None else data.to(device)
        self.steps = len(data.train_labels) // settings.batch_size
        if not self.steps:
            found = len(data.train_labels)
            raise UsageError(f"batch size {settings.batch_size} exceeds the {found} training images")
        stock = build_network(
            settings.network, data.image_shape, data.n_classes, settings.hidden, settings.width
        )
        if settings.recipe.devices:
            for module in stock.modules():
                if isinstance(module, nn.Linear | nn.Conv2d) and module.bias is not None:
                    nn.init.zeros_(module.bias)
            chip = derive_seed(settings.seed, "chip")
            self.model = convert(stock, params, chip, without=settings.without)
        else:
            generator = torch.Generator().manual_seed(derive_seed(settings.seed, "latent weights"))
            self.model = binarize(stock, generator)
        self.model.to(device)
        self.latent = latent_weights(self.model)
        self.optimizer = _optimizer(self.model, settings.recipe)
        self.arrays = [module for module in self.model.modules() if isinstance(module, DeviceArray)]

    def run_epoch(self, epoch: int, progress: Callable[[Progress], None] | None) -> dict[str, Any]:
        start = time.perf_counter()
        generator = torch.Generator().manual_seed(derive_seed(self.settings.seed, f"epoch {epoch}"))
        order = torch.randperm(len(self.data.train_labels), generator=generator)
        loss, correct, done = 0.0, 0, PulseReport()
        self.model.train()
        for step in range(self.steps):
            batch = order[step * self.settings.batch_size : (step + 1) * self.settings.batch_size]
            self._set_rate((epoch - 1) * self.steps + step)
            step_loss, hits, report = self._step(batch.to(self.data.train_labels.device), generator)
            loss, correct, done = loss + step_loss, correct + hits, done + report
            if progress is not None and step + 1 < self.steps:
                progress(Progress(epoch, self.settings.epochs, step + 1, self.steps))
        return {
            "epoch": epoch, "train_loss": loss / self.steps,
            "train_accuracy": correct / (self.steps * self.settings.batch_size),
            "test_accuracy": self.accuracy(self.data.test_images, self.data.test_labels),
            "seconds": time.perf_counter() - start,
            **costs(self.arrays, done, self.optimizer), "flips": done.flips, "lr": self._rate, **self._activity(),
        }

    def _activity(self) -> dict[str, float]:
        """What each imperfection does to the devices now: exactly 0 where it is switched off."""
        found = imperfection_activity(self.model) if self.arrays else {}
        return {f"activity_{name}": value for name, value in found.items()}

    def _step(self, batch: Tensor, generator: torch.Generator) -> tuple[float, int, PulseReport]:
        """One update; the loss, the number of right answers, and what it did to the weights."""
        images, labels = self.data.train_images[batch], self.data.train_labels[batch]
        if self.data.name == "cifar10":
            images = random_crop_and_flip(images, generator)
        if self.settings.network == "vgg":  # a third faster on a processor
            images = images.contiguous(memory_format=torch.channels_last)
        scores = self.model(images)
        loss = functional.cross_entropy(scores, labels, label_smoothing=self.settings.recipe.label_smoothing)
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        correct = int((scores.argmax(1) == labels).sum())
        if isinstance(self.optimizer, DeviceOptimizer):
            self.optimizer.step()
            return float(loss.detach()), correct, self.optimizer.last_step
        before = [latent >= 0 for latent in self.latent]
        self.optimizer.step()
        clip_latent_weights(self.latent)
        flips = sum(int((old != (new >= 0)).sum()) for old, new in zip(before, self.latent, strict=True))
        return float(loss.detach()), correct, PulseReport(flips=flips)

    def _set_rate(self, step: int) -> None:
        recipe = self.settings.recipe
        factor = recipe.factor(step, self.steps, self.settings.epochs)
        self._rate = recipe.lr * factor
        for group in self.optimizer.param_groups:
            if group["role"] == "device":
                group["lr"] = self._rate
            elif recipe.digital_schedule == "same":
                group["lr"] = recipe.digital_lr * factor

    @torch.no_grad()
    def accuracy(self, images: Tensor, labels: Tensor) -> float:
        self.model.eval()
        batches = zip(torch.split(images, _TEST_BATCH), torch.split(labels, _TEST_BATCH), strict=True)
        correct = sum(int((self.model(x).argmax(1) == y).sum()) for x, y in batches)
        return correct / len(labels)


def _optimizer(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    if recipe.latent_bits:
        return LatentOptimizer(
            model.parameters(), lr=recipe.lr, pulses_per_burst=recipe.max_pulses, digital_lr=recipe.digital_lr,
            bursts_per_step=recipe.bursts_per_step, give_back=recipe.give_back, betas=recipe.betas,
            latent_bits=recipe.latent_bits,
        )
    if recipe.devices:
        return PulseOptimizer(
            model.parameters(), lr=recipe.lr, max_pulses=recipe.max_pulses, digital_lr=recipe.digital_lr,
            only_disagreeing=recipe.only_disagreeing, betas=recipe.betas,
        )
    latent = latent_weights(model)
    known = {id(p) for p in latent}
    rest = [p for p in model.parameters() if id(p) not in known]
    groups = [
        {"params": latent, "lr": recipe.lr, "role": "device"},
        {"params": rest, "lr": recipe.digital_lr, "role": "digital"},
    ]
    return torch.optim.Adam(groups, betas=recipe.betas)
