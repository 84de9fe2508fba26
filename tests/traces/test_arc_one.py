"""ArC ONE CSV: what counts as a pulse, what as a read, and SET between ramps."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from weakreset.errors import TraceFormatError
from weakreset.traces import load_traces
from weakreset.traces.readers.pulse_log import count_pulses

HEADER = (
    "s1\nWed May 28 10:51:21 2025\nWordline,Bitline,Resistance,Amplitude (V),Pulse width (s),Tag,ReadTag,ReadVoltage\n"
)
READ = "1,2,{},0,0,S R1 V=0.5,S R1,0.5\n"
PULSE = "1,2,{},{},1e-6,P,,0.5\n"


@pytest.fixture
def made(tmp_path):
    def make(rows, name="arc.csv"):
        content = (HEADER + rows).encode()
        path = tmp_path / name
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return path

    return make


def test_pulses_are_counted_whether_read_or_not(made):
    rows = (
        READ.format(5e3) + PULSE.format(6e3, -1) + 9 * PULSE.format("", -1) + READ.format(7e3) + PULSE.format(8e3, -1.5)
    )
    traces = load_traces(made(rows), limits=None)
    trace = traces["W01B02"]
    assert trace.pulses.tolist() == [0, 1, 10, 11]
    assert trace.resistance_ohm.tolist() == [5e3, 6e3, 7e3, 8e3]
    assert trace.extras["amplitude_v"] == pytest.approx([np.nan, -1, -1, -1.5], nan_ok=True)
    assert trace.extras["width_s"] == pytest.approx([np.nan, 1e-6, 1e-6, 1e-6], nan_ok=True)
    assert "9 pulses without a read" in traces.sources[0].why


def test_a_gzipped_file(made):
    traces = load_traces(made(READ.format(5e3) + PULSE.format(6e3, -1), "arc.csv.gz"), limits=None)
    assert traces["W01B02"].pulses.tolist() == [0, 1]


def test_reads_without_a_pulse_between_are_named(made):
    rows = READ.format(5e3) + READ.format(5001) + PULSE.format(6e3, -1) + READ.format(6001)
    excluded = load_traces(made(rows), limits=None).exclusions
    assert [(e.pulse, e.value, e.line) for e in excluded] == [(0, "5001.0 ohm", 5), (1, "6001.0 ohm", 7)]


def test_a_set_begins_a_cycle_at_its_last_pulse(made):
    ramp = READ.format(5e3) + 3 * PULSE.format(6e3, -1)
    rows = ramp + PULSE.format(4e3, 1.2) + READ.format(4001) + PULSE.format(3e3, 1.4) + PULSE.format(3100, -1)
    traces = load_traces(made(rows), limits=None)
    assert {t.cycle: (t.pulses.tolist(), t.resistance_ohm.tolist()) for t in traces} == {
        0: ([0, 1, 2, 3], [5e3, 6e3, 6e3, 6e3]),
        1: ([0, 1], [3e3, 3100]),
    }
    assert "2 rows before the end of a SET" in traces.sources[0].why


def test_counting_agrees_with_a_loop():
    rng = np.random.default_rng(5)
    for _ in range(50):
        amplitude = rng.choice([0.0, -1.0, 1.0], size=30, p=[0.4, 0.5, 0.1])
        log = count_pulses(amplitude)
        set_sign = 1.0 if (amplitude > 0).sum() <= (amplitude < 0).sum() else -1.0
        if not ((amplitude > 0).any() and (amplitude < 0).any()):
            set_sign = np.nan
        pulse = cycle = 0
        in_set = False
        for i, volt in enumerate(amplitude):
            if volt == set_sign:
                cycle, pulse, in_set = cycle + (not in_set), 0, True
            elif volt:
                pulse, in_set = pulse + 1, False
            assert log.pulse[i] == pulse
            assert log.cycle[i] == cycle - (amplitude[0] == set_sign)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("", "no line of data"),
        (READ.format(5e3)[:-1], "line 4.*was cut"),
        (READ.format(5e3) + "1,2,6e3\n", "line 5.*3 cells"),
        ("1,2.5,6e3,0,0,,,\n", "line 4.*Bitline is '2.5'"),
        ("1,-2,6e3,0,0,,,\n", "line 4.*Bitline is '-2'"),
        ("1,1e300,6e3,0,0,,,\n", "line 4.*Bitline"),
        (READ.format(5e3) + "1,2,6e3,-1,x,,,\n", "line 5.*'x' s is no pulse"),
        (READ.format(5e3) + "1,2,6e3,,1e-6,,,\n", "line 5.*could not be counted"),
    ],
)
def test_files_that_cannot_be_right_are_refused(made, rows, words):
    with pytest.raises(TraceFormatError, match=f"arc.csv.*{words}"):
        load_traces(made(rows), format="arc-one")
