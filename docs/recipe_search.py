"""Variants of the recipes, tried on held-out training images: `python docs/recipe_search.py MNIST`.

Two searches, tested on the last 10,000 training images (never on the test set): device-aware on 784-3000-10, batches of
1000, 5 epochs, 2 seeds; latent numbers on 784-300-10, batches of 50, 3 epochs, 2 seeds. Writes into docs/results/
recipe_search.json and small_batches.json, from which `make_results.py` makes tables; goes on where it stopped.
"""

from __future__ import annotations

import argparse
import datetime
import json
import multiprocessing
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path
from typing import Any

from weakreset.resources import write_atomically
from weakreset.training import RECIPES, Recipe, TrainingRun, train
from weakreset.workers import follow_parent

RESULTS = Path(__file__).parent / "results"
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
LATENT = RECIPES["latent"]
IDEAL = Recipe("no devices", lr=2e-3, schedule="cosine", devices=False)
HALVED: dict[str, Any] = {"lr": 1e-3, "schedule": "halve-every-7"}
SMALL: dict[str, Recipe] = {
    "latent": LATENT,
    "ideal": IDEAL,
    "latent, rate 1e-3, halved every 7 epochs": replace(LATENT, **HALVED),
    "ideal, rate 1e-3, halved every 7 epochs": replace(IDEAL, **HALVED),
    "latent, digital step falls too": replace(LATENT, digital_schedule="same"),
    "ideal, digital step falls too": replace(IDEAL, digital_schedule="same"),
    "latent, one byte": replace(LATENT, latent_bits=8),
    "latent, rate 1e-3": replace(LATENT, lr=1e-3),
    "latent, rate 4e-3": replace(LATENT, lr=4e-3),
    "latent, 2 pulses a step": replace(LATENT, bursts=(2,)),
    "latent, 8 bursts of 14": replace(LATENT, bursts=(14,) * 8),
    "latent, up to 62 pulses": replace(LATENT, bursts=(2, 4, 8, 16, 32)),
    "latent, no SET": replace(LATENT, sets=False),
    "latent, gives back to 0.01": replace(LATENT, give_back=0.01),
    "latent, gives back to 0.1": replace(LATENT, give_back=0.1),
    "device-aware": RECIPES["device-aware"],
    "device-aware, beta1 0.99": replace(RECIPES["device-aware"], betas=(0.99, 0.999)),
}
SEEDS = (0, 1)


def run(name: str, seed: int, folder: str) -> dict[str, object]:
    recipe: Recipe = replace(BASE, **VARIANTS[name])
    return _found(name, seed, train(
        "majumdar2021", "mnist", data_dir=folder, hidden=3000, epochs=5, holdout=1 / 6, seed=seed, recipe=recipe
    ))


def run_small(name: str, seed: int, folder: str) -> dict[str, object]:
    return _found(name, seed, train(
        "majumdar2021", "mnist", data_dir=folder, hidden=300, epochs=3, batch_size=50, holdout=1 / 6, seed=seed,
        recipe=SMALL[name],
    ))


SEARCHES: dict[str, tuple[Callable[[str, int, str], dict[str, object]], Iterable[str]]] = {
    "small_batches": (run_small, SMALL), "recipe_search": (run, VARIANTS),
}


def _found(name: str, seed: int, done: TrainingRun) -> dict[str, object]:
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
    parser.add_argument("--only", default="", help="variants whose name holds this ('latent', 'ideal')")
    options = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    for search, (function, names) in SEARCHES.items():
        target = RESULTS / f"{search}.json"
        found = json.loads(target.read_text()) if target.exists() else []
        known = {(row["variant"], row["seed"]) for row in found}
        wanted = [(name, seed) for seed in SEEDS for name in names if options.only in name]
        left = [which for which in wanted if which not in known]
        with ProcessPoolExecutor(options.jobs, context, _begin, (os.getpid(),)) as pool:
            waiting = [pool.submit(function, name, seed, options.folder) for name, seed in left]
            for future in as_completed(waiting):
                found.append(future.result())
                write_atomically(target, json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
