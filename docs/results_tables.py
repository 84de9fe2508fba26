"""The sections of docs/results.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from weakreset.ablation.result import mean_and_half_width

__all__ = [
    "ablation",
    "conditions",
    "reads_a_weight",
    "recipes",
    "sets_a_weight",
    "small_batches",
    "summary",
    "variants",
]

Run = Mapping[str, Any]

_ROWS = (
    ("ideal", 20), ("published", 20), ("published", 3), ("device-aware", 20), ("device-aware", 5), ("latent", 20),
)
_SMALL = {"hidden": 1000, "epochs": 5, "batch_size": 50}
_COSTS = (
    "Reads are comparisons of the two resistances of a pair after a burst or a SET, over the whole run. Of the recipes "
    "only latent SETs devices. No energy is given: this parameter file has no voltage and width of a pulse "
    "(`reset_pulse`)."
)


def _of(trainings: Sequence[Run], recipe: str, epochs: int) -> list[Run]:
    """Runs of a recipe of the full MNIST network, by seed."""
    return _like(trainings, recipe, {"hidden": 3000, "epochs": epochs, "batch_size": 1000})


def _like(trainings: Sequence[Run], recipe: str, settings: Mapping[str, int]) -> list[Run]:
    wanted = {"data": "mnist", **settings}
    found = [run for run in trainings if run["config"]["recipe"]["name"] == recipe]
    found = [run for run in found if all(run["config"][key] == value for key, value in wanted.items())]
    return sorted(found, key=lambda run: int(run["config"]["seed"]))


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
        ("latent, %", ("latent", 20), 3, "≥ 98.0", "≥ 98.3"),
        ("its pulses a device, mean", ("latent", 20), 5, "≤ 30", "≤ 15"),
    ]
    lines = ["## What was wanted, and what was measured: mnist, 784-3000-10, batch 1000, everything on", "",
             "| figure | measured | bar | aim |", "|---|---|---|---|"]
    lines += [
        f"| {what} | {rows[key][column]} | {bar} | {aim} |" for what, key, column, bar, aim in asked if key in rows
    ]
    lines += [
        f"| time of an epoch, {recipe} / ideal | {ratio:.2f} | ≤ {1.3 if recipe == 'latent' else 1.6} | 1.1 |"
        for recipe, ratio in ratios.items() if recipe != "ideal"
    ]
    if time:
        how = f"least processor time of {time['rounds']} rounds in turns, one thread, {time['date']}"
        lines += ["", f"Times: `python docs/epoch_time.py`, {how}."]
    return "\n".join(lines)


def small_batches(trainings: Sequence[Run], studies: Mapping[str, Any]) -> str:
    """What batches of 50 show: how far the recipes stay behind the ideal network, and what they ask of the devices."""
    lines = [
        "## Small batches: how far behind the ideal network with the same rate and schedule", "",
        "| network | recipe | seeds | accuracy % | ideal less recipe, points, in pairs | pulses a device: mean | "
        "reads a weight | SETs a weight |", "|" + "---|" * 8,
    ]
    ideal = {run["config"]["seed"]: _final(run) for run in _like(trainings, "ideal", _SMALL)}
    for recipe in ("latent", "latent-byte", "device-aware"):
        runs = [run for run in _like(trainings, recipe, _SMALL) if run["config"]["seed"] in ideal]
        if runs:
            gaps = _percent([ideal[run["config"]["seed"]] - _final(run) for run in runs])
            wear = float(np.mean([run["metrics"][-1]["pulses_mean"] for run in runs]))
            accuracy = _percent([_final(run) for run in runs])
            cells = (f"{len(runs)}", accuracy, gaps, f"{wear:.0f}", f"{_reads(runs):.1f}", f"{_sets(runs):.2f}")
            lines.append(f"| mnist, 784-1000-10, batch 50, 5 epochs | {recipe} | " + " | ".join(cells) + " |")
    for name, study in sorted(studies.items()):
        rows = {row["condition"]: row for row in study["rows"]} if name.startswith("ablation-cifar10-") else {}
        if {"ideal", "all on"} <= rows.keys():
            pairs = zip(rows["ideal"]["accuracies"], rows["all on"]["accuracies"], strict=True)
            cells = (
                study["settings"]["recipe"], str(len(study["seeds"])), _percent(rows["all on"]["accuracies"]),
                _percent([one - other for one, other in pairs]), f"{rows['all on']['pulses_mean']:.0f}",
                f"{study['reads_a_weight']['all on']:.1f}", _known(study.get("sets_a_weight", {}).get("all on")),
            )
            lines.append("| cifar10, narrow vgg as below, batch 50, 8 epochs | " + " | ".join(cells) + " |")
    return "\n".join([*lines, "", _WANTED]) if len(lines) > 4 else ""


_WANTED = (
    "Wanted: on cifar10 a gap of at most 2.5 points (aim 1) at no more than 35 pulses a device (15) and 8 reads a "
    "weight (4); on mnist at most 0.3 points (0). Reads are comparisons of a pair after a burst or a SET, and one "
    "measurement before the first step, over the whole run."
)


def _final(run: Run) -> float:
    return float(run["metrics"][-1]["test_accuracy"])


def _reads(runs: Sequence[Run]) -> float:
    """Comparisons a weight over the whole run, mean over runs; pulses tell how many weights there are."""
    return float(np.mean([reads_a_weight(run["metrics"]) for run in runs]))


def _sets(runs: Sequence[Run]) -> float:
    return float(np.mean([sets_a_weight(run["metrics"]) for run in runs]))


def _known(number: float | None) -> str:
    return "–" if number is None else f"{number:.2f}"


def reads_a_weight(metrics: Sequence[Mapping[str, Any]]) -> float:
    return float(sum(row["reads"] for row in metrics) / _weights(metrics))


def sets_a_weight(metrics: Sequence[Mapping[str, Any]]) -> float:
    """Over the whole run; the last epoch tells how many there were so far."""
    return float(metrics[-1]["sets"] / _weights(metrics))


def _weights(metrics: Sequence[Mapping[str, Any]]) -> float:
    return float(sum(row["pulses"] for row in metrics) / (2.0 * metrics[-1]["pulses_mean"]))


def recipes(trainings: Sequence[Run]) -> str:
    lines = [
        "## Recipes: mnist, 3000 hidden units, batch 1000", "",
        "| recipe | epochs | seeds | test accuracy % | each seed | pulses a device: mean | 99th percentile | most "
        "| reads, million | date |", "|" + "---|" * 10,
    ]
    rows = [row for key in _ROWS if (row := _row(trainings, *key))]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([*lines, "", _COSTS])


def variants(rows: Sequence[Run], about: str) -> str:
    """What was tried beside the recipe as it was before the search."""
    if not rows:
        return ""
    names = list(dict.fromkeys(row["variant"] for row in rows))
    means = {name: float(np.mean([row["test_accuracy"] for row in rows if row["variant"] == name])) for name in names}
    lines = [
        f"## Variants: mnist, {about}, held-out training images", "",
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
