"""HDF5 files that the tests write themselves, thousands of them, are read without the process that tries them first."""

from __future__ import annotations

import pytest

_OWN_FILES = ("test_fuzz", "test_round_trip", "test_hdf5")


@pytest.fixture(autouse=True)
def _no_trial_of_own_files(request, monkeypatch):
    if request.module.__name__.rpartition(".")[2] in _OWN_FILES:
        monkeypatch.setattr("weakreset.traces.readers.hdf5.try_elsewhere", lambda reader, path: None)
