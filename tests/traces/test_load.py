from __future__ import annotations

import hashlib
import sys
from importlib import metadata

import numpy as np
import pytest

from weakreset.errors import TraceError, TraceFormatError, UsageError
from weakreset.traces import TraceSet, load_traces, recognise, write_csv_long, write_hdf5
from weakreset.traces.contract import ColumnsTable, FileContent, Recognition


def two_devices(seed):
    return TraceSet.from_arrays(["A", "B"], range(40), np.random.default_rng(seed).lognormal(9, 0.1, (2, 40)))


@pytest.fixture
def lab(tmp_path):
    write_csv_long(two_devices(1), tmp_path / "lot1.csv")
    write_hdf5(two_devices(2), tmp_path / "lot2.h5")
    (tmp_path / "notes.md").write_text("nothing")
    (tmp_path / ".hidden.csv").write_text("nothing")
    return tmp_path


@pytest.mark.parametrize("sources", ["", "*.*[5v]", ["lot1.csv", "lot2.h5"], ["*.csv", "lot1.csv", "lot2.h5"]])
def test_paths_patterns_and_folders(lab, sources):
    given = [str(lab / item) for item in ([sources] if isinstance(sources, str) else sources)]
    traces = load_traces(given)
    assert [t.device for t in traces] == ["lot1/A", "lot1/B", "lot2/A", "lot2/B"]
    assert [s.format for s in traces.sources] == ["delimited", "hdf5"]
    assert traces.sources[0].sha256 == hashlib.sha256((lab / "lot1.csv").read_bytes()).hexdigest()
    assert all(s.why for s in traces.sources)


def test_a_device_that_only_one_file_has_keeps_its_name(lab):
    assert [t.device for t in load_traces(lab / "lot1.csv")] == ["A", "B"]


def test_files_of_one_name_in_two_folders_are_told_apart(tmp_path):
    for seed, folder in enumerate(("monday", "tuesday")):
        (tmp_path / folder).mkdir()
        rows = "".join(f"{i},{100 + i + seed}\n" for i in range(40))
        (tmp_path / folder / "cell.csv").write_text("pulse,R\n" + rows)
        write_csv_long(two_devices(1 + seed), tmp_path / folder / "lot.csv")
    single = load_traces(str(tmp_path / "*/cell.csv"))
    assert [t.device for t in single] == ["monday/cell", "tuesday/cell"]
    many = load_traces(str(tmp_path / "*/lot.csv"))
    assert [t.device for t in many] == [f"{day}/lot.csv/{name}" for day in ("monday", "tuesday") for name in "AB"]


def test_exclusions_are_renamed_with_their_device(tmp_path):
    for k, name in enumerate(("a", "b"), start=1):
        rows = "".join(f"X,{i},{k * i}\n" for i in range(1, 40))
        (tmp_path / f"{name}.csv").write_text("device,pulse,R_ohm\nX,0,\n" + rows)
    traces = load_traces(tmp_path, limits=None)
    assert [item.device for item in traces.exclusions] == ["a/X", "b/X"]


def test_missing_things_are_explained(lab):
    with pytest.raises(TraceFormatError, match=r"no such file.*Did you mean .*lot1\.csv"):
        load_traces(lab / "lott1.csv")
    with pytest.raises(TraceFormatError, match="matches this pattern"):
        load_traces(str(lab / "*.xyz"))
    with pytest.raises(TraceFormatError, match=r"folder .* is not there"):
        load_traces(lab / "nowhere" / "lot1.csv")
    (lab / "sub").mkdir()
    with pytest.raises(TraceFormatError, match="no file that we read"):
        load_traces(lab / "sub")
    with pytest.raises(UsageError):
        load_traces([])
    with pytest.raises(TraceFormatError):
        load_traces("a\x00b")


def test_an_unknown_or_wrong_format_is_refused(lab):
    with pytest.raises(UsageError, match="delimited"):
        load_traces(lab / "lot1.csv", format="word")
    with pytest.raises(TraceFormatError, match="broken HDF5"):
        load_traces(lab / "lot1.csv", format="hdf5")
    (lab / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    with pytest.raises(TraceFormatError, match="no reader takes"):
        load_traces(lab / "picture.png")


def test_a_set_with_no_device_left_is_an_error_that_counts_the_reasons(tmp_path):
    (tmp_path / "t.csv").write_text("pulse,R\n0,500\n1,600\n")
    with pytest.raises(TraceError, match="1 x too few reads"):
        load_traces(tmp_path / "t.csv")


class LabReader:
    """What a lab would write for its own format."""

    name = "lab"
    suffixes = (".lab",)

    def recognise(self, path, head):
        return Recognition(1.0, "it begins with LAB") if head.startswith(b"LAB") else None

    def read(self, path):
        ohm = np.array(path.read_text().split()[1:], dtype=float)
        return FileContent([ColumnsTable(["pulse", "resistance"], [np.arange(len(ohm)), ohm])])


@pytest.fixture
def lab_reader(monkeypatch):
    entry = metadata.EntryPoint("lab", f"{__name__}:LabReader", recognise.ENTRY_POINT_GROUP)
    monkeypatch.setattr(recognise.metadata, "entry_points", lambda group: [entry] if group == entry.group else [])
    recognise.readers.cache_clear()
    yield
    recognise.readers.cache_clear()


@pytest.mark.usefixtures("lab_reader")
def test_a_reader_from_an_entry_point_is_used(tmp_path):
    (tmp_path / "x.lab").write_text("LAB 5 6 7")
    (trace,) = load_traces(tmp_path, limits=None)
    assert (trace.device, trace.resistance_ohm.tolist()) == ("x", [5, 6, 7])


def test_importing_the_stage_is_light():
    import subprocess

    code = "import sys, weakreset.traces; print({'pandas', 'h5py'} & set(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "set()"
