"""Files of other labs that were read wrongly, or refused without need: each kind with the right value."""

from __future__ import annotations

import numpy as np
import pytest

from weakreset import load_traces
from weakreset.errors import TraceFormatError
from weakreset.traces import PulseTrace, TraceSet, screen

NAMES = ["D1", "D2", "D3"]
PULSES = np.arange(40)
OHM = np.array([[8e3], [1e4], [1.3e4]]) * np.exp(3e-3 * PULSES + 0.002 * np.random.default_rng(2).normal(size=(3, 40)))


def wide(*rows_above, names=NAMES, factor=1.0, first="pulse"):
    lines = [*rows_above, ",".join([first, *names])]
    return lines + [",".join([str(p), *(f"{r[p] / factor:.6g}" for r in OHM)]) for p in PULSES]


def side_by_side():
    lines = ["D1,,,D2,,,D3", "Pulse,R (ohm),,Pulse,R (ohm),,Pulse,R (ohm),"]
    return lines + [",".join(f"{p},{r[p]:.6g}," for r in OHM) for p in PULSES]


def rows(cell, head="device,pulse,R (ohm)", sep=","):
    return [head] + [sep.join(cell(n, p, r[p])) for n, r in zip(NAMES, OHM, strict=True) for p in PULSES]


RIGHT = {
    "the fresh device has a word": rows(lambda n, p, r: (n, "fresh" if p == 0 else str(p), f"{r:.6g}")),
    "a column for the fresh device": [
        ",".join(["Device", "Initial", *(f"After {p}" for p in PULSES[1:])]),
        *(",".join([n, *(f"{v:.6g}" for v in r)]) for n, r in zip(NAMES, OHM, strict=True)),
    ],
    "points of thousands and decimal commas": rows(
        lambda n, p, r: (n, str(p), f"{r:,.2f}".translate(str.maketrans(",.", ".,"))), "device;pulse;R (ohm)", ";"
    ),
    "devices above blocks, the last one at the end of the line": side_by_side(),
    "the quantity in the corner": wide(first="pulse \\ R (kOhm)", factor=1e3),
    "pulses over rows of devices": [
        ",".join(["Pulse", *map(str, PULSES)]),
        *(",".join([f"{n} R (ohm)", *(f"{v:.6g}" for v in r)]) for n, r in zip(NAMES, OHM, strict=True)),
    ],
    "one word in all cells and a remark above the names": [
        "a,a,a", "Comment,weak reset,2026", ",".join(NAMES), *(",".join(f"{r[p]:.6g}" for r in OHM) for p in PULSES)
    ],
    "one word in all cells above the names": [
        "a,a,a", ",".join(NAMES), *(",".join(f"{r[p]:.6g}" for r in OHM) for p in PULSES)
    ],
}


@pytest.mark.parametrize("kind", RIGHT)
def test_read_right(tmp_path, kind):
    (tmp_path / "lot.csv").write_text("\n".join(RIGHT[kind]) + "\n")
    traces = load_traces(tmp_path / "lot.csv")
    assert [trace.device.split()[0] for trace in traces] == NAMES
    for trace, row in zip(traces, OHM, strict=True):
        assert trace.pulses.tolist() == PULSES.tolist()
        assert trace.resistance_ohm == pytest.approx(row, rel=1e-4)


def test_columns_like_the_devices_that_no_name_explains_are_asked_about(tmp_path):
    (tmp_path / "lot.csv").write_text("\n".join(wide(names=["1k", "A", "S"])) + "\n")
    words = r"'1k' hold values like those of 'A'.*--map resistance=1\+2\+3; if not"
    with pytest.raises(TraceFormatError, match=words) as e:
        load_traces(tmp_path / "lot.csv")
    assert "--map ignore=1" in str(e.value)
    assert len(load_traces(tmp_path / "lot.csv", column_map="resistance=1+2+3")) == 3
    assert len(load_traces(tmp_path / "lot.csv", column_map="ignore=1")) == 2


def test_a_comma_in_the_brackets_of_a_name_shifts_no_column(tmp_path):
    """The header has three cells more than the lines, so D2 was read as the column of D1."""
    (tmp_path / "lot.csv").write_text("\n".join(wide(names=[f"{n} (R, kohm)" for n in NAMES], factor=1e3)) + "\n")
    with pytest.raises(TraceFormatError, match=r"'D1 \(R, kohm\)'.*--map resistance=1:3\[kohm\]"):
        load_traces(tmp_path / "lot.csv")
    traces = load_traces(tmp_path / "lot.csv", column_map="resistance=1:3[kohm]")
    assert np.stack([trace.resistance_ohm for trace in traces]) == pytest.approx(OHM, rel=1e-4)


