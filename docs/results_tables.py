"""The sections of docs/results.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from weakreset.ablation.result import mean_and_half_width

__all__ = ["ablation", "conditions", "recipes", "summary", "variants"]

Run = Mapping[str, Any]

_ROWS = (("ideal", 20), ("published", 20), ("published", 3), ("device-aware", 20), ("device-aware", 5))
_COSTS = (
    "Reads are comparisons of the two resistances of a pair after a burst, over the whole run. No recipe SETs a device "
    "during training. No energy is given: this parameter file has no voltage and width of a pulse (`reset_pulse`)."
)


def _of(trainings: Sequence[Run], recipe: str, epochs: int) -> list[Run]:
    """Runs of a recipe of the full MNIST network, by seed."""
    def wanted(config: Mapping[str, Any]) -> bool:
        return (config["recipe"]["name"], config["epochs"], config["data"], config["hidden"]) == (
            recipe, epochs, "mnist", 3000
        )

    return sorted((run for run in trainings if wanted(run["config"])), key=lambda run: int(run["config"]["seed"]))


def _percent(values: Sequence[float]) -> str:
    mean, half = mean_and_half_width(100 * np.array(values))
    return f"{mean:.2f} ± {half:.2f}"


def _row(trainings: Sequence[Run], recipe: str, epochs: int) -> list[str] | None:
    """recipe, epochs, seeds, accuracy, each seed, pulses: mean, 99th percentile, most; reads; date."""
    runs = _of(trainings, recipe, epochs)
    if not runs:
        return None
    last = [run["metrics"][-1] for run in runs]
    accuracy = [row["test_accuracy"] for row in last]
    pulses = ["–"] * 4
    if recipe != "ideal":
        wear = [float(np.mean([row[key] for row in last])) for key in ("pulses_mean", "pulses_p99")]
        reads = float(np.mean([sum(row["reads"] for row in run["metrics"]) for run in runs])) / 1e6
        pulses = [*(f"{value:.0f}" for value in wear), str(max(row["pulses_max"] for row in last)), f"{reads:.1f}"]
    seeds = ", ".join(str(run["config"]["seed"]) for run in runs)
    each = ", ".join(f"{100 * value:.2f}" for value in accuracy)
    return [recipe, str(epochs), seeds, _percent(accuracy), each, *pulses, max(run["date"] for run in runs)]


def summary(trainings: Sequence[Run], studies: Mapping[str, Any]) -> str:
    """What was wanted of MNIST, and what was measured."""
    rows = {key: row for key in _ROWS if (row := _row(trainings, *key))}
    time = studies.get("epoch_time")
    ratios = time["ratio_to_ideal"] if time else {}
    asked = [
        ("ideal, %", ("ideal", 20), 3, "≥ 97.7", ""),
        ("published at epoch 3, %", ("published", 3), 3, "as it comes out", ""),
        ("published at epoch 20, %", ("published", 20), 3, "as it comes out", ""),
        ("device-aware, %", ("device-aware", 20), 3, "≥ 97.7", "≥ 98.2"),
        ("its pulses a device, mean", ("device-aware", 20), 5, "≤ 100", "30"),
        ("its pulses a device, 99th percentile", ("device-aware", 20), 6, "≤ 500", "200"),
        ("device-aware at 5 epochs, %", ("device-aware", 5), 3, "≥ 97.2", "97.8"),
    ]
    lines = ["## What was wanted, and what was measured: mnist, 784-3000-10, batch 1000, everything on", "",
             "| figure | measured | bar | aim |", "|---|---|---|---|"]
    lines += [
        f"| {what} | {rows[key][column]} | {bar} | {aim} |" for what, key, column, bar, aim in asked if key in rows
    ]
    lines += [
        f"| time of an epoch, {recipe} / ideal | {ratio:.2f} | ≤ 1.6 | 1.2 |"
        for recipe, ratio in ratios.items() if recipe != "ideal"
    ]
    if time:
        how = f"least processor time of {time['rounds']} rounds in turns, one thread, {time['date']}"
        lines += ["", f"Times: `python docs/epoch_time.py`, {how}."]
    return "\n".join(lines)


def recipes(trainings: Sequence[Run]) -> str:
    lines = [
        "## Recipes: mnist, 3000 hidden units, batch 1000", "",
        "| recipe | epochs | seeds | test accuracy % | each seed | pulses a device: mean | 99th percentile | most "
        "| reads, million | date |", "|" + "---|" * 10,
    ]
    rows = [row for key in _ROWS if (row := _row(trainings, *key))]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([*lines, "", _COSTS])


def variants(rows: Sequence[Run]) -> str:
    """What was tried beside the recipe as it was before the search."""
    if not rows:
        return ""
    names = list(dict.fromkeys(row["variant"] for row in rows))
    means = {name: float(np.mean([row["test_accuracy"] for row in rows if row["variant"] == name])) for name in names}
    lines = [
        "## Variants of the device-aware recipe: mnist, 3000 hidden units, 5 epochs, held-out training images", "",
        "`python docs/recipe_search.py MNIST`: the last 10,000 training images are the test, never the test set. What "
        "each variant means is in [recipes.md](recipes.md).", "",
        "| variant | seeds | accuracy % | each seed | pulses a device: mean | 99th percentile | date |",
        "|" + "---|" * 7,
    ]
    for name in sorted(names, key=lambda name: -means[name]):
        own = sorted((row for row in rows if row["variant"] == name), key=lambda row: int(row["seed"]))
        each = ", ".join(f"{100 * row['test_accuracy']:.2f}" for row in own)
        wear = [f"{np.mean([row[key] for row in own]):.0f}" for key in ("pulses_mean", "pulses_p99")]
        seeds = ", ".join(str(row["seed"]) for row in own)
        cells = [name, seeds, f"{100 * means[name]:.2f}", each, *wear, max(row["date"] for row in own)]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def ablation(name: str, study: Mapping[str, Any] | None) -> str:
    """Table, picture and verdict of one study; nothing where it was not run."""
    if study is None:
        return ""
    about = study["settings"]
    effects = {effect["condition"]: effect for effect in study["effects"]}
    lines = [
        f"## What each imperfection costs: {_setting(about)}, {len(study['seeds'])} seeds", "",
        "| condition | test accuracy % | less all on, points | adjusted p | pulses a device: mean, 99th percentile |",
        "|---|---|---|---|---|",
    ]
    for row in sorted(study["rows"], key=lambda row: -row["mean"]):
        effect = effects.get(row["condition"])
        change = f"{_points(effect)} | {effect['adjusted_p_value']:.2g}" if effect else "– | –"
        pulses = f"{row['pulses_mean']:.0f}, {row['pulses_p99']:.0f}" if row["pulses_mean"] else "–"
        accuracy = f"{100 * row['mean']:.2f} ± {100 * row['half_width']:.2f}"
        lines.append(f"| {row['condition']} | {accuracy} | {change} | {pulses} |")
    nominal = f'"Without d2d" puts every device at the {about["nominal"]} of each truncated law.'
    sentences = [f"- {line}" for line in (*study["verdict"], nominal, f"Runs ended on {study['date']}.")]
    return "\n".join([*lines, "", f"![differences to all on, with intervals](ablation-{name}.png)", "", *sentences])


def _points(effect: Mapping[str, Any]) -> str:
    return f"{100 * effect['mean']:+.2f} ± {100 * effect['half_width']:.2f}"


def _setting(about: Mapping[str, Any]) -> str:
    size = f"{about['hidden']} hidden units" if about["network"] == "mlp" else f"vgg of width {about['width']:.3g}"
    known = about["hidden"] or about["network"] == "vgg"
    parts = [about["data"], f"recipe {about['recipe']}", size if known else "usual size"]
    if about.get("shrink", 1) > 1:
        parts.append(f"images shrunk {about['shrink']} times")
    parts += [f"batch {about['batch_size']}"] if about["batch_size"] else []
    parts += [f"{about['epochs']} epochs"] if about["epochs"] else []
    return ", ".join(parts)


def conditions(studies: Sequence[Mapping[str, Any]]) -> str:
    """When does the spread between devices cost accuracy? By learning rate and nominal device."""
    if not studies:
        return ""
    about = studies[0]["settings"]
    lines = [
        f"## When D2D costs accuracy: {about['data']}, recipe {about['recipe']}, {about['hidden']} hidden units, "
        f"{about['epochs']} epochs, {len(studies[0]['seeds'])} seeds", "",
        "The paper's finding, D2D hurts most, under other learning rates (pulses per unit of Adam's update) and with "
        'both meanings of "no D2D": every device at the median, or at the mean, of each law.', "",
        "| rate | all on, % | pulses a device, mean | devices past their knee | no D2D, median device: points (p) "
        "| no D2D, mean device: points (p) |", "|---|---|---|---|---|---|",
    ]
    for study in sorted(studies, key=lambda study: -study["settings"]["lr"]):
        base = next(row for row in study["rows"] if row["condition"] == "all on")
        effects = {effect["condition"]: effect for effect in study["effects"]}
        gains = [effects[f"without d2d ({what} device)"] for what in ("median", "mean")]
        cells = [
            f"{study['settings']['lr']:g}", f"{100 * base['mean']:.2f} ± {100 * base['half_width']:.2f}",
            f"{base['pulses_mean']:.0f}", f"{100 * base['past_knee']:.0f} %",
            *(f"{_points(gain)} ({gain['adjusted_p_value']:.2g})" for gain in gains),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    lines += ["", *(f"- {_sentence(study)}" for study in sorted(studies, key=lambda study: -study["settings"]["lr"]))]
    return "\n".join(lines)


def _sentence(study: Mapping[str, Any]) -> str:
    effects = {effect["condition"]: effect for effect in study["effects"]}
    words = []
    for what in ("median", "mean"):
        effect = effects[f"without d2d ({what} device)"]
        shown = effect["adjusted_p_value"] < 0.05
        outcome = ("costs accuracy" if effect["mean"] > 0 else "helps") if shown else "has no effect that is shown"
        words.append(f"against the {what} device D2D {outcome}")
    how = f"{len(study['seeds'])} seeds, p corrected for two tests"
    return f"Rate {study['settings']['lr']:g}: {' and '.join(words)} ({how})."
