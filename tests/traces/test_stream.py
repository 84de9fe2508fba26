"""Traces some devices at a time: the same as all at once."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from weakreset.cli import main
from weakreset.errors import TraceError, TraceFormatError
from weakreset.parameter_file import load_parameters
from weakreset.traces import PulseTrace, TraceSet, load_traces, stream_traces, write_csv_long, write_hdf5
from weakreset.traces import stream as stream_module
from weakreset.traces.readers import hdf5
from weakreset.twin import simulate_traces


def devices(n, n_pulses=40, ragged=False):
    rng = np.random.default_rng(n)
    rows = np.round(rng.lognormal(9, 0.1, (n, n_pulses)), 2)
    if not ragged:
        return TraceSet.from_arrays([f"d{i}" for i in range(n)], range(n_pulses), rows)
    return TraceSet(tuple(PulseTrace(f"d{i}", range(n_pulses - i % 3), row[: n_pulses - i % 3], i % 2)
                          for i, row in enumerate(rows)))  # fmt: skip


def flat(path, names, n_pulses=40):
    rng = np.random.default_rng(1)
    with h5py.File(path, "w") as root:
        root["device"] = [name.encode() for name in names for _ in range(n_pulses)]
        root["pulse"] = np.tile(np.arange(n_pulses), len(names))
        root["resistance"] = rng.lognormal(9, 0.1, n_pulses * len(names))
    return path


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch):
    monkeypatch.setattr(hdf5, "_BLOCK_DEVICES", 7)
    monkeypatch.setattr(hdf5, "_BLOCK_BYTES", 3000)
    monkeypatch.setattr(stream_module, "_DEVICES", 7)


@pytest.mark.parametrize("kind", ["matrix", "groups", "flat", "csv"])
def test_parts_are_together_the_whole(tmp_path, kind):
    path = tmp_path / ("t.csv" if kind == "csv" else "t.h5")
    if kind == "flat":
        flat(path, [f"d{i}" for i in range(23)])
    elif kind == "csv":
        write_csv_long(devices(23), path)
    else:
        write_hdf5(devices(23, ragged=kind == "groups"), path)
    parts = list(stream_traces(path))
    whole = load_traces(path)
    assert len(parts) > 2
    assert max(map(len, parts)) <= 7
    joined = TraceSet.join(parts)
    assert joined.to_frame().equals(whole.to_frame())
    assert joined.exclusions == whole.exclusions
    assert {s.sha256 for s in joined.sources} == {whole.sources[0].sha256}


def test_where_and_limits_hold_in_every_part(tmp_path):
    path = write_hdf5(devices(23), tmp_path / "t.h5")
    parts = list(stream_traces(path, where="pulse<30 and device!=d0", limits=None))
    whole = load_traces(path, where="pulse<30 and device!=d0", limits=None)
    assert TraceSet.join(parts).to_frame().equals(whole.to_frame())
    assert sum(e.n_readings for p in parts for e in p.exclusions) == sum(e.n_readings for e in whole.exclusions)
    assert all(len(part) for part in parts[:-1])
    with pytest.raises(TraceError, match=r"no device is left.*too few reads"):
        list(stream_traces(path, where="pulse<3"))


def test_a_device_that_comes_back_is_refused(tmp_path):
    path = flat(tmp_path / "t.h5", [*(f"d{i}" for i in range(20)), "d3"])
    with pytest.raises(TraceFormatError, match="'d3' comes back"):
        list(stream_traces(path))
    with h5py.File(tmp_path / "g.h5", "w") as root:
        for i in range(20):
            group = root.create_group(f"g{i}")
            group.attrs["device"] = f"d{i % 19}"
            group["pulse"], group["resistance"] = np.arange(40), np.linspace(5e3, 6e3, 40)
    with pytest.raises(TraceError, match="'d0' appears twice"):
        list(stream_traces(tmp_path / "g.h5"))


def test_files_are_told_apart(tmp_path):
    for name, part in (("a", devices(3)), ("b", devices(4).select_devices({"d0", "d1", "d2"}))):
        write_hdf5(part, tmp_path / f"{name}.h5")
    assert [t.device for part in stream_traces(tmp_path) for t in part] == [f"{f}/d{i}" for f in "ab" for i in range(3)]


def test_larger_than_what_is_held_is_refused_whole_and_read_in_parts(tmp_path, monkeypatch):
    path = write_hdf5(devices(40), tmp_path / "t.h5")
    monkeypatch.setattr(hdf5, "_LARGEST_BYTES", 10_000)
    with pytest.raises(TraceFormatError, match="--stream"):
        load_traces(path)
    assert sum(map(len, stream_traces(path))) == 40


def test_fit_streams_from_the_command_line(tmp_path):
    write_hdf5(simulate_traces("majumdar2021", 30, 200, 5), tmp_path / "t.h5")
    for name, options in (("parts", ["--stream"]), ("whole", ["--no-stream"])):
        main(["fit", str(tmp_path / "t.h5"), "-o", str(tmp_path / f"{name}.json"), "--jobs", "1", *options])
    tables = [(tmp_path / f"{name}.devices.csv").read_text().splitlines() for name in ("parts", "whole")]
    assert len(tables[0]) == len(tables[1]) == 31
    assert [row.split(",")[:4] for row in tables[0]] == [row.split(",")[:4] for row in tables[1]]
    provenance = load_parameters(tmp_path / "parts.json").provenance
    assert any(note.startswith("screening limits: open_ohm=1e+07") for note in provenance.notes)


def test_no_device_of_a_stream_is_compared_with_the_others(tmp_path):
    """Its parts would decide; the note of the limits says so."""
    lines = ["device,pulse,R [ohm]"]
    for device in range(12):
        ohm = (120.0 if device == 5 else 7000.0) * np.exp(np.random.default_rng(device).normal(0, 0.01, 40))
        lines += [f"D{device},{pulse},{r:.3f}" for pulse, r in enumerate(ohm)]
    path = tmp_path / "lot.csv"
    path.write_text("\n".join(lines) + "\n")
    assert len(load_traces(path)) == 11
    parts = list(stream_traces(path))
    assert sum(map(len, parts)) == 12
    assert all(any("far_decades=0," in note for note in part.notes) for part in parts)