@pytest.mark.parametrize("units", [("ohm", "kohm"), ("kohm", "ohm"), ("kohm", "")])
@pytest.mark.parametrize("line", ["# unit: {}", "Unit,{}"])
def test_the_header_again_under_another_unit_begins_another_table(tmp_path, units, line):
    """Where the second lot says nothing, its unit is that of the first."""
    scale = {"ohm": 1.0, "kohm": 1e3, "": 1e3}
    lines = []
    for lot, unit in zip("AB", units, strict=True):
        lines += [line.format(unit)] if unit else []
        lines += ["device,pulse,R"]
        lines += [f"{lot}{n},{p},{r[p] / scale[unit]:.7g}" for n, r in zip(NAMES, OHM, strict=True) for p in PULSES]
    (tmp_path / "lot.csv").write_text("\n".join(lines) + "\n")
    traces = load_traces(tmp_path / "lot.csv")
    assert [trace.device for trace in traces] == [lot + name for lot in "AB" for name in NAMES]
    assert np.stack([trace.resistance_ohm for trace in traces]) == pytest.approx(np.vstack([OHM, OHM]), rel=1e-5)


@pytest.mark.parametrize("units", [("kohm", "kohm"), ("kohm", "ohm"), ("kiloohms", "kiloohms"), ("kOhmz", "kOhmz")])
def test_a_row_of_units_is_one_where_a_second_table_has_it_again(tmp_path, units):
    """In small tables the second row of units lies among the lines that are looked at: like a reading again."""
    lines = []
    for lot, unit in zip("AB", units, strict=True):
        lines += [",".join(["pulse", *(lot + name for name in NAMES)]), f",{','.join([unit] * len(NAMES))}"]
        scale = 1.0 if unit == "ohm" else 1e3
        lines += [",".join([f"{p}", *(f"{r[p] / scale:.7g}" for r in OHM)]) for p in PULSES]
    (tmp_path / "lot.csv").write_text("\n".join(lines) + "\n")
    if "kOhmz" in units:
        with pytest.raises(TraceFormatError, match="kOhmz"):
            load_traces(tmp_path / "lot.csv")
        return
    traces = load_traces(tmp_path / "lot.csv")
    assert np.stack([trace.resistance_ohm for trace in traces]) == pytest.approx(np.vstack([OHM, OHM]), rel=1e-5)


def test_a_narrower_table_with_units_below_its_header_is_another_table(tmp_path):
    """Rows are pulses: two columns behind three went on as pulses of the first two."""
    lines = []
    for names in (NAMES[:3], ["E1", "E2"]):
        lines += ["\t".join(names), "\t".join(["ohm"] * len(names))]
        lines += ["\t".join(f"{OHM[i][p]:.7g}" for i in range(len(names))) for p in PULSES]
        lines += [""]
    (tmp_path / "lot.tsv").write_text("\n".join(lines) + "\n")
    traces = load_traces(tmp_path / "lot.tsv")
    assert [trace.device for trace in traces] == [*NAMES[:3], "E1", "E2"]
    truth = np.vstack([OHM[:3], OHM[:2]])
    assert np.stack([trace.resistance_ohm for trace in traces]) == pytest.approx(truth, rel=1e-5)


def test_no_map_is_advised_that_runs_over_words(tmp_path):
    """Below `Points, 36` the names and their unit are rows like others: the map would lose a factor of 1,000."""
    rows = [f"{OHM[0][p] / 1e3:.6g}\t{OHM[1][p] / 1e3:.6g}" for p in PULSES]
    (tmp_path / "lot.tsv").write_text("\n".join([f"Points\t{len(PULSES)}", "D1\tD2", "kOhm\tkOhm", *rows]) + "\n")
    with pytest.raises(TraceFormatError) as e:
        load_traces(tmp_path / "lot.tsv")
    assert "Tried on this file" not in str(e.value)
    traces = load_traces(tmp_path / "lot.tsv", skip=1)
    assert np.stack([trace.resistance_ohm for trace in traces]) == pytest.approx(OHM[:2], rel=1e-5)


def test_an_error_code_is_one_at_the_end_of_a_trace_too():
    """Its last read has a neighbour on one side only; the same number was a glitch before."""
    ohm = OHM[0].copy()
    ohm[[12, 39]] = 999999.0
    kept = screen(TraceSet((PulseTrace("D1", PULSES, ohm),)))
    assert kept.traces[0].pulses.tolist() == [p for p in PULSES if p not in (12, 39)]
    assert [item.pulse for item in kept.exclusions] == [12, 39]
