"""Large plain tables: pyarrow and the careful reader give the same traces, to the last bit."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from weakreset.errors import WeakResetError
from weakreset.traces import load_traces
from weakreset.traces.readers import arrow_table, delimited

SETTINGS = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
HEAD = "device,pulse,R,v_sl,note\n" + "".join(f"A{i // 40},{i % 40},{7000 + i / 7!r},0.9,ok\n" for i in range(80))
number = st.one_of(
    st.floats(1e-3, 1e9).map(repr), st.floats(1e-300, 1e300).map(lambda x: f"{x:.17e}"),
    st.integers(1, 10**20).map(str),
    st.sampled_from(["", "0", "-1", "nan", "inf", "1e400", "+5", "5.", ".5", "0x10", "1_0", " 7", "7 ", "x", '"8"']),
)  # fmt: skip
row = st.tuples(
    st.sampled_from(["A0", "A1", "B", "007", "", "c d", "é"]), st.integers(0, 99).map(str) | number, number,
    st.sampled_from(["0.9", "1", "", "true", "2024-01-01"]), st.sampled_from(["ok", "", "#x", "7"]),
).map(",".join)  # fmt: skip
odd_line = st.sampled_from(["", ",,,,", "# note", "A0,1,5,0.9", "A0,1,5,0.9,ok,more", "\t", "A0,1,5,0.9,ok\r"])


def described(path):
    try:
        traces = load_traces(path, limits=None)
    except WeakResetError as error:
        return str(error)
    cells = [
        (t.key, t.pulses.tolist(), t.resistance_ohm.tolist(), {k: (v.dtype.kind, list(map(str, v))) for k, v in
         t.extras.items()}) for t in traces
    ]  # fmt: skip
    return cells, traces.exclusions, traces.sources


def both(path, monkeypatch):
    """What the careful reader says, what pyarrow says, and whether pyarrow took the file."""
    careful = described(path)
    taken = []
    read = arrow_table.read_plain_text

    def spy(path, file):
        found = read(path, file)
        taken.append(found is not None)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(delimited, "SMALLEST_FOR_ARROW", 0)
        patch.setattr(arrow_table, "read_plain_text", spy)
        quick = described(path)
    return careful, quick, bool(taken and taken[0])


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("separator", [",", "\t", ";"])
@pytest.mark.parametrize("before", ["", "\ufeff", "# simulated: true\n# by hand\n"])
def test_plain_files_are_taken_and_read_alike(tmp_path, monkeypatch, ending, separator, before):
    path = tmp_path / "t.csv"
    text = before + HEAD + "B,0,1e-3,1,late\nB,1,,1.5,\nB,2,3,2,x\n"
    path.write_bytes(text.replace(",", separator).replace("\n", ending).encode())
    careful, quick, taken = both(path, monkeypatch)
    assert taken
    assert quick == careful
    assert [name for name, *_ in quick[0]] == ["A0", "A1", "B"]
    assert quick[1][0].line == text.count("\n") - 1


@SETTINGS
@given(rows=st.lists(row, max_size=12), odd=st.lists(st.tuples(st.integers(0, 12), odd_line), max_size=2))
def test_any_rows_are_read_alike(tmp_path, monkeypatch, rows, odd):
    for at, line in odd:
        rows.insert(at, line)
    path = tmp_path / "t.csv"
    path.write_text(HEAD + "".join(line + "\n" for line in rows), newline="")
    careful, quick, _ = both(path, monkeypatch)
    assert quick == careful


@SETTINGS
@given(values=st.lists(st.floats(1e-300, 1e15) | st.floats(1e3, 1e5), min_size=70, max_size=90))
def test_decimals_are_exact(tmp_path, monkeypatch, values):
    path = tmp_path / "t.csv"
    path.write_text("pulse,R_ohm\n" + "".join(f"{i},{value!r}\n" for i, value in enumerate(values)))
    careful, quick, taken = both(path, monkeypatch)
    assert taken
    assert quick[0][0][2] == careful[0][0][2] == values


def test_addresses_of_digits_stay_text(tmp_path, monkeypatch):
    path = tmp_path / "t.csv"
    path.write_text("cell,pulse,R\n" + "".join(f"00{i // 40},{i % 40},{500 + i}\n" for i in range(80)))
    careful, quick, taken = both(path, monkeypatch)
    assert taken
    assert quick == careful
    monkeypatch.setattr(delimited, "SMALLEST_FOR_ARROW", 0)
    path.write_text("".join(f"00{i // 40}\t{i % 40}\t{500 + i}\n" for i in range(80)))
    mapped = load_traces(path, column_map="device=0,pulse=1,resistance=2", limits=None)
    assert [t.device for t in mapped] == ["000", "001"]


def test_a_large_file_takes_this_way_by_itself(tmp_path):
    path = tmp_path / "t.csv"
    ohm = np.random.default_rng(2).lognormal(9, 0.1, (200, 1000))
    rows = (f"D{d},{k},{x!r}\n" for d, r in enumerate(ohm.tolist()) for k, x in enumerate(r))
    path.write_text("device,pulse,R\n" + "".join(rows))
    assert path.stat().st_size > delimited.SMALLEST_FOR_ARROW
    traces = load_traces(path, limits=None)
    assert all(np.array_equal(t.resistance_ohm, row) for t, row in zip(traces, ohm, strict=True))


@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from(["A1", "A2", "B10", "", "é", None]), st.integers(1, 40)), max_size=6),
        min_size=1, max_size=5,
    ),
    st.integers(0, 30),
)  # fmt: skip
def test_texts_in_runs_get_the_codes_of_an_ordinary_dictionary(chunks, skipped):
    """Oracle: pyarrow's own dictionary encoding. Runs across chunks, empty chunks, missing and empty texts, slices."""
    texts = [[name for name, count in chunk for _ in range(count)] for chunk in chunks]
    column = pa.chunked_array([pa.array(part, pa.string()) for part in texts], pa.string()).slice(skipped)
    coded = arrow_table._coded(column)
    assert coded.num_chunks == 1
    expected = column.dictionary_encode().unify_dictionaries()
    assert coded.to_pylist() == column.to_pylist()
    assert coded.chunk(0).dictionary.to_pylist() == (expected.chunk(0).dictionary.to_pylist() if len(column) else [])


@given(st.lists(st.sampled_from(["A1", "B2", "B10", ""]), max_size=60), st.integers(0, 5))
def test_run_starts_are_the_changes(texts, skipped):
    found = arrow_table._run_starts(pa.array(texts, pa.string()).slice(skipped)).tolist()
    rest = texts[skipped:]
    assert found == [i for i in range(len(rest)) if i == 0 or rest[i] != rest[i - 1]]
