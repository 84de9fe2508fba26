"""docs/results.md from finished runs; every number on that page comes from here.

    make results MNIST=folder-with-the-four-idx-files CIFAR=folder-of-binary-files     (hours; goes on where it stopped)

What the runs in RUNS found goes into docs/results/ as small JSON files, and the page is made from those: it can be made
again without the runs (`python docs/make_results.py`). A section whose runs are not there is left out.
"""

from __future__ import annotations

import argparse
import datetime
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from results_tables import (
    ablation,
    conditions,
    reads_a_weight,
    recipes,
    sets_a_weight,
    small_batches,
    summary,
    variants,
)

from weakreset.resources import write_atomically

HERE = Path(__file__).parent
STORE = HERE / "results"
STUDIES = ("cifar10-latent", "mnist-latent", "device-aware", "published", "cifar10", "digits")
COLUMNS = ("epoch", "test_accuracy", "train_accuracy", "pulses_mean", "pulses_p99", "pulses_max", "past_knee", "reads",
           "pulses", "sets", "latent_bytes", "optimizer_bytes", "seconds")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", type=Path, nargs="?")
    runs = parser.parse_args().runs
    if runs is not None:
        collect(runs)
    write_atomically(HERE / "results.md", page())


def page() -> str:
    """The page, from docs/results/ alone."""
    trainings = [json.loads(path.read_text()) for path in sorted(STORE.glob("train-*.json"))]
    studies = {path.stem: json.loads(path.read_text()) for path in STORE.glob("*.json") if path.stem[:6] != "train-"}
    parts = [_head(), summary(trainings, studies), small_batches(trainings, studies), recipes(trainings)]
    parts.append(variants(studies.get("small_batches", []), "300 hidden units, batch 50, 3 epochs"))
    parts.append(variants(studies.get("recipe_search", []), "device-aware, 3000 hidden units, batch 1000, 5 epochs"))
    parts += [ablation(name, studies.get(f"ablation-{name}")) for name in STUDIES]
    parts.append(conditions([study for name, study in sorted(studies.items()) if name.startswith("conditions-")]))
    return "\n\n".join(part for part in parts if part) + "\n"


def collect(runs: Path) -> None:
    """Keep what finished runs found; `date` is the day the run ended."""
    for path in sorted(runs.glob("*/metrics.jsonl")):
        config = json.loads((path.parent / "config.json").read_text())
        metrics = [json.loads(line) for line in path.read_text().splitlines()]
        if len(metrics) == config["epochs"]:
            kept = [{key: row[key] for key in COLUMNS if key in row} for row in metrics]
            _keep(f"train-{path.parent.name}", path, {"config": config, "metrics": kept})
    for path in sorted(runs.glob("*/ablation.json")):
        asked = {"reads_a_weight": reads_a_weight, "sets_a_weight": sets_a_weight}
        costs = {name: _by_condition(path.parent, cost) for name, cost in asked.items()}
        _keep(path.parent.name, path, json.loads(path.read_text()) | costs)
        if path.parent.name.startswith("ablation-"):
            shutil.copyfile(path.with_name("ablation.png"), HERE / f"{path.parent.name}.png")
    for path in runs.glob("epoch_time.json"):
        _keep("epoch_time", path, json.loads(path.read_text()))


def _by_condition(study: Path, cost: Callable[[list[dict[str, Any]]], float]) -> dict[str, float]:
    """A cost of the runs of a study, mean over seeds; none for the ideal network."""
    found: dict[str, list[float]] = {}
    for path in sorted(study.glob("*/seed-*/metrics.jsonl")):
        metrics = [json.loads(line) for line in path.read_text().splitlines()]
        if metrics[-1]["pulses_mean"]:
            found.setdefault(path.parent.parent.name.replace("-", " "), []).append(cost(metrics))
    return {name: sum(values) / len(values) for name, values in found.items()}


def _keep(name: str, path: Path, found: dict[str, Any]) -> None:
    ended = datetime.datetime.fromtimestamp(path.stat().st_mtime, datetime.UTC).date().isoformat()
    settings = found.get("settings", {})
    settings.pop("data_dir", None)  # where the files are is nobody's business
    STORE.mkdir(exist_ok=True)
    write_atomically(STORE / f"{name}.json", json.dumps({"date": ended} | found, indent=1) + "\n")


def _head() -> str:
    return (
        "# Results on simulated devices\n\n"
        "Made by `make results` (`docs/make_results.py`) from the JSON files in `docs/results/`: no number here was "
        "typed. All devices are simulated from the preset `majumdar2021`. Accuracies are those of the last epoch on "
        "the test set, never of the best epoch; ± is half of a 95 % interval over seeds (Student's t). Runs dated "
        "before 2026-11-25 numbered their devices in another order: the same seed now draws another chip of the same "
        "law."
    )


if __name__ == "__main__":
    main()
