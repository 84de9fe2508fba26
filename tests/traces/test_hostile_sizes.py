"""Files that are small on the disk and large in memory, or no files at all: refused soon, in one sentence."""

from __future__ import annotations

import gzip
import os
import time
import tracemalloc

import h5py
import pytest

from weakreset import load_traces
from weakreset.errors import TraceFormatError
from weakreset.traces.readers import text_blocks
from weakreset.traces.readers.hdf5_guard import Budget, walk

_MIB = 1 << 20


@pytest.fixture
def peak():
    """Peak of what Python and numpy allocate, in MiB."""
    tracemalloc.start()
    yield lambda: tracemalloc.get_traced_memory()[1] / _MIB
    tracemalloc.stop()


@pytest.mark.parametrize(
    ("filling", "words"),
    [(b"\0", "a line of more than 32 MiB"), (b"7", "a line of more than 32 MiB"), (b"\n", "nothing but empty lines"),
     (b"D1,1,1000\n", "decompression bomb")],
)  # fmt: skip
def test_a_packed_file_that_would_fill_the_memory(tmp_path, peak, filling, words):
    member = gzip.compress(filling * (16 * _MIB // len(filling)))
    path = tmp_path / "lot.csv.gz"
    path.write_bytes(member * 8)
    with pytest.raises(TraceFormatError, match=words):
        load_traces(path)
    assert peak() < 100


def test_a_line_without_an_end(tmp_path, peak):
    path = tmp_path / "lot.csv"
    with open(path, "wb") as stream:
        stream.write(b"device,pulse,R\n")
        stream.truncate(1 << 30)  # a sparse file: zeros that take no room
    with pytest.raises(TraceFormatError, match="a line of more than 32 MiB"):
        load_traces(path)
    assert peak() < 100


def test_a_name_of_megabytes(tmp_path):
    path = tmp_path / "lot.csv"
    path.write_text("R" * 3_000_000 + "\n1\n2\n")
    start = time.process_time()
    with pytest.raises(TraceFormatError, match="column 0 has a name of 3000000 signs") as refused:
        load_traces(path)
    assert time.process_time() - start < 2
    assert len(str(refused.value)) < 500


def test_more_comments_than_anybody_writes(tmp_path):
    path = tmp_path / "lot.csv"
    path.write_text("".join(f"# key {i}: {i}\n" for i in range(20_001)) + "device,pulse,R\nD1,0,1000\nD1,1,1001\n")
    with pytest.raises(TraceFormatError, match="20001 lines of comments above the table"):
        load_traces(path)


@pytest.mark.parametrize(
    "block", ["device: d{}\npulse,R_ohm\n1,1000\n2,1001\n\n", "[section {}]\nkey=value\n"], ids=["devices", "sections"]
)
def test_more_tables_than_traces(tmp_path, block, monkeypatch):
    monkeypatch.setattr(text_blocks, "_MANY", 10)
    path = tmp_path / "lot.csv"
    path.write_text("".join(block.format(i) for i in range(100)))
    with pytest.raises(TraceFormatError, match="more than 10 tables of fewer than 100 bytes"):
        load_traces(path)


def test_very_many_packed_files_in_one(tmp_path):
    path = tmp_path / "lot.csv.gz"
    path.write_bytes(gzip.compress(b"D1,1,1000\n") * 20_001)
    with pytest.raises(TraceFormatError, match="20001 gzip files glued together"):
        load_traces(path)


def test_a_device_for_every_row(tmp_path):
    path = tmp_path / "lot.csv"
    path.write_text("device,pulse,R\n" + "".join(f"d{i},0,1000\n" for i in range(100_002)))
    with pytest.raises(TraceFormatError, match="names 100002 devices in 100002 rows"):
        load_traces(path)


def test_more_columns_than_a_table_has(tmp_path):
    path = tmp_path / "lot.csv"
    row = ",".join(["1000"] * 150_001)
    path.write_text("device," + ",".join(f"p{i}" for i in range(150_001)) + f"\nD1,{row}\nD2,{row}\n")
    with pytest.raises(TraceFormatError, match="150002 cells; more than 150000 columns"):
        load_traces(path)


def test_more_groups_than_can_be_walked(tmp_path):
    path = tmp_path / "lot.h5"
    with h5py.File(path, "w") as file:
        for i in range(60):
            file.create_group(f"traces/d{i}")
    with h5py.File(path, "r") as root, pytest.raises(TraceFormatError, match=r"groups and datasets; .*--stream"):
        list(walk(root, Budget("", path.stat().st_size, objects_left=40)))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_no_file(tmp_path):
    path = tmp_path / "lot.csv"
    os.mkfifo(path)
    with pytest.raises(TraceFormatError, match="a pipe or a device, not a file"):
        load_traces(path)


def test_a_name_that_is_not_utf8(tmp_path):
    path = os.fsencode(tmp_path) + b"/lot_\xe9.csv"
    try:
        with open(path, "w") as stream:
            stream.write("pulse,R (ohm)\n" + "".join(f"{k},{7000 + 3 * (k % 7) + k}\n" for k in range(40)))
    except OSError:
        pytest.skip("this file system takes UTF-8 names alone")
    traces = load_traces(os.fsdecode(path))
    trace = traces.traces[0]
    names = [trace.device, trace.source, *(source.path for source in traces.sources), str(traces)]
    assert all(name.encode("utf-8") for name in names)
    assert trace.device == "lot_\\udce9"
