"""A random population in a random dialect is read right or refused, never wrong."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.lab_files.dialect import OPTIONS, PLAIN, make_case, settle
from tests.lab_files.judge import CRASHED, RIGHT, WRONG, judge
from tests.lab_files.known_wrong import KNOWN_WRONG_DIALECTS

BASE = PLAIN | {"step": 10, "unit": "kohm"}


def _judged(choices, seed):
    with tempfile.TemporaryDirectory() as folder:
        return judge(make_case(choices, seed, Path(folder)))


def _known(choices):
    settled = settle(choices)
    return any(all(settled[name] == option for name, option in part.items()) for part in KNOWN_WRONG_DIALECTS)


def test_the_plain_dialect_is_right():
    assert _judged(PLAIN, 1).word == RIGHT


@pytest.mark.parametrize("name", OPTIONS)
def test_each_choice_alone(name):
    for option in OPTIONS[name]:
        choices = BASE | {name: option}
        verdict = _judged(choices, 2)
        assert _known(choices) or verdict.word not in (WRONG, CRASHED), f"{name}={option!r}: {verdict.why}"


@pytest.mark.parametrize("part", KNOWN_WRONG_DIALECTS, ids=str)
def test_what_is_known_to_be_wrong_still_is(part):
    verdicts = [_judged(BASE | part, seed) for seed in range(3)]
    assert any(verdict.word in (WRONG, CRASHED) for verdict in verdicts), "take it off KNOWN_WRONG_DIALECTS"


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.filter_too_much])
@given(st.fixed_dictionaries({name: st.sampled_from(options) for name, options in OPTIONS.items()}), st.integers(0, 99))
def test_any_population_in_any_dialect(choices, seed):
    assume(not _known(choices))
    verdict = _judged(choices, seed)
    assert verdict.word not in (WRONG, CRASHED), f"{verdict.cause}: {verdict.why}"
