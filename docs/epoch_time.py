"""Time of a training epoch with all device physics beside that of the ideal network, side by side in one process.

    python docs/epoch_time.py RUNS/epoch_time.json

784-3000-10, batch 1000, an epoch of 6,000 synthetic images, one thread. The recipes take turns, and the least processor
time of each counts: other work on the machine can only add to it.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import torch

from weakreset.parameter_file import load_parameters
from weakreset.resources import write_atomically
from weakreset.training import Dataset
from weakreset.training.loop import Trainer
from weakreset.training.settings import TrainingSettings
from weakreset.training.task import task_of

RECIPES = ("ideal", "latent", "latent-byte", "device-aware", "published")
PARAMETERS = "majumdar2021"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("--rounds", type=int, default=6)
    options = parser.parse_args()
    torch.set_num_threads(1)
    data, file = _images(), load_parameters(PARAMETERS)
    trainers = {recipe: _trainer(recipe, file, data) for recipe in RECIPES}
    seconds: dict[str, list[float]] = {recipe: [] for recipe in RECIPES}
    for epoch in range(1, options.rounds + 2):
        for recipe, trainer in trainers.items():
            start = time.process_time()
            trainer.run_epoch(epoch, None)
            seconds[recipe].append(time.process_time() - start)
    least = {recipe: min(times[1:]) for recipe, times in seconds.items()}  # the first compiles
    ratio = {recipe: least[recipe] / least["ideal"] for recipe in RECIPES}
    found = {"rounds": options.rounds, "images": len(data.train_labels), "least_processor_seconds": least,
             "ratio_to_ideal": ratio}
    write_atomically(options.output, json.dumps(found, indent=1) + "\n")


def _images() -> Dataset:
    generator = torch.Generator().manual_seed(0)
    images = torch.rand((6000, 1, 28, 28), generator=generator)
    labels = torch.randint(0, 10, (6000,), generator=generator)
    return Dataset("mnist", images, labels, images[:1000], labels[:1000], source="synthetic")


def _trainer(recipe: str, file: Any, data: Dataset) -> Trainer:
    settings = TrainingSettings.create("mnist", "mlp", 3000, 0.125, 20, 1000, 0, recipe, [])
    return Trainer(settings, file, task_of(settings, data, "mlp"))


if __name__ == "__main__":
    main()
