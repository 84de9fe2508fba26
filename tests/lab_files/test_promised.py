"""`fit` uses the devices and readings that `inspect` promises, and ends as it says; `make fuzz` tries all kinds."""

from __future__ import annotations

import json

import pytest

from tests.lab_files import promised
from tests.lab_files.kinds import make
from tests.lab_files.promised import broken_promise

KINDS = {
    "mean and std among the devices": "csv",
    "reads at two voltages after each pulse": "csv",
    "devices at two temperatures": "xlsx",
    "shares beside the R0 of each device": "csv",
    "a map of an array": "semicolon",
    "a device that opens midway": "csv",
    "a column of pulses without a name": "tab",
}

pytestmark = pytest.mark.filterwarnings("ignore::weakreset.WeakResetWarning")


@pytest.mark.parametrize("name", KINDS)
def test_fit_does_what_inspect_promises(name, tmp_path):
    assert broken_promise(make(name, KINDS[name], 5, tmp_path / "lab"), tmp_path) == ""


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda lot: lot["devices"].append("D99"), "D99"),
        (lambda lot: lot["excluded"]["reads"].update(glitch=1), "left out"),
        (lambda lot: lot.update(sentence="unit assumed"), "unit"),
    ],
)
def test_a_broken_promise_is_seen(change, words, tmp_path, monkeypatch):
    """The judge itself: a device promised that is not fitted, a reading that is not left out, a unit that is known."""
    case = make("mean and std among the devices", "csv", 5, tmp_path / "lab")
    run = promised._run

    def otherwise(*arguments):
        out, err, code = run(*arguments)
        if arguments[0] == "inspect":
            found = json.loads(out)
            change(found["lot"])
            out = json.dumps(found)
        return out, err, code

    monkeypatch.setattr(promised, "_run", otherwise)
    assert words in broken_promise(case, tmp_path)
