"""Everything that decides the outcome of a training run, checked and written to `config.json`."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from weakreset.errors import UsageError
from weakreset.model import D2D, check_without
from weakreset.parameter_file import ParameterFile, dump_parameters
from weakreset.training.recipes import Recipe, recipe_named

__all__ = ["DEFAULTS", "WIDTH", "TrainingSettings", "describe", "differences"]

DEFAULTS: Mapping[str, Mapping[str, int]] = {
    "digits": {"hidden": 256, "epochs": 15, "batch_size": 32},
    "mnist": {"hidden": 3000, "epochs": 20, "batch_size": 1000},
    "fashion-mnist": {"hidden": 3000, "epochs": 20, "batch_size": 1000},
    "cifar10": {"hidden": 3000, "epochs": 100, "batch_size": 500},
    "own": {"hidden": 256, "epochs": 10, "batch_size": 50},
}
"""Hidden units, epochs and batch size of each data set where none are given; MNIST as in the paper."""


WIDTH = 0.125
"""Factor on the channels of the vgg where none is given."""

_FOLLOW = ("image_shape",)  # from what is compared; older runs do not say it


@dataclass(frozen=True)
class TrainingSettings:
    """The numbers of one run.

    Raises
    ------
    UsageError
        For numbers out of range.
    """

    data: str
    network: str
    hidden: int
    width: float
    epochs: int
    batch_size: int
    seed: int
    recipe: Recipe
    without: tuple[str, ...]

    @classmethod
    def create(
        cls, data: str, network: str, hidden: int | None, width: float | None, epochs: int | None,
        batch_size: int | None, seed: int, recipe: str | Recipe, without: tuple[str, ...] | list[str] | str,
    ) -> TrainingSettings:
        """Fill in what was left open from `DEFAULTS`."""
        usual = DEFAULTS.get(data, DEFAULTS["mnist"])
        chosen: dict[str, Any] = {
            "hidden": usual["hidden"] if hidden is None else hidden,
            "width": WIDTH if width is None else width,
            "epochs": usual["epochs"] if epochs is None else epochs,
            "batch_size": usual["batch_size"] if batch_size is None else batch_size,
        }
        named = recipe if isinstance(recipe, Recipe) else recipe_named(recipe)
        off = check_without(without)
        return cls(data=data, network=network, seed=seed, recipe=named, without=off, **chosen)

    def __post_init__(self) -> None:
        problems = []
        if self.epochs < 1:
            problems.append(f"epochs must be >= 1, got {self.epochs}")
        if self.batch_size < 2:
            problems.append(f"batch size must be >= 2 (batch norm), got {self.batch_size}")
        if not 0 <= self.seed < 1 << 63:
            problems.append(f"seed must be in 0 .. 2^63 - 1, got {self.seed}")
        if not 0 <= self.recipe.lr < math.inf:
            problems.append(f"the learning rate (lr) must be >= 0 and finite, got {self.recipe.lr}")
        if problems:
            raise UsageError("; ".join(problems))


def describe(settings: TrainingSettings, params: ParameterFile) -> dict[str, Any]:
    """The effective configuration, ready for JSON: settings, noise in force, versions."""
    import torch

    noise = params.device_noise(settings.without)  # in force, not as in the file: what a reader of config.json asks
    return {
        **asdict(settings),
        "without": list(settings.without),
        "parameter_file": params.name,
        "parameter_file_sha256": hashlib.sha256(dump_parameters(params).encode()).hexdigest(),
        "noise_in_force": noise.to_dict() if settings.recipe.devices else None,
        "nominal_device": "medians of the truncated laws" if D2D in settings.without else None,
        "simulated": True,
        "weakreset_version": _installed_version(),
        "torch_version": torch.__version__,
    }


def _installed_version() -> str | None:
    try:
        return version("weakreset")
    except PackageNotFoundError:  # run from a checkout that was never installed
        return None


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """What keeps a run with configuration `new` from going on where `old` stopped."""
    # other versions may go on with a run: what decides it is compared
    keys = [key for key in new if not key.endswith("_version") and key not in _FOLLOW]
    return [f"{key}: was {old.get(key)!r}, now {new[key]!r}" for key in keys if old.get(key) != new[key]]
