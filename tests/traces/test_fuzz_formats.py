"""Damaged files of every format are read or refused by name, in bounded time (seed 20267).

`make fuzz` does the same with 20,000 files.
"""

from __future__ import annotations

import time
import zlib

import numpy as np
import pytest

from tests.traces.fuzz_samples import MAPS, mutate, samples
from weakreset.errors import TraceError, TraceFormatError
from weakreset.traces import load_traces

N_MUTANTS = 15


def message(path, column_map):
    """'' for a file that was read, else why it was refused; any other exception escapes."""
    try:
        load_traces(path, column_map=column_map, limits=None)
    except TraceError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("name", sorted(samples()))
def test_damaged_files_are_read_or_refused(name, tmp_path):
    path = tmp_path / name
    found = []
    for i in range(N_MUTANTS):
        path.write_bytes(mutate(name, samples()[name], np.random.default_rng([20267, zlib.crc32(name.encode()), i])))
        began = time.process_time()
        found.append(message(path, MAPS.get(name)))
        assert time.process_time() - began < 10
    refusals = [words for words in found if words]
    assert refusals
    assert all(name in words for words in refusals)


@pytest.mark.parametrize("name", sorted(samples()))
def test_the_undamaged_file_is_read(name, tmp_path):
    (tmp_path / name).write_bytes(samples()[name])
    assert len(load_traces(tmp_path / name, column_map=MAPS.get(name), limits=None))


@pytest.mark.parametrize(
    "cell", ["9" * 1_000_000 + "x", "a" + " " * 300_000 + "b", "a" + "_" * 300_000 + "/", "(" * 300_000]
)
def test_a_very_long_cell_takes_no_long_time(tmp_path, cell):
    path = tmp_path / "long.csv"
    rows = "".join(f"A;{i};7.5;x\n" for i in range(20))
    began = time.process_time()
    path.write_text(f"device;pulse;R;note\n{rows}A;20;7.5;{cell}\n")
    assert len(load_traces(path, limits=None)) == 1
    path.write_text(f"device;pulse;R;{cell}\n{rows}")
    with pytest.raises(TraceFormatError, match="a table of readings has none of more than"):
        load_traces(path, limits=None)
    assert time.process_time() - began < 5
