"""Reading in another process: what a library may do there costs one refused file, nothing more."""

from __future__ import annotations

import os
import time

import numpy as np
import pytest

from weakreset.errors import TraceFormatError
from weakreset.traces.contract import ColumnsTable, FileContent
from weakreset.traces.readers import other_process
from weakreset.traces.readers.isolated import read_isolated


class Honest:
    def parse(self, path):
        text = np.array(["ä<b>", "", "7"], dtype=object)
        columns = [np.arange(3), np.array([1.5, np.nan, -0.0]), text]
        table = ColumnsTable(["n", "x", "t"], columns, "dev", {"unit": "ohm"}, True, np.array([4, 5, 6]))
        return FileContent([table], True, "by hand")


class Greedy:
    def parse(self, path):
        return np.ones(1 << 28)


class Endless:
    def parse(self, path):
        while True:
            pass


class Sleeping:
    def parse(self, path):
        time.sleep(60)


class Crashing:
    def parse(self, path):
        os.abort()


class Talking:
    def parse(self, path):
        os.write(1, b"words of the library\n")
        raise ValueError("<no>")


@pytest.fixture
def path(tmp_path):
    (tmp_path / "lab.bin").write_bytes(b"x")
    return tmp_path / "lab.bin"


def test_tables_come_back_as_they_were(path):
    content = read_isolated(Honest(), path)
    (table,) = content.tables
    assert (content.simulated, content.how, table.device, table.metadata) == (True, "by hand", "dev", {"unit": "ohm"})
    assert table.names == ("n", "x", "t")
    assert table.columns[0].dtype == np.int64
    assert table.columns[1] == pytest.approx([1.5, np.nan, -0.0], nan_ok=True)
    assert table.text(2).tolist() == ["ä<b>", "", "7"]
    assert [table.line_of(row) for row in range(3)] == [4, 5, 6]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Greedy, "more memory"),
        (Endless, "took too long|far too long"),
        (Sleeping, "far too long"),
        (Crashing, "crashed"),
    ],
)
def test_what_a_library_does_is_the_end_of_one_file(path, monkeypatch, kind, words):
    monkeypatch.setattr(other_process, "_WALL_SECONDS", 3)
    with pytest.raises(TraceFormatError, match=f"lab.bin.*({words})"):
        read_isolated(kind(), path)


def test_the_helper_goes_on_after_a_crash(path):
    with pytest.raises(TraceFormatError, match="crashed"):
        read_isolated(Crashing(), path)
    assert len(read_isolated(Honest(), path).tables) == 1


def test_its_own_words_are_not_taken_for_an_answer(path):
    with pytest.raises(TraceFormatError, match=r"lab\.bin"):
        read_isolated(Talking(), path)
