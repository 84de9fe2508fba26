"""Mutated files give traces or a WeakResetError, never another exception (seed 20266)."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from weakreset.errors import WeakResetError
from weakreset.traces import PulseTrace, TraceSet, load_traces, write_csv_long, write_csv_wide, write_hdf5

N_MUTANTS = 150


def mutate(content: bytes, rng: np.random.Generator) -> bytes:
    data = bytearray(content)
    for _ in range(rng.integers(1, 6)):
        at = int(rng.integers(len(data) + 1))
        kind = rng.integers(5)
        if kind == 0 and data:
            data[at % len(data)] ^= 1 << int(rng.integers(8))
        elif kind == 1:
            del data[at : at + int(rng.integers(1, 40))]
        elif kind == 2:
            data[at:at] = rng.choice([b",", b";", b"\n", b'"', b"#", b"-", b"e99999", b"\x00", b"\xff", b"\r", b"nan"])
        elif kind == 3:
            data[at:at] = data[at : at + int(rng.integers(1, 200))]
        else:
            data = data[:at] if rng.random() < 0.2 else data
    return bytes(data)


def outcome(path, **options) -> str:
    """'' for a file that was read, the message for one that was refused; any other exception escapes."""
    try:
        load_traces(path, limits=None, **options)
    except WeakResetError as error:
        return str(error)
    return ""


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    folder = tmp_path_factory.mktemp("originals")
    rng = np.random.default_rng(7)
    plain = TraceSet.from_arrays(["A", "B"], range(20), np.round(rng.lognormal(9, 0.1, (2, 20)), 1))
    ragged = TraceSet(tuple(PulseTrace(f"d{i}", range(5 + i), np.full(5 + i, 7.5), i) for i in range(3)))
    return {
        "long.csv": write_csv_long(ragged, folder / "long.csv").read_bytes(),
        "wide.csv": write_csv_wide(plain, folder / "wide.csv").read_bytes(),
        "comma.csv": b"device;pulse;R [kohm]\r\n" + b"".join(b"A;%d;7,%d\r\n" % (i, i) for i in range(20)),
        "compact.h5": write_hdf5(plain, folder / "compact.h5").read_bytes(),
        "groups.h5": write_hdf5(ragged, folder / "groups.h5").read_bytes(),
        "long.csv.gz": gzip.compress(write_csv_long(plain, folder / "p.csv").read_bytes()),
    }


@pytest.mark.parametrize("name", ["long.csv", "wide.csv", "comma.csv", "compact.h5", "groups.h5", "long.csv.gz"])
def test_mutated_files_are_read_or_refused(originals, tmp_path, name):
    rng = np.random.default_rng([20266, len(name), sum(name.encode())])
    path = tmp_path / name
    outcomes = {"read": 0, "refused": 0}
    for _ in range(N_MUTANTS):
        path.write_bytes(mutate(originals[name], rng))
        message = outcome(path)
        outcomes["refused" if message else "read"] += 1
        assert not message or name in message
    assert outcomes["refused"] > 0


@pytest.mark.parametrize(
    "column_map", ["device=0,pulse=1,resistance=2", "device=0,resistance=1:", "pulse=@row,current=0"]
)
def test_mutated_files_with_a_map(originals, tmp_path, column_map):
    rng = np.random.default_rng([20266, len(column_map)])
    path = tmp_path / "t.csv"
    for _ in range(N_MUTANTS):
        path.write_bytes(mutate(originals["comma.csv"], rng))
        message = outcome(path, column_map=column_map, read_voltage_v=0.1)
        assert not message or "t.csv" in message
