"""The results page is what its JSON files say, and nothing else."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture
def scripts(monkeypatch):
    """The two scripts of docs/, forgotten afterwards."""
    monkeypatch.syspath_prepend(str(DOCS))
    yield importlib.import_module("make_results"), importlib.import_module("results_tables")
    for name in ("make_results", "results_tables"):
        sys.modules.pop(name)


def test_the_committed_page_is_made_from_the_committed_files(scripts):
    assert scripts[0].page() == (DOCS / "results.md").read_text()


def _training(recipe: str, epochs: int, seed: int, accuracy: float, **other: int) -> dict:
    config = {"recipe": {"name": recipe}, "epochs": epochs, "data": "mnist", "hidden": 3000, "seed": seed}
    config |= {"batch_size": 1000} | other
    row = {"test_accuracy": accuracy, "pulses_mean": 12.4, "pulses_p99": 99.6, "pulses_max": 500 + seed, "reads": 2e6}
    row |= {"pulses": 12.4 * 2 * 1e6 / epochs}  # of a million weights
    return {"date": "2026-01-01", "config": config, "metrics": [row] * epochs}


def test_recipes_are_means_over_seeds_at_the_last_epoch(scripts):
    runs = [_training("device-aware", 20, seed, 0.98 + 0.001 * seed) for seed in (0, 1, 2)]
    table = scripts[1].recipes(runs)
    assert "| device-aware | 20 | 0, 1, 2 | 98.10 ± 0.25 | 98.00, 98.10, 98.20 | 12 | 100 | 502 | 40.0 | 2026" in table
    assert "| device-aware, % | 98.10 ± 0.25 | ≥ 97.7 | ≥ 98.2 |" in scripts[1].summary(runs, {})
    assert "device-aware" not in scripts[1].recipes([])


def _study(lr: float, gain: float, p: float) -> dict:
    row = {"condition": "all on", "mean": 0.9, "half_width": 0.01, "pulses_mean": 1000.0, "past_knee": 0.756}
    names = [f"without d2d ({what} device)" for what in ("median", "mean")]
    effects = [{"condition": name, "mean": gain, "half_width": 0.002, "adjusted_p_value": p} for name in names]
    settings = {"data": "mnist", "recipe": "published", "hidden": 300, "epochs": 5, "lr": lr}
    return {"date": "2026-01-01", "settings": settings, "seeds": [0, 1, 2], "rows": [row], "effects": effects}


def test_conditions_are_put_into_words(scripts):
    studies = [json.loads(json.dumps(_study(*case))) for case in ((6, 0.001, 0.5), (100, 0.012, 0.01))]
    text = scripts[1].conditions(studies)
    assert "| 100 | 90.00 ± 1.00 | 1000 | 76 % | +1.20 ± 0.20 (0.01) | +1.20 ± 0.20 (0.01) |" in text
    assert "Rate 100: against the median device D2D costs accuracy" in text
    assert "Rate 6: against the median device D2D has no effect that is shown" in text
    assert text.index("Rate 100") < text.index("Rate 6")


def test_variants_of_a_recipe_are_ranked_by_their_mean(scripts):
    def row(name: str, seed: int, accuracy: float) -> dict:
        wear = {"pulses_mean": 10.0 + seed, "pulses_p99": 100.0}
        return {"variant": name, "seed": seed, "date": "2026-01-01", "test_accuracy": accuracy, **wear}

    text = scripts[1].variants([row("rate 6", 0, 0.97), row("rate 24", 0, 0.975), row("rate 24", 1, 0.977)], "so")
    assert "| rate 24 | 0, 1 | 97.60 | 97.50, 97.70 | 10 | 100 | 2026-01-01 |" in text
    assert text.index("| rate 24") < text.index("| rate 6")
    assert scripts[1].variants([], "so") == ""


def test_small_batches_are_compared_with_the_ideal_network_in_pairs(scripts):
    small = {"hidden": 1000, "batch_size": 50}
    runs = [_training("ideal", 5, seed, 0.95 + 0.01 * seed, **small) for seed in (0, 1)]
    runs += [_training("latent", 5, seed, 0.949 + 0.01 * seed, **small) for seed in (0, 1, 2)]
    for run in runs:
        last = run["metrics"][-1]
        last["sets"] = sum(row["pulses"] for row in run["metrics"]) / (8.0 * max(last["pulses_mean"], 1.0))  # a quarter
    text = scripts[1].small_batches(runs, {})
    row = "| mnist, 784-1000-10, batch 50, 5 epochs | latent | 2 | 95.40 ± 6.35 | 0.10 ± 0.00 | 12 | 10.0 | 0.25 |"
    assert row in text
    assert scripts[1].small_batches([], {}) == ""
    study = _study(1.0, 0.0, 1.0) | {"reads_a_weight": {"all on": 4.25}, "sets_a_weight": {"all on": 0.62}}
    study["settings"]["recipe"] = "latent"
    study["rows"] = [
        {"condition": name, "accuracies": accuracies, "pulses_mean": 28.0}
        for name, accuracies in (("all on", [0.41, 0.42]), ("ideal", [0.42, 0.43]))
    ]
    text = scripts[1].small_batches([], {"ablation-cifar10-latent": study})
    assert "batch 50, 8 epochs | latent | 3 | 41.50 ± 6.35 | 1.00 ± 0.00 | 28 | 4.2 | 0.62 |" in text
