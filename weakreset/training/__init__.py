"""Training of binarized networks on simulated devices."""

from weakreset.training.costs import pulses_by_device
from weakreset.training.datasets import DATASETS, Dataset, folder_of, load_dataset
from weakreset.training.loop import Progress, TrainingRun, train
from weakreset.training.networks import NETWORKS, build_network
from weakreset.training.optimizers import optimizer_of, schedule_of
from weakreset.training.recipes import DEFAULT_RECIPE, RECIPES, Recipe

__all__ = [
    "DATASETS",
    "DEFAULT_RECIPE",
    "NETWORKS",
    "RECIPES",
    "Dataset",
    "Progress",
    "Recipe",
    "TrainingRun",
    "build_network",
    "folder_of",
    "load_dataset",
    "optimizer_of",
    "pulses_by_device",
    "schedule_of",
    "train",
]
