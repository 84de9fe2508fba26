"""How pulses are counted: bursts, operations, SETs between ramps, reads without a pulse."""

from __future__ import annotations

import numpy as np
import pytest

from weakreset.errors import TraceError, TraceFormatError, UsageError
from weakreset.traces import inspect_traces, load_traces


@pytest.fixture
def load(tmp_path):
    def write_and_load(text, **options):
        path = tmp_path / "lab.csv"
        path.write_text(text)
        return load_traces(path, limits=None, **options)

    return write_and_load


def content(traces):
    return {t.key: (t.pulses.tolist(), t.resistance_ohm.tolist()) for t in traces}


@pytest.mark.parametrize("header", ["num_applied", "pulses applied", "burst"])
def test_bursts_become_cumulative_pulse_numbers(load, tmp_path, header):
    traces = load(f"device,{header},R\nA,0,5\nA,1000,6\nA,500,7\nB,1000,8\nB,1000,9\n")
    assert content(traces) == {"A": ([0, 1000, 1500], [5.0, 6.0, 7.0]), "B": ([1000, 2000], [8.0, 9.0])}
    (found,) = inspect_traces(tmp_path / "lab.csv")
    assert found.counted_by == f"column '{header}' (pulses applied since the last read)"
    assert found.map_line == "--map device=0,burst=1,resistance=2"


def test_a_burst_with_a_missing_read_still_counts_and_an_unknown_burst_ends_the_count(load):
    traces = load("n_applied,R\n10,5\n10,\n10,7\n,8\n10,9\n")
    assert content(traces) == {"lab": ([10, 30], [5.0, 7.0])}
    assert [(e.line, e.reason) for e in traces.exclusions] == [
        (3, "missing reading (empty or NaN)"),
        (5, "no pulse number"),
        (6, "no pulse number"),
    ]


def test_devices_that_take_turns_are_counted_each_for_itself(load):
    assert content(load("cell,num_applied,R\nA,5,1\nB,7,2\nA,5,3\nB,7,4\n")) == {
        "A": ([5, 10], [1.0, 3.0]),
        "B": ([7, 14], [2.0, 4.0]),
    }


def test_a_pulse_column_counts_before_a_burst_column_unless_the_map_says_so(load):
    text = "pulse,num_applied,R\n0,100,5\n1,100,6\n"
    assert content(load(text)) == {"lab": ([0, 1], [5.0, 6.0])}
    assert content(load(text, column_map="burst=1")) == {"lab": ([100, 200], [5.0, 6.0])}
    with pytest.raises(UsageError, match="both pulse and burst"):
        load(text, column_map="pulse=0,burst=1")


def test_rows_that_say_set_begin_a_cycle_and_rows_that_say_reset_are_counted(load):
    rows = ["SET,5", "READ,5.1", "RESET,6", "RESET,7", "set,4", "Reset,8"]
    traces = load("op,R\n" + "\n".join(rows) + "\n")
    assert content(traces) == {"lab": ([0, 1, 2], [5.0, 6.0, 7.0]), "lab#1": ([0, 1], [4.0, 8.0])}
    assert [(e.line, e.pulse, e.reason.split(" (")[0]) for e in traces.exclusions] == [
        (3, 0, "repeated read without a pulse")
    ]


@pytest.mark.parametrize(
    "numbers",
    [
        [0, 1, 2, 0, 1, 2],  # restarts at the SET
        [1, 2, 3, 4, 5, 6],  # runs on through the SET
        ["", 1, 2, "", 3, 4],  # the SETs are not counted
        ["", 1, 2, 2, 1, 2],  # the SET repeats the last number, then it restarts
    ],
)
def test_counters_that_run_on_through_a_set_count_from_it(load, numbers):
    operations = ["SET", "RESET", "RESET"] * 2
    rows = "".join(f"{op},{n},{5 + i}\n" for i, (op, n) in enumerate(zip(operations, numbers, strict=True)))
    expected = {"lab": ([0, 1, 2], [5.0, 6.0, 7.0]), "lab#1": ([0, 1, 2], [8.0, 9.0, 10.0])}
    assert content(load("operation,pulse,R\n" + rows)) == expected


def test_words_that_are_no_operations_leave_the_column_alone(load):
    (trace,) = load("op,pulse,R\nwarm,0,5\ncold,1,6\n")
    assert trace.extras["op"].tolist() == ["warm", "cold"]
    with pytest.raises(TraceFormatError, match="'warm' is not an operation"):
        load("x,pulse,R\nwarm,0,5\ncold,1,6\n", column_map="operation=0")


def test_repeated_reads_without_a_pulse_give_the_read_noise(load):
    rng = np.random.default_rng(20266)
    logs = np.repeat(0.001 * np.arange(100), 4) + rng.normal(0, 0.02, 400)
    rows = "".join(f"{i // 4},{9000 * np.exp(x):.17g}\n" for i, x in enumerate(logs))
    traces = load("pulse,R\n" + rows)
    groups = logs.reshape(100, 4)
    assert traces.read_noise.freedom == 300
    assert traces.read_noise.sd == pytest.approx(np.sqrt(groups.var(axis=1, ddof=1).mean()), rel=1e-9)
    assert traces["lab"].resistance_ohm == pytest.approx(9000 * np.exp(groups[:, 0]), rel=1e-12)
    assert len(traces.exclusions) == 300


def test_lines_exported_twice_are_duplicates_and_say_nothing_of_read_noise(load):
    traces = load("pulse,R\n" + "".join(f"{i},{500 + i}\n" * 2 for i in range(40)))
    assert {e.reason for e in traces.exclusions} == {"duplicate pulse number (the first reading is kept)"}
    assert traces.read_noise is None


def test_where_the_first_of_repeated_reads_is_bad_the_next_stands_in(load):
    traces = load("pulse,R\n0,5\n1,0\n1,6\n2,7\n3,8\n")
    assert content(traces) == {"lab": ([0, 1, 2, 3], [5.0, 6.0, 7.0, 8.0])}
    assert [e.reason for e in traces.exclusions] == ["zero reading"]


def test_a_counter_that_stands_still_is_no_counter(load):
    text = "n_pulses,R\n" + "".join(f"1000,{500 + i}\n" for i in range(20))
    with pytest.raises(TraceError, match=r"pulse counter does not move: 1000 in all 20 reads.*map the column to burst"):
        load(text)
    assert load(text, column_map="burst=0")["lab"].pulses.tolist() == list(range(1000, 21000, 1000))


def test_rows_counted_as_pulses_begin_again_with_each_cycle(load):
    rows = ["A,0,5", "A,0,6", "B,0,4", "A,1,5", "A,1,7", "B,0,5", "A,1,8"]
    traces = load("device,cycle,R\n" + "\n".join(rows) + "\n", column_map="device=0,cycle=1,resistance=2,pulse=@row")
    assert content(traces) == {
        "A": ([0, 1], [5.0, 6.0]), "A#1": ([0, 1, 2], [5.0, 7.0, 8.0]), "B": ([0, 1], [4.0, 5.0]),
    }  # fmt: skip
