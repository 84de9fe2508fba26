"""From accuracies of paired runs to means, intervals, tests and a sentence.

Runs of one seed share the chip, the order of the images and all random numbers that no switch concerns, so
conditions are compared in pairs: the differences scatter less than the accuracies. Tests are paired t-tests
against "all on", corrected for their number (Holm).
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy import special

from weakreset.ablation.conditions import ALL_ON, WITHOUT
from weakreset.display import Shown, Summary, for_json, shown_cell
from weakreset.multiple_testing import holm
from weakreset.parameter_file import imperfections

__all__ = ["COLUMNS", "Ablation", "Effect", "Row", "mean_and_half_width"]

COLUMNS = ("condition", "accuracy %", "less all on (points)", "adjusted p", "pulses a device: mean, p99")
_CSV_COLUMNS = (
    "condition", "accuracy", "half_width_95", "difference_to_all_on", "half_width_95_of_difference", "p", "adjusted_p",
    "pulses_mean", "pulses_p99", "pulses_max",
)
LEVEL = 0.05
_ONE_SEED = "one seed: no interval and no test"
_IN_WORDS = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six"}


@dataclass(frozen=True)
class Row:
    """Test accuracy (a fraction) of one condition in the last epoch: mean, half of its 95 % interval, each seed.

    `past_knee` is the share of the devices past their knee at the end.
    """

    condition: str
    mean: float
    half_width: float
    accuracies: tuple[float, ...]
    pulses_mean: float
    pulses_p99: float
    pulses_max: float
    past_knee: float | None = None


@dataclass(frozen=True)
class Effect:
    """Accuracy of a condition less that of "all on": what the change brings, in fractions."""

    condition: str
    mean: float
    half_width: float
    p_value: float
    adjusted_p_value: float

    @property
    def certain(self) -> bool:
        return self.adjusted_p_value < LEVEL


@dataclass(frozen=True, repr=False)
class Ablation(Shown):
    """A finished study.

    Attributes
    ----------
    rows : tuple of Row
    effects : tuple of Effect
        Of every condition but "all on", largest gain first.
    seeds : tuple of int
    settings : mapping
        What was run, for the record.
    """

    rows: tuple[Row, ...]
    effects: tuple[Effect, ...]
    seeds: tuple[int, ...]
    settings: Mapping[str, Any]

    @classmethod
    def of(
        cls, finals: Mapping[str, Sequence[Mapping[str, Any]]], seeds: Sequence[int], settings: Mapping[str, Any]
    ) -> Ablation:
        """From the last metrics of every run: condition -> one mapping a seed, in the order of `seeds`."""
        rows = tuple(_row(name, runs) for name, runs in finals.items())
        base = np.array(next(row.accuracies for row in rows if row.condition == ALL_ON))
        others = [row for row in rows if row.condition != ALL_ON]  # rows are in the order of the seeds: pairs by place
        raw = [_paired(np.array(row.accuracies) - base) for row in others]
        tested = np.array([p if math.isfinite(p) else 1.0 for _, _, p in raw])
        adjusted = holm(tested) if len(tested) else tested
        if len(seeds) < 2:  # one pair of runs tells of no scatter: neither an interval nor a test
            tested = adjusted = np.full(len(raw), math.nan)
        effects = [
            Effect(row.condition, mean, half, float(p), float(q))
            for row, (mean, half, _), p, q in zip(others, raw, tested, adjusted, strict=True)
        ]
        return cls(rows, tuple(sorted(effects, key=lambda e: -e.mean)), tuple(seeds), dict(settings))

    def row(self, condition: str) -> Row:
        return next(row for row in self.rows if row.condition == condition)

    def effect(self, condition: str) -> Effect | None:
        return next((effect for effect in self.effects if effect.condition == condition), None)

    def verdict(self) -> list[str]:
        """What was found, in sentences."""
        base = self.row(ALL_ON)
        lines = [
            f"All imperfections on: {_percent(base.mean, base.half_width)} test accuracy (last epoch, "
            + (f"mean and 95 % interval of {len(self.seeds)} seeds)." if len(self.seeds) > 1 else f"{_ONE_SEED}).")
        ]
        causes = {name: self.effect(f"{WITHOUT}{name}") for name in imperfections()}
        known = {name: effect for name, effect in causes.items() if effect is not None}
        ranked = sorted(known, key=lambda name: -known[name].mean)
        label = {name: row.label for name, row in imperfections().items()}
        for name in ranked:
            effect = known[name]
            points = f"{_points(effect.mean, effect.half_width)} points"
            if effect.certain and effect.mean > 0:
                words = f"{label[name]} costs accuracy: switching it off brings {points}"
            elif effect.certain:
                words = f"{label[name]} helps: switching it off brings {points}"
            else:
                words = f"{label[name]}: no effect is shown, switching it off brings {points}"
            certainty = f"adjusted p = {effect.adjusted_p_value:.2g}" if len(self.seeds) > 1 else _ONE_SEED
            lines.append(f"{words} ({certainty}).")
        if len(ranked) > 1:
            lines.append(self._separation(ranked))
        return lines

    def table(self) -> list[tuple[str, ...]]:
        """A row a condition in words and numbers, best first, columns as `COLUMNS`: for terminals and notebooks."""
        return [self._cells(row) for row in sorted(self.rows, key=lambda row: -row.mean)]

    def _cells(self, row: Row) -> tuple[str, ...]:
        effect = self.effect(row.condition)
        change = _points(effect.mean, effect.half_width) if effect else "–"
        pulses = f"{row.pulses_mean:.0f}, {row.pulses_p99:.0f}" if row.pulses_mean else "–"
        accuracy = _percent(row.mean, row.half_width).removesuffix(" %")
        p = effect.adjusted_p_value if effect else math.nan
        return row.condition, accuracy, change, f"{p:.2g}" if math.isfinite(p) else "–", pulses

    def _shown(self) -> Summary:
        run = self.settings
        title = (
            f"Ablation: {run.get('data')}, recipe {run.get('recipe')}, simulated devices of "
            f"{run.get('parameter_file')}, {len(self.seeds)} seeds"
        )
        return Summary(title, (self.sentence,), COLUMNS, self.table(), notes=tuple(self.verdict()))

    @property
    def sentence(self) -> str:
        """The answer in one sentence: the last one of `verdict`."""
        return self.verdict()[-1]

    def _separation(self, ranked: Sequence[str]) -> str:
        """Whether the most harmful imperfection can be told from each of the others (paired, Holm)."""
        # whether two costs differ is a question of its own: one significant and one not does not answer it
        first = np.array(self.row(f"{WITHOUT}{ranked[0]}").accuracies)
        others, label = list(ranked[1:]), {name: row.label for name, row in imperfections().items()}
        p_values = [_paired(first - np.array(self.row(f"{WITHOUT}{name}").accuracies))[2] for name in others]
        adjusted = holm(np.array([p if math.isfinite(p) else 1.0 for p in p_values]))
        apart = [label[name] for name, p in zip(others, adjusted, strict=True) if p < LEVEL]
        near = [label[name] for name, p in zip(others, adjusted, strict=True) if p >= LEVEL]
        parts = [f"more than {' and '.join(apart)}"] if apart else []
        parts += [f"not separable from {' and '.join(near)}"] if near else []
        largest = self.effect(f"{WITHOUT}{ranked[0]}")
        if largest is None or not largest.certain or largest.mean <= 0:
            count = _IN_WORDS.get(len(ranked), len(ranked))
            return f"None of the {count} is shown to cost accuracy with {len(self.seeds)} seeds."
        return f"Largest cost: {label[ranked[0]]}, {', '.join(parts)} with {len(self.seeds)} seeds."

    def to_dict(self) -> Any:
        """Everything, for JSON: a dict, with None for what one seed does not tell."""
        return for_json({
            "settings": dict(self.settings), "seeds": list(self.seeds), "simulated": True,
            "rows": [asdict(row) for row in self.rows], "effects": [asdict(effect) for effect in self.effects],
            "verdict": self.verdict(),
        })

    def csv_units(self) -> dict[str, str]:
        """Unit by column of `to_csv`: accuracies and their differences are shares."""
        shares = [*_CSV_COLUMNS[1:5], *(f"seed_{seed}" for seed in self.seeds)]
        return dict.fromkeys(shares, "1") | dict.fromkeys(_CSV_COLUMNS[7:], "pulse")

    def to_csv(self) -> str:
        """A row a condition."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([*_CSV_COLUMNS, *(f"seed_{seed}" for seed in self.seeds)])
        for row in self.rows:
            effect = self.effect(row.condition)
            change = (effect.mean, effect.half_width, effect.p_value, effect.adjusted_p_value) if effect else ("",) * 4
            cells = (row.mean, row.half_width, *change, row.pulses_mean, row.pulses_p99, row.pulses_max,
                     *row.accuracies)
            writer.writerow([shown_cell(row.condition), *("" if cell is None else cell for cell in for_json(cells))])
        return text.getvalue()


