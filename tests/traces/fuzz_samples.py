"""Healthy files of every format, to be mutated: `SAMPLES` is file name -> bytes, `MAPS` what some need to be read."""

from __future__ import annotations

import gzip
import io
import re
import tempfile
import zipfile
from functools import cache
from pathlib import Path

import numpy as np

from tests.traces import formats
from weakreset.traces import PulseTrace, TraceSet, write_csv_long, write_csv_wide, write_hdf5

MAPS = {"smu.csv": "pulse=Item", "bare.tsv": "device=0,resistance=1:"}


@cache
def samples() -> dict[str, bytes]:
    """File name -> bytes: the sample files of data/ and small ones of our own formats; seed 7."""
    found = {sample.file: (formats.DATA / sample.file).read_bytes() for sample in formats.SAMPLES.values()}
    rng = np.random.default_rng(7)
    plain = TraceSet.from_arrays(["A", "B"], range(20), np.round(rng.lognormal(9, 0.1, (2, 20)), 1))
    ragged = TraceSet(tuple(PulseTrace(f"d{i}", range(5 + i), np.full(5 + i, 7.5), i) for i in range(3)))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found["long.csv"] = write_csv_long(ragged, folder / "long.csv").read_bytes()
        found["wide.csv"] = write_csv_wide(plain, folder / "wide.csv").read_bytes()
        found["compact.h5"] = write_hdf5(plain, folder / "compact.h5").read_bytes()
        found["groups.h5"] = write_hdf5(ragged, folder / "groups.h5").read_bytes()
        found["plain.mat"] = _uncompressed_mat()
    found["comma.csv"] = b"device;pulse;R [kohm]\r\n" + b"".join(b"A;%d;7,%d\r\n" % (i, i) for i in range(20))
    found["bare.tsv"] = b"".join(b"%d.000\t" % i + b"\t".join([b"5000.125"] * 30) + b"\r\n" for i in range(8))
    found["long.csv.gz"] = gzip.compress(found["long.csv"], mtime=0)
    found["arc_one.csv.gz"] = gzip.compress(found["arc_one.csv"], mtime=0)
    return found


def _uncompressed_mat() -> bytes:
    import scipy.io

    stream = io.BytesIO()
    ramp = {"device": "A", "pulse": np.arange(9.0), "R": np.linspace(5e3, 6e3, 9)}
    scipy.io.savemat(stream, {"ramps": np.array([ramp, ramp | {"device": "B"}], dtype=object), "note": "x"})
    return b"MATLAB 5.0 MAT-file".ljust(116) + stream.getvalue()[116:]


def mutate(name: str, content: bytes, rng: np.random.Generator) -> bytes:
    """A damaged copy; half of the packed files are unpacked, damaged inside, and packed again."""
    if rng.random() < 0.5 and name.endswith(".gz"):
        return gzip.compress(_damage(gzip.decompress(content), rng), mtime=0)
    if rng.random() < 0.5 and name.endswith(".xlsx"):
        return _damage_inside(content, rng)
    return _damage(content, rng)


def _damage_inside(content: bytes, rng: np.random.Generator) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        names = old.namelist()
        chosen = names[int(rng.integers(len(names)))] if rng.random() < 0.5 else "xl/worksheets/sheet1.xml"
        for entry in names:
            new.writestr(entry, _damage(old.read(entry), rng) if entry == chosen else old.read(entry))
    return stream.getvalue()


def _damage(content: bytes, rng: np.random.Generator) -> bytes:
    data = bytearray(content)
    for _ in range(int(rng.integers(1, 6))):
        kind = int(rng.integers(len(_KINDS)))
        at = int(rng.integers(len(data) + 1))
        _KINDS[kind](data, at, rng)
    return bytes(data)


def _flip(data: bytearray, at: int, rng: np.random.Generator) -> None:
    if data:
        data[at % len(data)] ^= 1 << int(rng.integers(8))


def _cut(data: bytearray, at: int, rng: np.random.Generator) -> None:
    if rng.random() < 0.2:
        del data[at:]


def _remove(data: bytearray, at: int, rng: np.random.Generator) -> None:
    del data[at : at + int(rng.integers(1, 40))]


def _repeat(data: bytearray, at: int, rng: np.random.Generator) -> None:
    data[at:at] = data[at : at + int(rng.integers(1, 200))]


def _splice(data: bytearray, at: int, rng: np.random.Generator) -> None:
    start, length = int(rng.integers(len(data) + 1)), int(rng.integers(1, 500))
    data[at : at + length] = data[start : start + length]


def _insert(data: bytearray, at: int, rng: np.random.Generator) -> None:
    odd = [
        b",",
        b";",
        b"\n",
        b'"',
        b"#",
        b"-",
        b"e99999",
        b"\x00",
        b"\xff",
        b"\r",
        b"nan",
        b"\xef\xbb\xbf",
        b"=1+1",
        b"<",
    ]
    data[at:at] = odd[int(rng.integers(len(odd)))]


def _huge_text(data: bytearray, at: int, rng: np.random.Generator) -> None:
    if match := re.compile(rb"\d+").search(data, at):
        huge = [b"9" * 30, b"4294967296", b"2147483647", b"1e308", b"9" * 5000, b"1048576", b"-1"]
        data[match.start() : match.end()] = huge[int(rng.integers(len(huge)))]


def _huge_binary(data: bytearray, at: int, rng: np.random.Generator) -> None:
    width = int(rng.choice([1, 2, 4, 8]))
    value = [b"\xff" * width, b"\x00" * width, (1 << (8 * width - 2)).to_bytes(width, "little"), b"\x7f" * width]
    data[at : at + width] = value[int(rng.integers(len(value)))]


_KINDS = (_flip, _flip, _cut, _remove, _repeat, _splice, _insert, _huge_text, _huge_binary)
