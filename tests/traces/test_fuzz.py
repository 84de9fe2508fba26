"""Mutated files give traces or a WeakResetError, never another exception (seed 20266)."""

from __future__ import annotations

import gzip
import subprocess
import sys

import h5py
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


def rows_of(name: str) -> bytes:
    return b"".join(b"%s,%d,%d\n" % (name.encode(), i, 7000 + i) for i in range(40))


HOSTILE = {
    "columns.csv": b"device,pulse," + b"r," * 10_000_000 + b"\nA,0," + b"5," * 10_000_000 + b"\n",
    "one_line.csv": b"7" * 30_000_000,
    "separators.csv": b";" * 30_000_000,
    "quotes.csv": b'device,pulse,R\n"' + b"a\n" * 3_000_000,
    "numbers.csv": b"pulse,R\n" + b"0," + b"9" * 5_000_000 + b"\n1,5\n2,6\n3,7\n",
    "formulas.csv": b"device,pulse,R\n" + b'=cmd|"/C calc"!A0,0,=1+1\n' * 40,
    "encodings.csv": b"\xef\xbb\xbfdevice,pulse,R\n" + rows_of("A") + "é".encode() + b"\xff\xfe\x80,0,5\n",
    "big_pulse.csv": b"pulse,R\n0,5\n99999999999999999999,6\n1e300,7\n2,8\n",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_ends_soon_and_in_little_memory(tmp_path, name):
    """In a process that may use 1 GB more than its imports and 10 s of processor time."""
    (tmp_path / name).write_bytes(HOSTILE[name])
    assert_tame(tmp_path / name)


def assert_tame(path) -> str:
    code = (
        "import resource, sys, time, numpy, pandas, h5py, pyarrow.csv\n"
        "from weakreset.errors import WeakResetError\n"
        "from weakreset.traces import load_traces\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "before, start, said = peak(), time.process_time(), ''\n"
        "try:\n    load_traces(sys.argv[1], limits=None)\n"
        "except WeakResetError as error:\n    said = str(error)[:2000]\n"
        "print(peak() - before, time.process_time() - start)\nprint(said)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    figures, _, said = done.stdout.partition("\n")
    kilobytes, seconds = map(float, figures.split())
    assert kilobytes < 1e6
    assert seconds < 10
    assert not said.strip() or path.name in said
    return said


@pytest.mark.parametrize("shape", [(1 << 40,), (100 << 20,), (6 << 20,)])
@pytest.mark.parametrize("packed", [False, True])
def test_hostile_hdf5_ends_soon_and_in_little_memory(tmp_path, shape, packed):
    path = tmp_path / "t.h5"
    with h5py.File(path, "w") as root:
        for name in ("pulse", "resistance"):
            root.create_dataset(name, shape, float, chunks=(1 << 20,), **({"compression": "gzip"} if packed else {}))
    assert "shape" in assert_tame(path)


def test_a_wrong_pulse_index_is_never_made(tmp_path):
    """Lines of a table are cut, doubled, swapped and damaged; whatever is read has the number its line gave it."""
    rng = np.random.default_rng(202611)
    path = tmp_path / "t.csv"
    n_read = 0
    for _ in range(100):
        lines = [b"A,%d,%d" % (k, 7000 + k) for k in range(40)]  # the reading says which pulse it is
        for _ in range(rng.integers(1, 5)):
            i, j = rng.integers(len(lines), size=2)
            kind = rng.integers(5)
            if kind == 0:
                del lines[i]
            elif kind == 1:
                lines.insert(j, lines[i])
            elif kind == 2:
                lines[i] = rng.choice([b"", b"A,,%d" % (7000 + i), b"A,%d," % i, b"A,%d,x" % i, b"# A,3,7003"])
            elif kind == 3:
                lines[i], lines[j] = lines[j], lines[i]
            else:
                lines[i] = lines[i][: rng.integers(1, len(lines[i]))] if lines[i] else b""
        path.write_bytes(b"device,pulse,R\n" + b"\n".join(lines) + b"\n")
        if outcome(path):
            continue
        for trace in load_traces(path, limits=None):
            whole = trace.resistance_ohm >= 7000  # a cut line may end in a shorter number
            assert np.array_equal(trace.resistance_ohm[whole] - 7000, trace.pulses[whole])
            n_read += int(whole.sum())
    assert n_read > 1000
