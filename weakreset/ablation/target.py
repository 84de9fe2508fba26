"""How much must the spread of a parameter shrink to reach a wanted accuracy: the answer a device team can act on."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from weakreset.ablation.conditions import spread_condition
from weakreset.ablation.result import mean_and_half_width
from weakreset.ablation.study import finals_of
from weakreset.ablation.study_settings import StudySettings
from weakreset.display import for_json
from weakreset.errors import UsageError
from weakreset.options import named_options
from weakreset.parameter_file import ParameterFile, load_parameters
from weakreset.progress import Progress

__all__ = ["LADDER", "TargetAnswer", "required_factor", "run_target"]

LADDER = (1.0, 0.7, 0.5, 0.35, 0.25, 0.0)
"""Factors of the spread that are tried."""


@dataclass(frozen=True)
class TargetAnswer:
    """For one parameter: the factor of its spread at which the mean accuracy reaches the target.

    Attributes
    ----------
    parameter : str
        "all" for every parameter together.
    target : float
        Wanted accuracy.
    factor : float or None
        None where no factor that was tried reaches the target; 1 where it is reached as things are.
    low, high : float or None
        Factors at which the lower and the upper end of the 95 % interval of the mean reach it.
    accuracies : tuple of (float, float, float)
        (factor, mean, half width) of every rung.
    """

    parameter: str
    target: float
    factor: float | None
    low: float | None
    high: float | None
    accuracies: tuple[tuple[float, float, float], ...]

    @property
    def sentence(self) -> str:
        """The answer in words."""
        target = self.target
        if self.factor is None:
            best = max(mean for _, mean, _ in self.accuracies)
            return f"{self.parameter}: {target:.2%} is not reached by this alone (at most {best:.2%})"
        if self.factor >= 1.0:
            return f"{self.parameter}: {target:.2%} is reached as things are"
        if not all(math.isfinite(width) for _, _, width in self.accuracies):
            return f"{self.parameter}: spread to {self.factor:.2f} of today's for {target:.2%} (one seed: no interval)"
        low = "not certain to be reached" if self.low is None else f"{self.low:.2f}"
        high = "1" if self.high is None else f"{self.high:.2f}"
        return f"{self.parameter}: spread to {self.factor:.2f} of today's for {target:.2%} (95 %: {low} to {high})"

    def to_dict(self) -> dict[str, Any]:
        """Everything, for JSON."""
        return dict(for_json(asdict(self))) | {"sentence": self.sentence}


@named_options
def run_target(
    params: str | os.PathLike[str] | ParameterFile, folder: str | os.PathLike[str], target: float,
    settings: StudySettings | None = None, *,
    seeds: Sequence[int] = range(5), parameters: Sequence[str] | None = None, jobs: int = 1,
    progress: Progress | None = None,
) -> tuple[TargetAnswer, ...]:
    """Train with the spread of each parameter shrunk in steps, and interpolate.

    Parameters
    ----------
    target : float
        Wanted test accuracy, a fraction.
    parameters : sequence of str, optional
        Those to shrink one at a time; all of the model's, and "all" together, unless given.
    params, folder, settings, seeds, jobs, progress
        As in `ablate`; the folder may be that of a study with the same settings.

    Raises
    ------
    UsageError
        For a target outside (0, 1), or an unknown parameter.
    """
    if not 0.0 < target < 1.0:
        raise UsageError(f"the target must be an accuracy between 0 and 1 (0.97 for 97 %), got {target}")
    params = load_parameters(params)
    names = tuple(parameters or (*(name for name in params.parameters if name != "r0_ohm"), "r0_ohm", "all"))
    unknown = [name for name in names if name not in (*params.spread_names, "all")]
    if unknown:
        raise UsageError(f"no such parameter: {', '.join(unknown)}")
    table = {name: [spread_condition(params, name, factor) for factor in LADDER] for name in names}
    conditions = [condition for column in table.values() for condition in column]
    finals = finals_of(params, Path(folder), settings or StudySettings(), conditions, tuple(seeds), jobs, progress)
    answers = []
    for name, column in table.items():
        accuracies = tuple(
            (factor, *mean_and_half_width(np.array([float(run["test_accuracy"]) for run in finals[condition.name]])))
            for factor, condition in zip(LADDER, column, strict=True)
        )
        means = [mean for _, mean, _ in accuracies]
        ends: list[float | None] = [None, None]  # of one seed no interval is known
        if all(math.isfinite(width) for _, _, width in accuracies):
            ends = [required_factor([m + sign * h for _, m, h in accuracies], target) for sign in (-1, 1)]
        answers.append(TargetAnswer(name, target, required_factor(means, target), ends[0], ends[1], accuracies))
    return tuple(answers)


def required_factor(means: Sequence[float], target: float) -> float | None:
    """Largest factor of `LADDER` (interpolated) from which on down the mean stays at or above the target."""
    if means[-1] < target:
        return None
    # from no spread upwards: by chance a rung far up may reach the target while one below does not
    for i in range(len(means) - 1, 0, -1):
        if means[i - 1] < target:
            share = (means[i] - target) / (means[i] - means[i - 1])
            return LADDER[i] + share * (LADDER[i - 1] - LADDER[i])
    return 1.0