def mean_and_half_width(values: np.ndarray[Any, Any]) -> tuple[float, float]:
    """Mean, and half of its 95 % interval (Student's t); infinite for one value."""
    n = len(values)
    if n < 2:
        return float(values.mean()), math.inf
    # Student's t: with five seeds the normal law would give intervals that are too short by 30 %
    quantile = float(special.stdtrit(n - 1, 0.975))
    return float(values.mean()), quantile * float(values.std(ddof=1)) / math.sqrt(n)


def _row(name: str, runs: Sequence[Mapping[str, Any]]) -> Row:
    accuracies = np.array([float(run["test_accuracy"]) for run in runs])
    pulses = {key: np.array([float(run[key]) for run in runs]) for key in ("pulses_mean", "pulses_p99", "pulses_max")}
    return Row(
        name, *mean_and_half_width(accuracies), tuple(map(float, accuracies)), float(pulses["pulses_mean"].mean()),
        float(pulses["pulses_p99"].mean()), float(pulses["pulses_max"].max()),
        float(np.mean([run["past_knee"] for run in runs])) if all("past_knee" in run for run in runs) else None,
    )


def _paired(differences: np.ndarray[Any, Any]) -> tuple[float, float, float]:
    """Mean, half width, two-sided p of a paired t-test; p is NaN where it cannot be tested."""
    mean, half = mean_and_half_width(differences)
    n, sd = len(differences), float(differences.std(ddof=1)) if len(differences) > 1 else math.nan
    if n < 2 or not sd > 0:  # the same difference in every pair: no scatter to measure it by
        return mean, half, math.nan
    # paired t-test: the chip of a seed is in both runs, and its effect on accuracy cancels
    t = mean / (sd / math.sqrt(n))
    return mean, half, float(2.0 * special.stdtr(n - 1, -abs(t)))


def _points(mean: float, half_width: float) -> str:
    return f"{100 * mean:+.2f}" + (f" ± {100 * half_width:.2f}" if math.isfinite(half_width) else "")


def _percent(mean: float, half_width: float) -> str:
    return f"{100 * mean:.2f} ± {100 * half_width:.2f} %" if math.isfinite(half_width) else f"{100 * mean:.2f} %"
