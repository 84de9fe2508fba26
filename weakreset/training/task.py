"""What a run learns: where its batches come from, the network as it was built, the loss and the score."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from weakreset.errors import UsageError
from weakreset.simulation.convert import Layers
from weakreset.training.batches import Batches, InMemory, Loaders
from weakreset.training.datasets import Dataset, load_dataset
from weakreset.training.networks import build_network
from weakreset.training.own import (
    Loss,
    Network,
    Score,
    network_digest,
    network_name,
    own_network,
    right_answers,
    usual_loss,
)
from weakreset.training.settings import TrainingSettings

__all__ = ["OWN", "Task", "images_of", "own_in_words", "task_of"]

OWN = "own"
"""What the data of a run are called that are neither named nor a `Dataset`."""


@dataclass(frozen=True)
class Task:
    """See the module; `about` goes into the configuration."""

    batches: Batches
    stock: nn.Module
    loss: Loss
    score: Score
    layers: Layers | None
    about: Mapping[str, Any]


def images_of(
    data: Any, test: Any, data_dir: str | os.PathLike[str] | None, download: bool, shrink: int, holdout: float
) -> Dataset | None:
    """Images of a named data set or a `Dataset`; None for data of torch."""
    given = {"data_dir": data_dir is not None, "download": download, "shrink": shrink != 1}
    known = [] if isinstance(data, str) else ["data_dir", "download"] if isinstance(data, Dataset) else list(given)
    if unused := [name for name in known if given[name]]:
        raise UsageError(f"{', '.join(unused)}: only for data sets by name; data of your own are taken as they are")
    if not isinstance(data, str | Dataset):
        return None
    if test is not None:
        raise UsageError("test= goes with data of torch: named data and a weakreset Dataset have their own test set")
    images = data if isinstance(data, Dataset) else load_dataset(data, data_dir, download=download)
    images = images.shrunk(shrink)
    return images.held_out(holdout) if holdout else images


def task_of(
    settings: TrainingSettings, images: Dataset | None, network: str | Network, *, data: Any = None, test: Any = None,
    holdout: float = 0.0, loss: Loss | None = None, score: Score | None = None, layers: Layers | None = None,
    device: Any = None,
) -> Task:
    """Put together what a run learns; `data` and `test` where there are no `images`."""
    batches: Batches
    if images is None:
        batches = Loaders(data, test, settings.batch_size, settings.seed, device, holdout)
    else:
        batches = InMemory(images, settings.batch_size, settings.seed, device, settings.network == "vgg")
    stock = _network(settings, network, images)
    about: dict[str, Any] = {**batches.about(), **own_in_words(loss=loss, score=score, layers=layers)}
    about["network_sha256"] = None if isinstance(network, str) else network_digest(stock)
    about["image_shape"] = None if images is None else list(images.image_shape)
    smoothed = usual_loss(settings.recipe.label_smoothing)
    return Task(batches, stock, loss or smoothed, score or right_answers, layers, about)


def own_in_words(**own: Any) -> dict[str, str | None]:
    """Names of what a user gave, None for what he did not; of layers, all that was asked for."""
    named = {key: network_name(value) if callable(value) else str(value) for key, value in own.items()}
    return {key: None if own[key] is None else name for key, name in named.items()}


def _network(settings: TrainingSettings, network: str | Network, images: Dataset | None) -> nn.Module:
    if not isinstance(network, str):
        return own_network(network, settings.seed)
    if images is None:
        raise UsageError(f"network {network!r} is built for images of a weakreset Dataset: give a module or a function")
    stock = build_network(network, images.image_shape, images.n_classes, settings.hidden, settings.width)
    for module in stock.modules():  # built without a seed: what is random in it does not count
        if isinstance(module, nn.Linear | nn.Conv2d) and module.bias is not None:
            # weights are replaced by what the chip, or the latent generator, has; only biases are left at random
            nn.init.zeros_(module.bias)
    return stock
