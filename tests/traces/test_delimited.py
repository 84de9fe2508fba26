"""Every pitfall of delimited text, with its golden result."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from weakreset.errors import TraceFormatError
from weakreset.traces import load_traces


@pytest.fixture
def load(tmp_path):
    def write_and_load(text, name="lab.csv", **options):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load_traces(path, limits=None, **options)

    return write_and_load


LONG = "device,pulse,resistance_ohm\nA,0,1000\nA,1,1001.5\nB,0,2000\nB,1,2002\n"


def content(traces):
    return {t.key: (t.pulses.tolist(), t.resistance_ohm.tolist()) for t in traces}


GOLDEN = {"A": ([0, 1], [1000.0, 1001.5]), "B": ([0, 1], [2000.0, 2002.0])}


@pytest.mark.parametrize(
    "text",
    [
        LONG,
        LONG.replace(",", "\t"),
        LONG.replace(",", ";").replace(".", ","),
        LONG.replace(",", "\t").replace(".", ","),
        LONG.replace("\n", "\r\n"),
        "\ufeff" + LONG,
        LONG.encode("utf-16"),
        LONG.replace("\n", ",,\n"),
        "device,pulse,resistance_ohm\n" + LONG.split("\n", 1)[1].replace("\n", ",\n"),
        "# " + LONG,
        "#" + LONG,
        "# made by hand, 3 columns\n# operator: me\n\n" + LONG + "\n\n",
        LONG.replace("B,0", "# a note, in the middle, of, the table\nB,0"),
        LONG.replace("device", "Cell").replace("pulse", "Pulse number").replace("resistance_ohm", "R (Ω)"),
        LONG.replace(",", ", "),
        LONG.replace("A,", '"A",'),
        LONG.replace(",", " "),
        "device,pulse,R [kohm]\nA,0,1\nA,1,1.0015\nB,0,2\nB,1,2.002\n",
        "device,pulse,resistance_Mohm\nA,0,1e-3\nA,1,1.0015e-3\nB,0,2e-3\nB,1,2.002E-03\n",
        "pulse,A,B\n0,1000,2000\n1,1001.5,2002\n",
        "pulse;A [kohm];B [kohm]\n0;1,0;2,0\n1;1,0015;2,002\n",
        "cell,0,1\nA,1000,1001.5\nB,2000,2002\n",
        "cell,pulse_0,pulse_1\nA,1000,1001.5\nB,2000,2002\n",
        "pulse,device,resistance\n0,A,1000\n0,B,2000\n1,A,1001.5\n1,B,2002\n",
    ],
)
def test_one_content_in_many_dresses(load, text):
    read = content(load(text))
    assert read.keys() == GOLDEN.keys()
    for key, (pulses, ohm) in GOLDEN.items():
        assert read[key][0] == pulses
        assert read[key][1] == pytest.approx(ohm, rel=1e-14)


def test_gzip(load):
    assert content(load(gzip.compress(LONG.encode()), "lab.csv.gz")) == GOLDEN


@pytest.mark.parametrize(
    ("header", "cells", "ohm"),
    [
        ("conductance [uS]", ["100", "50"], [1e4, 2e4]),
        ("G_uS", ["100", "50"], [1e4, 2e4]),
        ("conductance", ["1e-4", "5e-5"], [1e4, 2e4]),
        ("current_nA,read_voltage_mV", ["100,100", "50,100"], [1e6, 2e6]),
        ("I [A],V_read [V]", ["1e-5,0.1", "5e-6,0.1"], [1e4, 2e4]),
    ],
)
def test_conductance_and_current_become_ohm(load, header, cells, ohm):
    rows = "".join(f"{i},{cell}\n" for i, cell in enumerate(cells))
    (trace,) = load(f"pulse,{header}\n{rows}")
    assert trace.resistance_ohm == pytest.approx(ohm, rel=1e-14)
    assert trace.device == "lab"


def test_current_without_a_voltage_is_refused_and_a_constant_accepted(load):
    text = "pulse,current\n0,1e-5\n1,5e-6\n"
    with pytest.raises(TraceFormatError, match="read voltage"):
        load(text)
    for options in ({"read_voltage_v": 0.2}, {"column_map": "read_voltage='200 mV'"}):
        assert load(text, **options).traces[0].resistance_ohm == pytest.approx([2e4, 4e4])


@pytest.mark.parametrize(
    ("text", "column_map"),
    [
        ("A\t0\t1000.000\nA\t1\t1001.500\nB\t0\t2000\nB\t1\t2002\n", "device=0,pulse=1,resistance=2"),
        ("A\t1000\nA\t1001.5\nB\t2000\nB\t2002\n", "device=0,pulse=@row,resistance=1"),
        ("A\t1000\t1001.5\nB\t2000\t2002\n", "device=0,resistance=1:"),
    ],
)
def test_headerless_files_need_a_map(load, text, column_map):
    assert content(load(text, column_map=column_map)) == GOLDEN
    with pytest.raises(TraceFormatError, match=r"no header line.*--map"):
        load(text)


@pytest.mark.parametrize("text", ["A;0;7,1\nA;1;-7,2\n", "A;0;,\nA;1;7,\n", "A;0;inf\nA;1;1e999\n"])
def test_headerless_files_with_decimal_commas_are_refused_with_a_map(load, text):
    with pytest.raises(TraceFormatError, match=r"no header line.*--map"):
        load(text)


def test_addresses_keep_their_zeros_and_stay_text(load):
    traces = load("device,pulse,R\n007,0,5\n007,1,6\nNA,0,7\n")
    assert [t.device for t in traces] == ["007", "NA"]
    mapped = load("007\t0\t5\n007\t1\t6\n", column_map="device=0,pulse=1,resistance=2")
    assert [t.device for t in mapped] == ["007"]


def test_address_columns_name_the_device_together(load):
    traces = load("die,row,col,pulse,R\nd1,0,3,0,5\nd1,0,3,1,6\nd2,0,3,0,7\n")
    assert [t.device for t in traces] == ["d1/0/3", "d2/0/3"]


def test_extra_columns_are_kept_as_they_came(load):
    (trace,) = load("pulse,R,v_sl,note\n0,5,0.9,x\n1,,1.0,y\n2,6,1.1,z\n")
    assert trace.extras["v_sl"].tolist() == [0.9, 1.1]
    assert trace.extras["note"].tolist() == ["x", "z"]


def test_derived_columns_are_not_readings(load):
    (trace,) = load("Pulse number,Conductance,Moving averaged conductance,,\n0,1e-4,9e-5,,\n1,2e-4,9e-5,,\n")
    assert trace.resistance_ohm == pytest.approx([1e4, 5e3])
    assert not trace.extras


@pytest.mark.parametrize("flag", ["true", "True", "yes"])
def test_a_comment_labels_simulated_data(load, flag):
    assert load(f"# simulated: {flag}\n{LONG}").simulated
    assert not load(LONG).simulated
    assert not load(f"# simulated: no\n{LONG}").simulated


def test_bad_readings_are_named_and_never_shift_a_pulse(load):
    cells = ["1000", "", "NaN", "0", "-5", "inf", "oops", "1007"]
    padding = "".join(f"{i},{1000 + i}\n" for i in range(8, 30))
    traces = load("pulse,R\n" + "".join(f"{i},{cell}\n" for i, cell in enumerate(cells)) + padding)
    (trace,) = traces
    assert trace.pulses.tolist() == [0, *range(7, 30)]
    assert trace.resistance_ohm.tolist() == [1000.0, *range(1007, 1030)]
    named = [(e.pulse, e.line, e.reason, e.value) for e in traces.exclusions]
    assert named == [
        (1, 3, "missing reading (empty or NaN)", ""),
        (2, 4, "missing reading (empty or NaN)", ""),
        (3, 5, "zero reading", "0.0"),
        (4, 6, "negative reading", "-5.0"),
        (5, 7, "infinite reading", "inf"),
        (6, 8, "not a number", "oops"),
    ]
    assert {e.device for e in traces.exclusions} == {"lab"}


def test_lines_are_counted_with_comments_and_blank_lines(load):
    traces = load("# a: 1\n\npulse,R\n0,5\n\n# note\n1,x\n2,7\n3,8\n")
    assert [(e.line, e.pulse, e.value) for e in traces.exclusions] == [(7, 1, "x")]


def test_missing_pulses_in_the_file_stay_missing(load):
    (trace,) = load("pulse,R\n0,5\n5,6\n1000,7\n")
    assert trace.pulses.tolist() == [0, 5, 1000]


def test_a_row_without_a_pulse_number_or_device_is_named(load):
    traces = load("device,pulse,R\nA,0,5\nA,,6\n,2,7\nA,2.5,8\nA,-1,9\nA,3,8\n")
    assert content(traces) == {"A": ([0, 3], [5.0, 8.0])}
    assert [(e.line, e.reason) for e in traces.exclusions] == [
        (3, "no pulse number"),
        (4, "no device name"),
        (5, "pulse number is not a whole number from 0 up"),
        (6, "pulse number is not a whole number from 0 up"),
    ]


def test_wide_columns_of_different_length_end_without_a_word_but_gaps_are_named(load):
    traces = load("pulse,A,B\n0,5,6\n1,,7\n2,5,\n3,5,\n")
    assert content(traces) == {"A": ([0, 2, 3], [5.0, 5.0, 5.0]), "B": ([0, 1], [6.0, 7.0])}
    assert [(e.device, e.pulse, e.line) for e in traces.exclusions] == [("A", 1, 3)]


def test_mostly_negative_readings_are_refused_because_ln_r_is_undefined(load):
    with pytest.raises(TraceFormatError, match=r"ln R is undefined"):
        load("pulse,R\n0,-0.5\n1,-0.4\n2,0.1\n")


def test_text_in_many_cells_is_refused_with_its_place(load):
    rows = "".join(f"A,{i},hello{i}\n" for i in range(20))
    with pytest.raises(TraceFormatError, match=r"lab\.csv, line 2, column 'R': 'hello0' where a number should be"):
        load("device,pulse,R\n" + rows)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("\n \n", "empty"),
        ("# only: comments\n", "no line of data"),
        ("device,pulse,R\n", "no line of data"),
        ("device,foo,bar\nA,x,y\nB,z,u\n", "no column is recognised as resistance"),
        ("device,resistance\nA,5\nA,6\n", "pulse=@row"),
        ("device,pulse,R1 [ohm],R2 [ohm]\nA,0,5,6\n", "could each be the resistance"),
        ("pulse,resistance [nA]\n0,5\n", "unit of current"),
        ("pulse,resistance [a.u.]\n0,5\n", "not a unit"),
        ("pulse,R\n0,5\n1,6,7\n2,8\n", "line 3"),
        ("pulse,R\n0,5\n1,6,7,8,9\n2,8\n", "line 3"),
        ("pulse,R\n0,\x00\n", "binary"),
        ("device,cycle,pulse,R\nA,x,0,5\n", "line 2, column 'cycle'"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(load, text, words):
    with pytest.raises(TraceFormatError, match=words):
        load(text)


def test_a_long_line_late_in_the_file_is_refused_with_its_line(load):
    rows = [f"{i},{100 + i}" for i in range(500)]
    rows[400] += ",1"
    with pytest.raises(TraceFormatError, match="line 402"):
        load("pulse,R\n" + "\n".join(rows))


def test_a_decompression_bomb_is_refused(load):
    bomb = gzip.compress(b"pulse,R\n" + b"0,5\n" * (20 << 20))
    with pytest.raises(TraceFormatError, match="bomb"):
        load(bomb, "bomb.csv.gz")


def test_a_cut_gzip_is_refused(load):
    with pytest.raises(TraceFormatError, match="gzip"):
        load(gzip.compress(LONG.encode())[:-10], "cut.csv.gz")


def test_restarted_counters_are_new_cycles_and_a_cycle_column_is_used(load):
    restart = load("pulse,R\n0,5\n1,6\n2,7\n0,8\n1,9\n")
    column = load("cycle,pulse,R\n0,0,5\n0,1,6\n0,2,7\n1,0,8\n1,1,9\n")
    expected = {"lab": ([0, 1, 2], [5.0, 6.0, 7.0]), "lab#1": ([0, 1], [8.0, 9.0])}
    assert content(restart) == content(column) == expected


def test_a_table_of_very_many_columns_is_read_by_lines(load):
    ohm = np.round(np.random.default_rng(3).lognormal(9, 0.1, (2, 6000)), 3)
    rows = "".join(f"{name}\t" + "\t".join(map(repr, row.tolist())) + "\n" for name, row in zip("AB", ohm, strict=True))
    traces = load(rows.replace(repr(float(ohm[1, 7])), "bad", 1), column_map="device=0,resistance=1:")
    assert [t.device for t in traces] == ["A", "B"]
    assert np.array_equal(traces["A"].resistance_ohm, ohm[0])
    assert np.array_equal(traces["B"].resistance_ohm, np.delete(ohm[1], 7))
    assert [(e.device, e.pulse, e.line, e.value) for e in traces.exclusions] == [("B", 7, 2, "bad")]
