"""docs/results.md from finished runs; every number on that page comes from here.

    make results MNIST=folder-with-the-four-idx-files        (hours on two cores; goes on where it stopped)

or step by step what `make results` does: `weakreset train` into RUNS/<recipe>-<seed> for three seeds of each recipe,
`weakreset ablate` into RUNS/ablation-<recipe>, then `python docs/make_results.py RUNS`.
"""

from __future__ import annotations

import argparse
import datetime
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from weakreset.ablation.result import mean_and_half_width
from weakreset.resources import write_atomically

RECIPES = ("ideal", "published", "device-aware")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=Path(__file__).parent / "results.md")
    options = parser.parse_args()
    studies = [_ablation(options.runs, recipe, options.output.parent) for recipe in ("device-aware", "published")]
    parts = [_head(), _training(options.runs), *studies]
    write_atomically(options.output, "\n\n".join(part for part in parts if part) + "\n")


def _head() -> str:
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    return (
        "# Results on simulated devices\n\n"
        f"Made on {today} by `make results` (`docs/make_results.py`): no number here was typed. All devices are "
        "simulated from the preset `majumdar2021`. Accuracies are those of the last epoch, never of the best one; "
        "± is half of a 95 % interval over seeds (Student's t)."
    )


def _runs(folder: Path, recipe: str) -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
    found = []
    for path in sorted(folder.glob(f"{recipe}-[0-9]*")):
        config = json.loads((path / "config.json").read_text())
        metrics = [json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines()]
        if len(metrics) == config["epochs"]:
            found.append((config, metrics))
    return found


def _training(folder: Path) -> str:
    table = {recipe: runs for recipe in RECIPES if (runs := _runs(folder, recipe))}
    if not table:
        return ""
    config = next(iter(table.values()))[0][0]
    lines = [
        f"## Recipes: {config['data']}, {config['hidden']} hidden units, batch {config['batch_size']}, "
        f"{config['epochs']} epochs", "",
        "| recipe | seeds | test accuracy % | each seed | pulses a device: mean | 99th percentile | most |",
        "|---|---|---|---|---|---|---|",
    ]
    for recipe, runs in table.items():
        last = [rows[-1] for _, rows in runs]
        accuracy = 100 * np.array([row["test_accuracy"] for row in last])
        mean, half = mean_and_half_width(accuracy)
        wear = [np.mean([row[key] for row in last]) for key in ("pulses_mean", "pulses_p99")]
        wear.append(max(row["pulses_max"] for row in last))
        pulses = [f"{value:.0f}" for value in wear] if recipe != "ideal" else ["–"] * 3
        seeds = ", ".join(str(config["seed"]) for config, _ in runs)
        cells = [
            recipe, seeds, f"{mean:.2f} ± {half:.2f}", ", ".join(f"{value:.2f}" for value in accuracy), *pulses,
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _ablation(folder: Path, recipe: str, beside: Path) -> str:
    path = folder / f"ablation-{recipe}" / "ablation.json"
    if not path.exists():
        return ""
    study = json.loads(path.read_text())
    about = study["settings"]
    effects = {effect["condition"]: effect for effect in study["effects"]}
    lines = [
        f"## What each imperfection costs: {about['data']}, recipe {recipe}, {about['hidden']} hidden units, "
        f"{about['epochs']} epochs, {len(study['seeds'])} seeds", "",
        "| condition | test accuracy % | less all on, points | adjusted p | pulses a device: mean, 99th percentile |",
        "|---|---|---|---|---|",
    ]
    for row in sorted(study["rows"], key=lambda row: -row["mean"]):
        effect = effects.get(row["condition"])
        change = f"{100 * effect['mean']:+.2f} ± {100 * effect['half_width']:.2f}" if effect else "–"
        p = f"{effect['adjusted_p_value']:.2g}" if effect else "–"
        pulses = f"{row['pulses_mean']:.0f}, {row['pulses_p99']:.0f}" if row["pulses_mean"] else "–"
        accuracy = f"{100 * row['mean']:.2f} ± {100 * row['half_width']:.2f}"
        lines.append(f"| {row['condition']} | {accuracy} | {change} | {p} | {pulses} |")
    nominal = f'"Without d2d" puts every device at the {about["nominal"]} of each truncated law.'
    picture = f"ablation-{recipe}.png"
    shutil.copyfile(path.with_name("ablation.png"), beside / picture)
    sentences = [f"- {line}" for line in (*study["verdict"], nominal)]
    return "\n".join([*lines, "", f"![differences to all on, with intervals]({picture})", "", *sentences])


if __name__ == "__main__":
    main()
