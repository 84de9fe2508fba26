"""Layouts beside those of the corpus of lab files: what names, headers and data say about rows and columns."""

from __future__ import annotations

import numpy as np
import pytest

from weakreset.errors import TraceFormatError
from weakreset.traces import load_traces

READS = 40


def curve(level: float, rng: np.random.Generator) -> list[float]:
    climb = 0.004 * np.arange(READS) + 0.003 * rng.standard_normal(READS)
    return [float(f"{ohm:.6g}") for ohm in level * np.exp(climb)]


@pytest.fixture
def rng():
    return np.random.default_rng(41)


def table(header: list[str], columns: list[list[float]]) -> str:
    rows = [",".join(header), *(",".join(map(str, row)) for row in zip(*columns, strict=True))]
    return "\n".join(rows) + "\n"


def read(tmp_path, text: str, **options):
    path = tmp_path / "lab.csv"
    path.write_text(text)
    return load_traces(path, **options)


def content(traces) -> dict[str, tuple[list[int], list[float]]]:
    return {trace.device: (trace.pulses.tolist(), pytest.approx(trace.resistance_ohm.tolist())) for trace in traces}


@pytest.mark.parametrize("names", [["cell-A", "cell-B", "cell-C"], ["chip1-R1", "chip1-R2", "chip1-R3"]])
def test_columns_that_are_devices_make_rows_pulses(tmp_path, rng, names):
    columns = [curve(level, rng) for level in (8e3, 9e3, 1e4)]
    traces = read(tmp_path, table(names, columns))
    assert {t.device: t.resistance_ohm.tolist() for t in traces} == dict(zip(names, columns, strict=True))


@pytest.mark.parametrize("aside", ["elapsed_s", "Chuck temperature", "Stdev", "V_gate [V]", "humidity_percent", "T2"])
def test_what_stands_beside_devices_is_none(tmp_path, rng, aside):
    columns = [list(range(READS)), curve(8e3, rng), curve(9e3, rng), [300.0 + i for i in range(READS)]]
    traces = read(tmp_path, table(["pulse", "D1", "D2", aside], columns))
    assert [trace.device for trace in traces] == ["D1", "D2"]


def test_numbers_in_names_count_whatever_their_order(tmp_path, rng):
    pulses = 10 * rng.permutation(READS)
    ohm = np.array(curve(1e4, rng))
    header = "cell," + ",".join(f"after {pulse} (kohm)" for pulse in pulses)
    rows = [f"{name}," + ",".join(f"{k * ohm[p // 10] / 1e3:.9g}" for p in pulses) for name, k in (("A", 1), ("B", 2))]
    traces = read(tmp_path, "\n".join([header, *rows]) + "\n")
    assert content(traces)["A"][0] == list(range(0, 10 * READS, 10))
    assert traces["B"].resistance_ohm == pytest.approx(2 * ohm, rel=1e-8)


def test_a_second_header_of_another_unit_and_order_begins_another_table(tmp_path, rng):
    one, two = curve(8e3, rng), curve(9e3, rng)
    first = "device,pulse,R (ohm)\n" + "".join(f"A,{i},{r}\n" for i, r in enumerate(one))
    second = "Tool,SMU,2\nR (kohm),Device,Pulse #\n" + "".join(f"{r / 1e3:.9g},B,{i}\n" for i, r in enumerate(two))
    traces = read(tmp_path, first + second)
    assert traces["A"].resistance_ohm.tolist() == one
    assert traces["B"].resistance_ohm == pytest.approx(np.array(two), rel=1e-8)


def test_the_last_number_of_a_text_without_a_line_end_is_left_out_by_name(tmp_path, rng):
    ohm = curve(8e3, rng)
    whole = table(["pulse", "R (ohm)"], [list(range(READS)), ohm])
    (trace,) = (traces := read(tmp_path, whole[:-3]))
    assert trace.resistance_ohm.tolist() == ohm[:-1]
    assert [(item.pulse, item.line) for item in traces.exclusions] == [(READS - 1, READS + 1)]
    assert "may be cut" in traces.exclusions[0].value


def test_lines_above_the_header_are_skipped_and_said(tmp_path, rng):
    ohm = curve(8e3, rng)
    text = table(["pulse", "R (ohm)"], [list(range(READS)), ohm])
    traces = read(tmp_path, "Instrument,4200\nSites,12\n\n" + text)
    assert traces.traces[0].resistance_ohm.tolist() == ohm
    assert "skipped 2 lines above the header: Instrument,4200" in traces.sources[0].why
    assert read(tmp_path, "pulse,R\n1,2\n" + text, skip=2).traces[0].resistance_ohm.tolist() == ohm


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("cycle,HRS (ohm),LRS (ohm)", "endurance"),
        ("t (s),R (ohm),x", "retention or time record"),
        ("V_bias,current_A,x", "sweep of voltage"),
        ("Potentiation G (S),Depression G (S),x", "LTP"),
    ],
)
def test_other_measurements_are_named_and_no_row_counter_is_offered(tmp_path, rng, header, words):
    columns = [[0.1 * i for i in range(READS)], curve(1e4, rng), curve(5e4, rng)]
    with pytest.raises(TraceFormatError, match=words) as caught:
        read(tmp_path, table(header.split(","), columns))
    assert words == "LTP" or "@row" not in str(caught.value)


def test_ramps_up_and_down_are_left_out_and_a_fall_is_noted(tmp_path, rng):
    up = np.exp(np.linspace(0, 1, 50))
    ramps = np.concatenate([up, up[::-1], up, up[::-1]]) * 1e4
    fall = 1e4 * np.exp(-np.linspace(0, 1, 200))
    noisy = 1e4 * np.exp(0.02 * rng.standard_normal(200) + 0.7 * (rng.random(200) < 0.5))
    text = table(["pulse", "D1", "D2", "D3"], [list(range(200)), ramps.tolist(), fall.tolist(), noisy.tolist()])
    traces = read(tmp_path, text)
    assert [trace.device for trace in traces] == ["D2", "D3"]
    assert "4 ramps of about 50 reads" in next(e.reason for e in traces.exclusions if e.device == "D1")
    assert any("gradual SET" in note for note in traces.notes)
