"""What the commands must say and do about lab files, beyond reading them: rules 1, 2, 3, 7 and 8."""

from __future__ import annotations

import contextlib
import io
import re

import numpy as np
import pytest

from tests.lab_files.bench import Bench, long_sheet
from tests.lab_files.kinds_other import _broken
from tests.lab_files.known_wrong import KNOWN_WRONG_PROMISES
from tests.lab_files.lot import Lot
from weakreset import fit_devices, inspect_traces, load_traces
from weakreset.cli import main

PROMISES = {}
"""Words -> check: the bench -> (kept, what was seen)."""


def promise(words):
    def register(check):
        PROMISES[words] = check
        return check

    return register


def run(*arguments):
    """Output and exit code of a command."""
    heard = io.StringIO()
    with contextlib.redirect_stdout(heard), contextlib.redirect_stderr(heard):
        code = main([str(argument) for argument in arguments])
    return heard.getvalue(), code


def sentence_of(output):
    """The last line that says something."""
    return [line.strip() for line in output.splitlines() if line.strip()][-1]


@promise("inspect ends with a sentence to check against the bench")
def _(bench):
    lot = bench.lot(n=5, k=50, level_ohm=9e3)
    sheet = long_sheet(lot, "resistance")
    sheet.columns[-1][3] = sheet.columns[-1][60] = 9.91e37
    path = bench.write(sheet)
    last = sentence_of(run("inspect", path)[0])
    wanted = (r"\b5 devices", r"\b(49|50)\b", r"\bk?ohm\b", "assumed", r"\b2 readings? excluded", "(?i)overflow")
    return all(re.search(words, last) for words in wanted), last


@promise("the sentence names a known unit as known")
def _(bench):
    lot = bench.lot(n=3, k=50)
    last = sentence_of(run("inspect", bench.write(long_sheet(lot, "R (kohm)", lambda ohm: ohm / 1e3)))[0])
    return "3 devices" in last and "ohm" in last and "assumed" not in last, last


@promise("inspect promises the devices that fit uses")
def _(bench):
    from weakreset import ScreeningLimits

    lot = bench.lot(n=4, k=60)
    short = Lot([f"S{i}" for i in range(5)], lot.pulses[:18], bench.lot(n=5, k=60).ohm[:, :, :18])
    both = long_sheet(lot)
    more = long_sheet(short)
    both.columns = [[*a, *b] for a, b in zip(both.columns, more.columns, strict=True)]
    path = bench.write(both)
    limits = ScreeningLimits(min_reads=10)
    (found,) = inspect_traces(path, limits=limits)
    fits = fit_devices(load_traces(path, limits=limits))
    return found.n_devices == len(fits.usable), f"{found.n_devices} promised, {fits.counts()}"


@promise("an assumed unit is stored with the traces")
def _(bench):
    traces = load_traces(bench.write(long_sheet(bench.lot(), "resistance")))
    stored = " ".join([*traces.notes, *(source.why for source in traces.sources)])
    return re.search("(?i)assum", stored) is not None, stored


@promise("a folder with unreadable files goes on with --keep-going")
def _(bench):
    bench.write(long_sheet(bench.lot(n=4, k=60)))
    bad = _broken(bench.folder)
    target = bench.folder / "lot.json"
    output, code = run("fit", bench.folder, "--keep-going", "-o", target)
    return code == 0 and target.exists() and all(path.name in output for path in bad), output[-300:]


@promise("a folder with unreadable files stops naming all of them")
def _(bench):
    bench.write(long_sheet(bench.lot(n=4, k=60)))
    bad = _broken(bench.folder)
    output, code = run("fit", bench.folder, "-o", bench.folder / "lot.json")
    return code == 2 and all(path.name in output for path in bad) and "--keep-going" in output, output[-300:]


@promise("cycles of one device are no spread between devices")
def _(bench):
    lot = bench.lot(n=1, k=60, cycles=12)
    path = bench.write(long_sheet(Lot(["A"], lot.pulses, lot.ohm), cycle="cycle"))
    output, _ = run("fit", path, "-o", bench.folder / "one.json")
    said = re.search(r"\b1 device\b.{0,40}\b12 cycles", output) is not None
    return said and not re.search("12 of 12 devices", output), output[-400:]


@promise("--map device=@file names a device after its file")
def _(bench):
    lot = bench.lot(n=1)
    sheet = long_sheet(Lot(["same"], lot.pulses, lot.ohm))
    paths = [bench.write(sheet, stem) for stem in ("north", "south")]
    names = {trace.device for trace in load_traces(paths[:1], column_map="device=@file")}
    return names == {"north"}, str(names)


@promise("--skip passes over lines before the header")
def _(bench):
    sheet = long_sheet(bench.lot(n=3))
    sheet.above = [["a", "b", "c"], ["d", "e", "f"]]
    output, code = run("inspect", bench.write(sheet), "--skip", "2")
    return code == 0 and "3 devices" in output, output[-200:]


@promise("a device that opens midway counts as a defect")
def _(bench):
    from weakreset import fit_population

    lot = bench.lot(n=8, k=100)
    ohm = lot.ohm.copy()
    ohm[2, 0, 60:] = np.round(2e9 * np.exp(0.2 * bench.rng.standard_normal(40)))
    traces = load_traces(bench.write(long_sheet(Lot(lot.names, lot.pulses, ohm))))
    defects = fit_population(fit_devices(traces)).defects
    return dict(defects) == {"open": 1}, f"defects are {defects}"


@pytest.fixture
def bench(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "400")
    (tmp_path / "lab").mkdir()
    return Bench(tmp_path / "lab", "csv", np.random.default_rng(11))


@pytest.mark.filterwarnings("ignore::weakreset.WeakResetWarning")
@pytest.mark.parametrize("words", PROMISES)
def test_promise(words, bench):
    try:
        kept, seen = PROMISES[words](bench)
    except Exception as error:
        kept, seen = False, f"{type(error).__name__}: {error}"
    if words in KNOWN_WRONG_PROMISES:
        assert not kept, "kept now: take it off KNOWN_WRONG_PROMISES"
    else:
        assert kept, seen
