"""HDF5 files that the tests write themselves, thousands of them, are read in this process."""

from __future__ import annotations

import pytest

from tests.traces.formats import read_in_this_process

_OWN_FILES = ("test_fuzz", "test_round_trip", "test_hdf5", "test_stream")


@pytest.fixture(autouse=True)
def _no_trial_of_own_files(request, monkeypatch):
    if request.module.__name__.rpartition(".")[2] in _OWN_FILES:
        monkeypatch.setattr("weakreset.traces.readers.hdf5.read_guarded", read_in_this_process)
