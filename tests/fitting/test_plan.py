"""One plan, whoever computes: names, order, parts, processes and restarts move no bit of a number."""

from __future__ import annotations

import os
import signal

import numpy as np
import pytest

from weakreset.fitting import FitSet, blocks, fit_devices, fit_stream
from weakreset.fitting.even_product import even_product, padded
from weakreset.fitting.fit_options import FitOptions
from weakreset.fitting.group import grouped
from weakreset.fitting.processes import can_fork, in_processes
from weakreset.fitting.second_look import plan_of
from weakreset.fitting.survey import SURVEYED, Survey
from weakreset.fitting.used_reads import used_reads
from weakreset.population import fit_population
from weakreset.traces import PulseTrace, TraceSet
from weakreset.twin import simulate_population

N_DEVICES = 150


@pytest.fixture(scope="module")
def traces(published) -> TraceSet:
    """150 devices of 100 pulses; a tenth misses reads, a tenth ends earlier."""
    truth = simulate_population(published, N_DEVICES, 100, 5)
    rng = np.random.default_rng(6)
    made = []
    for i, ohm in enumerate(truth.resistance_ohm()):
        keep = np.ones(len(truth.pulses), dtype=bool)
        if i % 10 == 3:
            keep[rng.choice(np.arange(5, 95), 3, replace=False)] = False
        if i % 10 == 7:
            keep[80:] = False
        made.append(PulseTrace(f"d{i}", truth.pulses[keep], ohm[keep]))
    return TraceSet(tuple(made))


@pytest.fixture(scope="module")
def whole(traces) -> FitSet:
    return fit_devices(traces, jobs=1)


def numbers(fits: FitSet) -> dict[bytes, tuple[object, ...]]:
    """Everything that is a number, by the device's readings."""
    found = {}
    for fit in fits:
        row = {name: value for name, value in fit.row().items() if name != "device"}
        draws = fit.draws
        hidden = b"" if draws is None or draws.beyond is None else draws.beyond.tobytes()
        found[fit.fingerprint] = (repr(row), b"" if draws is None else draws.inside.tobytes() + hidden)
    return found


def parts(traces: TraceSet, size: int) -> list[TraceSet]:
    return [TraceSet(traces.traces[first : first + size]) for first in range(0, len(traces), size)]


@pytest.mark.parametrize("size", [7, 64, 1000])
def test_a_stream_in_any_parts_gives_the_bits_of_the_whole(traces, whole, size):
    streamed = fit_stream(parts(traces, size), jobs=1)
    assert numbers(streamed) == numbers(whole)
    assert [fit.device for fit in streamed] == [fit.device for fit in whole]
    assert streamed.noise == whole.noise
    assert streamed.drift_test == whole.drift_test


def test_several_processes_give_the_same_bits(traces, whole, monkeypatch):
    monkeypatch.setattr(blocks, "_LEAST_BLOCKS_SPAWNED", 2)
    assert numbers(fit_devices(traces, jobs=2)) == numbers(whole)


def test_names_and_order_move_no_bit_of_fit_or_laws(traces, whole):
    order = np.random.default_rng(7).permutation(len(traces))
    renamed = TraceSet(tuple(
        PulseTrace(f"other{9 * i % 151}", traces.traces[i].pulses, traces.traces[i].resistance_ohm)
        for i in order.tolist()
    ))
    moved = fit_devices(renamed, jobs=1)
    assert numbers(moved) == numbers(whole)
    assert moved.noise == whole.noise
    laws, before = (fit_population(fits) for fits in (moved, whole))
    for name, law in before.laws.items():
        assert laws.laws[name].law == law.law
        assert laws.laws[name].stderr == law.stderr
        assert laws.laws[name].candidates == law.candidates


def test_a_block_is_fitted_by_itself(traces, whole):
    """Any traces together, in any process that has the plan: a device depends on nothing else."""
    used = [one for trace in traces if not isinstance(one := used_reads(trace), tuple)]
    survey = Survey()
    survey.add(used)
    plan = plan_of(survey, FitOptions())
    some = [used[i] for i in (140, 3, 77, 5)]
    alone = {fit.device: fit for fit in blocks.fit_groups(grouped(some, plan.grids), plan, 1)}
    for one in some:
        fit = whole[one.trace.key]
        np.testing.assert_array_equal(alone[fit.device].draws.inside, fit.draws.inside)
        assert alone[fit.device].numbers == fit.numbers


def test_a_generator_is_surveyed_on_its_first_chunk_and_says_so(traces):
    first = SURVEYED + 10
    streamed = fit_stream(iter(parts(traces, first)), jobs=1)
    assert any("first chunk" in note for note in streamed.notes)
    assert len(streamed) == len(traces)


def _killed_once(built: str, number: int) -> int:
    """The third piece kills its process, the first time."""
    flag = os.path.join(built, "killed")
    if number == 2 and not os.path.exists(flag):
        open(flag, "w").close()
        os.kill(os.getpid(), signal.SIGKILL)
    return number * number


def _same(recipe: str) -> str:
    return recipe


@pytest.mark.skipif(not can_fork(), reason="processes are forked on Linux only")
def test_a_killed_process_is_made_up_for(tmp_path):
    found = list(in_processes(_same, str(tmp_path), _killed_once, range(6), 2, str(tmp_path)))
    assert found == [0, 1, 4, 9, 16, 25]
    assert (tmp_path / "killed").exists()


@pytest.mark.parametrize("n", [5, 37, 300, 511])
def test_rows_of_an_even_product_do_not_know_their_neighbours(n):
    rng = np.random.default_rng(n)
    rows, matrix = rng.standard_normal((64, n)), padded(rng.standard_normal((n, 2 * n + 2)))
    together = even_product(rows, matrix)
    np.testing.assert_allclose(together, rows @ matrix, atol=1e-10)
    for size in (1, 2, 3, 17, 63):
        some = rng.permutation(64)[:size]
        np.testing.assert_array_equal(even_product(rows[some], matrix), together[some])


def test_the_sample_is_the_same_in_any_order_and_fair(traces):
    used = [used_reads(trace) for trace in traces]
    surveys = [Survey(), Survey()]
    surveys[0].add(used)
    for one in reversed(used):
        surveys[1].add([one])
    prints = [[one.fingerprint for one in survey.sample] for survey in surveys]
    assert prints[0] == prints[1]
    assert len(prints[0]) == SURVEYED
    for (_, one), (_, other) in zip(surveys[0].grids(), surveys[1].grids(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_laws_of_a_sample_are_said_to_be_that(whole):
    some, every = fit_population(whole, most_devices=60), fit_population(whole, most_devices=0)
    assert any("laws fitted to 60 of 150 devices" in note for note in some.notes)
    assert not any("laws fitted to" in note for note in every.notes)
    assert some.laws["m1"].n_devices == 60
    for name, value in some.laws["c1"].law.params.items():
        assert abs(value - every.laws["c1"].law.params[name]) < 4 * some.laws["c1"].stderr[name]
