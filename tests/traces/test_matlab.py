"""MATLAB files: matrices, workspaces, and what is no table of readings."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
import scipy.io

from tests.traces.formats import DATA, read_in_this_process
from weakreset.errors import TraceFormatError
from weakreset.traces import load_traces


@pytest.fixture(autouse=True)
def here(monkeypatch):
    monkeypatch.setattr("weakreset.traces.readers.matlab.read_isolated", read_in_this_process)


@pytest.fixture
def made(tmp_path):
    def make(**variables):
        scipy.io.savemat(tmp_path / "lab.mat", variables)
        return tmp_path / "lab.mat"

    return make


def read(path, **options):
    return {t.device: (t.pulses.tolist(), t.resistance_ohm.tolist()) for t in load_traces(path, limits=None, **options)}


def test_vectors_of_the_workspace(made):
    path = made(pulse=[0, 1, 2], G_uS=[100.0, 50.0, 25.0], note="x")
    assert read(path)["lab"] == ([0, 1, 2], pytest.approx([1e4, 2e4, 4e4]))


@pytest.mark.parametrize("turn", [False, True])
def test_a_matrix_whose_long_side_is_pulses(made, turn):
    values = np.array([[1.0, 2, 3], [4, 5, 6]])
    names = np.array(["A", "B"], dtype=object)
    path = made(pulse=[0, 5, 9], resistance_kohm=values.T if turn else values, device=names)
    assert read(path) == {"A": ([0, 5, 9], [1e3, 2e3, 3e3]), "B": ([0, 5, 9], [4e3, 5e3, 6e3])}


def test_structs_are_devices_and_what_is_left_out_is_named(made):
    ramp = {"pulse": [0, 1], "R": [5e3, 6e3], "fit": [1.0, 2.0, 3.0]}
    path = made(W1=ramp, W2=ramp, setup={"voltage": 1.0})
    traces = load_traces(path, limits=None)
    assert {t.device for t in traces} == {"W1", "W2"}
    assert "left out: W1.fit, W2.fit, setup" in traces.sources[0].why


def test_a_matrix_of_columns_needs_a_map(made):
    path = made(data=[[0, 5e3], [1, 6e3]])
    with pytest.raises(TraceFormatError, match="no header"):
        load_traces(path)
    assert read(path, column_map="pulse=0,resistance=1") == {"lab": ([0, 1], [5e3, 6e3])}


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"resistance": np.ones((3, 3)), "pulse": [0, 1, 2]}, "3 x 3 readings"),
        ({"resistance": np.ones((2, 3))}, "there are no pulse numbers"),
        ({"resistance": np.ones((2, 3)), "pulse": [2, 1, 0]}, "whole and increasing"),
        ({"resistance": [1.0, 2.0], "pulse": [0, 1, 2]}, "pulse has 3 values, the readings 2"),
        ({"text": "abc"}, "its variables are 'text'"),
    ],
)
def test_files_of_another_shape_are_refused_with_the_reason(made, variables, words):
    with pytest.raises(TraceFormatError, match=f"lab.mat.*{words}"):
        load_traces(made(**variables))


def version_73(path, fill):
    with h5py.File(path, "w", userblock_size=512) as root:
        fill(root)
    header = (DATA / "matlab_73.mat").read_bytes()[:512]
    path.write_bytes(header + path.read_bytes()[512:])
    return path


@pytest.mark.parametrize(
    ("fill", "words"),
    [
        (lambda root: root.create_dataset("R", (1 << 40,), float, chunks=(1024,)), "more than we read"),
        (lambda root: root.create_dataset("R", (1 << 26,), float, chunks=(1 << 26,)), "too large to read safely"),
        (lambda root: root.__setitem__("R", h5py.ExternalLink("other.h5", "/R")), "links are refused"),
    ],
)
def test_version_73_is_checked_before_it_is_read(tmp_path, fill, words):
    with pytest.raises(TraceFormatError, match=f"lab.mat.*{words}"):
        load_traces(version_73(tmp_path / "lab.mat", fill))


def test_a_huge_dimension_in_version_5_is_refused(made):
    path = made(resistance=np.ones((2, 3)), pulse=[0, 1, 2])
    content = path.read_bytes()
    dimensions = np.array([2, 3], dtype=np.int32).tobytes()
    path.write_bytes(content.replace(dimensions, np.array([1 << 30, 1 << 30], dtype=np.int32).tobytes()))
    with pytest.raises(TraceFormatError, match=r"lab\.mat"):
        load_traces(path)
