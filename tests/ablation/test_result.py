"""Statistics of a study on numbers whose answer is known."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest
from scipy import stats

from weakreset.ablation.result import Ablation
from weakreset.ablation.target import LADDER, TargetAnswer, required_factor


def final(accuracy):
    return {"test_accuracy": accuracy, "pulses_mean": 10.0, "pulses_p99": 50.0, "pulses_max": 99}


def study(rng, effects, n_seeds=6, spread=0.01, own=0.001):
    """Accuracies whose seeds share a chip (`spread`), each with an effect and a little noise of its own."""
    chips = 0.95 + spread * rng.standard_normal(n_seeds)
    finals = {
        name: [final(chip + effect + own * rng.standard_normal()) for chip in chips] for name, effect in effects.items()
    }
    return Ablation.of(finals, range(n_seeds), {"data": "made up", "recipe": "none"})


def test_means_intervals_and_tests_are_those_of_scipy():
    result = study(np.random.default_rng(1), {"all on": 0.0, "without d2d": 0.01, "without rtn": 0.0})
    base, other = (np.array(result.row(name).accuracies) for name in ("all on", "without d2d"))
    interval = stats.t.interval(0.95, 5, base.mean(), stats.sem(base))
    assert result.row("all on").mean - result.row("all on").half_width == pytest.approx(interval[0])
    effect = result.effect("without d2d")
    assert effect.p_value == pytest.approx(stats.ttest_rel(other, base).pvalue)
    assert effect.adjusted_p_value == pytest.approx(2 * effect.p_value)


def test_a_difference_smaller_than_the_scatter_of_chips_is_seen_in_pairs():
    effects = {"all on": 0.0, "without d2d": 0.008, "without rtn": 0.0, "without pink": 0.0}
    result = study(np.random.default_rng(2), effects)
    text = " ".join(result.verdict())
    assert result.effect("without d2d").certain
    assert "D2D costs accuracy" in text
    assert "Largest cost: D2D, more than" in text
    assert result.effects[0].condition == "without d2d"


def test_nothing_is_claimed_of_equal_conditions():
    """40 studies of four equal conditions, seed 3: at a joint level of 5 %, more than 6 alarms happen in 1.4 %."""
    rng = np.random.default_rng(3)
    names = ("all on", "without d2d", "without rtn", "without pink")
    alarms = sum(any(e.certain for e in study(rng, dict.fromkeys(names, 0.0)).effects) for _ in range(40))
    assert alarms <= 6
    unequal = dict(zip(names, (0.0, 0.01, 0.0, 0.0), strict=True))
    wrong = sum(any(e.certain for e in study(rng, unequal).effects) for _ in range(40))
    assert wrong > 6
    result = study(rng, dict.fromkeys(names, 0.0))
    assert "None of the three is shown" in " ".join(result.verdict())


def test_one_seed_has_no_interval_and_proves_nothing():
    result = study(np.random.default_rng(4), {"all on": 0.0, "without d2d": 0.5}, n_seeds=1)
    assert not result.effect("without d2d").certain
    assert np.isinf(result.row("all on").half_width)


def test_what_one_seed_does_not_tell_is_no_number():
    result = study(np.random.default_rng(0), {"all on": 0.0, "=without d2d,": 0.01, "without d2d": 0.02}, n_seeds=1)
    text = json.dumps(result.to_dict(), allow_nan=False)
    assert json.loads(text)["effects"][0] | {"mean": 0} == {
        "condition": "without d2d", "mean": 0, "half_width": None, "p_value": None, "adjusted_p_value": None,
    }
    assert "inf" not in " ".join([*result.verdict(), *sum(result.table(), ())])
    assert "no interval and no test" in result.verdict()[0]
    rows = list(csv.DictReader(io.StringIO(result.to_csv())))
    assert rows[1]["condition"] == "'=without d2d,"  # a spreadsheet would run it
    assert rows[1]["half_width_95"] == rows[1]["p"] == ""
    answer = TargetAnswer("all", 0.9, 0.5, None, None, ((1.0, 0.8, float("inf")), (0.0, 0.95, float("inf"))))
    assert "one seed: no interval" in answer.sentence
    json.dumps(answer.to_dict(), allow_nan=False)


def test_csv_and_json_hold_every_seed():
    result = study(np.random.default_rng(5), {"all on": 0.0, "ideal": 0.01})
    rows = list(csv.DictReader(io.StringIO(result.to_csv())))
    assert [row["condition"] for row in rows] == ["all on", "ideal"]
    assert float(rows[1]["seed_3"]) == result.row("ideal").accuracies[3]
    assert json.loads(json.dumps(result.to_dict()))["simulated"] is True


@pytest.mark.parametrize(
    ("means", "expected"),
    [
        ([0.99] * 6, 1.0),
        ([0.90] * 6, None),
        ([0.90, 0.92, 0.94, 0.96, 0.98, 0.99], 0.3),  # between 0.35 (0.96) and 0.25 (0.98)
        ([0.98, 0.92, 0.94, 0.96, 0.98, 0.99], 0.3),  # a lucky rung above does not count
    ],
)
def test_the_required_factor_is_interpolated_from_below(means, expected):
    assert len(LADDER) == 6
    found = required_factor(means, 0.97)
    assert found is None if expected is None else found == pytest.approx(expected)
