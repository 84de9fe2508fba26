from __future__ import annotations

import h5py
import numpy as np
import pytest

from weakreset.errors import TraceFormatError
from weakreset.traces import load_traces


@pytest.fixture
def made(tmp_path):
    def make(fill):
        path = tmp_path / "lab.h5"
        with h5py.File(path, "w") as root:
            fill(root)
        return load_traces(path, limits=None)

    return make


def add(group, **columns):
    for name, values in columns.items():
        group.create_dataset(name, data=values)


def test_a_generic_group_per_device_with_units(made):
    def fill(root):
        for name in ("W1", "W2"):
            group = root.create_group(f"wafer/{name}")
            add(group, pulse=[0, 1, 2], conductance=[100.0, 50.0, 25.0], v_sl=[1.0, 2.0, 3.0])
            group["conductance"].attrs["unit"] = "uS"

    traces = made(fill)
    assert [t.device for t in traces] == ["W1", "W2"]
    assert traces["W1"].resistance_ohm == pytest.approx([1e4, 2e4, 4e4])
    assert traces["W2"].extras["v_sl"].tolist() == [1, 2, 3]


def test_a_flat_file_with_a_device_column(made):
    traces = made(lambda root: add(root, device=[b"A", b"A", b"B"], pulse=[0, 1, 0], resistance=[1.0, 2.0, 3.0]))
    assert {t.device: t.resistance_ohm.tolist() for t in traces} == {"A": [1, 2], "B": [3]}


@pytest.mark.parametrize("shape", ["long", "matrix"])
@pytest.mark.parametrize(("names", "kept"), [([1.0, np.nan, 3.0], ["1", "3"]), (["A", "", "C"], ["A", "C"])])
def test_a_reading_without_a_device_is_excluded_and_named(made, shape, names, kept):
    def fill(root):
        device = names if isinstance(names[0], float) else [name.encode() for name in names]
        if shape == "long":
            add(root, device=np.repeat(device, 2), pulse=[0, 1] * 3, resistance=[1.0, 2, 3, 4, 5, 6])
        else:
            add(root, device=device, pulse=[0, 1], resistance=[[1.0, 2], [3, 4], [5, 6]])

    traces = made(fill)
    assert {t.device: t.resistance_ohm.tolist() for t in traces} == {kept[0]: [1, 2], kept[1]: [5, 6]}
    assert [(e.device, e.pulse, e.reason) for e in traces.exclusions] == [
        ("", 0, "no device name"),
        ("", 1, "no device name"),
    ]


@pytest.mark.parametrize("matrix", [False, True])
def test_a_unit_in_the_name_of_a_dataset_counts(made, matrix):
    def fill(root, stated=""):
        values = np.array([7.0, 8.0])
        add(root, pulse=[0, 1], R_kohm=values[None] if matrix else values)
        if stated:
            root["R_kohm"].attrs["unit"] = stated

    for stated in ("", "kohm"):
        assert made(lambda root, stated=stated: fill(root, stated)).traces[0].resistance_ohm.tolist() == [7000, 8000]
    with pytest.raises(TraceFormatError, match="R_kohm: its name says kohm, its attribute ohm"):
        made(lambda root: fill(root, "ohm"))


def test_nan_and_zero_are_named_with_device_and_pulse(made):
    traces = made(lambda root: add(root.create_group("A"), pulse=range(5), resistance=[1.0, np.nan, 0, 4, 5]))
    assert [(e.device, e.pulse, e.reason) for e in traces.exclusions] == [
        ("A", 1, "missing reading (empty or NaN)"),
        ("A", 2, "zero reading"),
    ]


LINES = [[1.0, 2, np.nan], [3, np.nan, np.nan]]


def test_a_matrix_with_other_pulse_numbers(made):
    traces = made(lambda root: add(root, device=["A", "B"], pulse=[5, 10, 20], resistance=LINES))
    assert {t.device: t.pulses.tolist() for t in traces} == {"A": [5, 10], "B": [5]}


def test_links_to_other_files_are_refused(made, tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as root:
        add(root.create_group("A"), pulse=[0], resistance=[1.0])

    def external(root):
        root["A"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "/A")

    def dangling(root):
        root["A"] = h5py.SoftLink("/nowhere")

    def virtual(root):
        layout = h5py.VirtualLayout((1,), float)
        layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "/A/resistance", (1,))
        group = root.create_group("A")
        add(group, pulse=[0])
        group.create_virtual_dataset("resistance", layout)

    def outside(root):
        group = root.create_group("A")
        add(group, pulse=[0])
        group.create_dataset("resistance", (1,), float, external=[(str(tmp_path / "raw.bin"), 0, 8)])

    cases = {external: "another file", dangling: "not there", virtual: "refused", outside: "refused"}
    for fill, words in cases.items():
        with pytest.raises(TraceFormatError, match=words):
            made(fill)


@pytest.mark.parametrize("shape", [(1 << 40,), (300 << 20,), (20 << 20,)])
def test_huge_dimensions_are_refused_before_reading(made, shape):
    def fill(root):
        group = root.create_group("A")
        for name in ("pulse", "resistance"):
            group.create_dataset(name, shape, float, chunks=(1024,))

    with pytest.raises(TraceFormatError, match="shape"):
        made(fill)


def test_loops_of_groups_end(made):
    def fill(root):
        group = root.create_group("A")
        add(group, pulse=[0], resistance=[1.0])
        group["again"] = root

    with pytest.raises(TraceFormatError, match="deep"):
        made(fill)


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"pulse": [0, 1], "resistance": [1.0]}, "different lengths"),
        ({"pulse": [0, 1]}, "no group holds readings"),
        ({"resistance": [1.0]}, "pulse"),
        ({"pulse": [0, 1, 2], "resistance": [[1.0, 2.0]]}, "3 pulse numbers"),
        ({"pulse": [1, 0], "resistance": [[1.0, 2.0]]}, "increasing"),
    ],
)
def test_files_of_another_shape_are_refused_with_the_reason(made, columns, words):
    with pytest.raises(TraceFormatError, match=words):
        made(lambda root: add(root, **columns))


def test_a_cut_file_is_refused(tmp_path):
    path = tmp_path / "lab.h5"
    with h5py.File(path, "w") as root:
        add(root.create_group("A"), pulse=range(1000), resistance=np.ones(1000))
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(TraceFormatError, match="broken HDF5"):
        load_traces(path)
