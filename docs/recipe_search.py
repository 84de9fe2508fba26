"""Variants of the device-aware recipe, tried on held-out training images: `python docs/recipe_search.py MNIST`.

784-3000-10, batch 1000, 5 epochs, 2 seeds, tested on the last 10,000 training images (never on the test set). Writes
docs/results/recipe_search.json, from which `make_results.py` makes a table; goes on where it stopped.
"""

from __future__ import annotations

import argparse
import datetime
import json
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path
from typing import Any

from weakreset.resources import write_atomically
from weakreset.training import Recipe, train
from weakreset.workers import follow_parent

TARGET = Path(__file__).parent / "results" / "recipe_search.json"
BASE = Recipe("the same rate for any length", lr=6.0, schedule="cosine", only_disagreeing=True)
VARIANTS: dict[str, dict[str, Any]] = {
    "rate 6": {},
    "rate 3": {"lr": 3.0},
    "rate 12": {"lr": 12.0},
    "rate 24": {"lr": 24.0},
    "rate 12, digital step 0.02": {"lr": 12.0, "digital_lr": 0.02},
    "rate 24, bursts up to 40": {"lr": 24.0, "max_pulses": 40},
    "rate 24, digital step 0.02": {"lr": 24.0, "digital_lr": 0.02},
    "beta1 0.8": {"betas": (0.8, 0.999)},
    "beta1 0.5": {"betas": (0.5, 0.999)},
    "beta1 0.97": {"betas": (0.97, 0.999)},
    "beta2 0.99": {"betas": (0.9, 0.99)},
    "digital step falls too": {"digital_schedule": "same"},
    "digital step 0.02": {"digital_lr": 0.02},
    "digital step 0.003": {"digital_lr": 3e-3},
    "labels smoothed by 0.1": {"label_smoothing": 0.1},
    "bursts up to 40": {"max_pulses": 40},
    "every weight pulsed": {"only_disagreeing": False},
}
SEEDS = (0, 1)


def run(name: str, seed: int, folder: str) -> dict[str, object]:
    recipe: Recipe = replace(BASE, **VARIANTS[name])
    done = train(
        "majumdar2021", "mnist", data_dir=folder, hidden=3000, epochs=5, holdout=1 / 6, seed=seed, recipe=recipe
    )
    last = done.metrics[-1]
    kept = {key: last[key] for key in ("test_accuracy", "pulses_mean", "pulses_p99")}
    return {"variant": name, "seed": seed, "date": datetime.date.today().isoformat(), **kept}


def _begin(parent: int) -> None:
    import torch

    follow_parent(parent)
    torch.set_num_threads(1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", help="where the MNIST files are")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--only", default="", help="variants whose name holds this")
    options = parser.parse_args()
    found = json.loads(TARGET.read_text()) if TARGET.exists() else []
    known = {(row["variant"], row["seed"]) for row in found}
    wanted = [(name, seed) for seed in SEEDS for name in VARIANTS if (name, seed) not in known and options.only in name]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(options.jobs, context, _begin, (os.getpid(),)) as pool:
        waiting = [pool.submit(run, name, seed, options.folder) for name, seed in wanted]
        for future in as_completed(waiting):
            row = future.result()
            found.append(row)
            write_atomically(TARGET, json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
