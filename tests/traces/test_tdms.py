"""TDMS: groups, lengths, and files that were cut."""

from __future__ import annotations

import numpy as np
import pytest
from nptdms import ChannelObject, TdmsWriter

from tests.traces.formats import DATA, read_in_this_process
from weakreset.errors import TraceFormatError
from weakreset.traces import load_traces


@pytest.fixture(autouse=True)
def here(monkeypatch):
    monkeypatch.setattr("weakreset.traces.readers.tdms.read_isolated", read_in_this_process)


@pytest.fixture
def made(tmp_path):
    def make(*channels):
        with TdmsWriter(str(tmp_path / "lab.tdms")) as writer:
            for group, name, values in channels:
                writer.write_segment([ChannelObject(group, name, np.array(values))])
        return tmp_path / "lab.tdms"

    return make


def test_one_group_is_named_after_the_file_and_several_after_themselves(made):
    one = [("g", "pulse", [0, 1]), ("g", "R", [5e3, 6e3])]
    assert [t.device for t in load_traces(made(*one), limits=None)] == ["lab"]
    two = [*one, ("h", "pulse", [0, 1]), ("h", "R", [7e3, 8e3])]
    traces = load_traces(made(*two), limits=None)
    assert {t.device: t.resistance_ohm.tolist() for t in traces} == {"g": [5e3, 6e3], "h": [7e3, 8e3]}


def test_channels_of_text_and_of_no_role(made):
    path = made(("g", "pulse", [0, 1]), ("g", "R", [5e3, 6e3]), ("g", "note", ["a", "b"]), ("g", "T", [300, 301]))
    extras = load_traces(path, limits=None)["lab"].extras
    assert (extras["note"].tolist(), extras["T"].tolist()) == (["a", "b"], [300, 301])


def test_channels_of_different_lengths_are_refused(made):
    with pytest.raises(TraceFormatError, match=r"lab.tdms.*group 'g': channels of different lengths"):
        load_traces(made(("g", "pulse", [0, 1, 2]), ("g", "R", [5e3, 6e3])))


def test_a_file_without_values_is_refused(made):
    with pytest.raises(TraceFormatError, match="no channel holds values"):
        load_traces(made(("g", "pulse", np.zeros(0))))


def test_a_huge_number_of_values_is_refused(tmp_path):
    content = (DATA / "sample.tdms").read_bytes()
    count = np.uint64(31).tobytes()
    assert count in content
    path = tmp_path / "lab.tdms"
    path.write_bytes(content.replace(count, np.uint64(1 << 40).tobytes()))
    with pytest.raises(TraceFormatError, match=r"lab\.tdms: .*cut or altered"):
        load_traces(path)
