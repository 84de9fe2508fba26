"""Devices in chunks: the numbers of a whole fit, without its arrays."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from tests.conftest import as_traces
from weakreset.errors import FitError
from weakreset.fitting import FitOptions, blocks, choose_drift, fit_devices, fit_stream
from weakreset.fitting import stream as stream_module
from weakreset.fitting.part_store import PartStore
from weakreset.population import fit_population
from weakreset.traces import TraceSet
from weakreset.twin import simulate_population, simulate_traces


@pytest.fixture(scope="module")
def traces(published):
    return as_traces(simulate_population(published, 240, 300, 33))


def chunks(traces, size):
    for start in range(0, len(traces), size):
        yield TraceSet(traces.traces[start : start + size])


def test_a_stream_gives_the_numbers_and_laws_of_a_whole_fit_without_its_arrays(traces, monkeypatch):
    monkeypatch.setattr(stream_module, "_DETAILED", 50)
    streamed = fit_stream(list(chunks(traces, 120)))
    whole = fit_devices(traces)
    assert streamed.to_frame().equals(whole.to_frame())
    assert len(streamed.detailed) <= 50 < len(streamed.usable)
    assert streamed.fits[-1].result is None
    laws, expected = fit_population(streamed).laws, fit_population(whole).laws
    assert {name: law.law for name, law in laws.items()} == {name: law.law for name, law in expected.items()}


def test_an_empty_stream_is_refused_and_auto_drift_is_not(traces, monkeypatch):
    with pytest.raises(FitError, match="empty"):
        fit_stream(iter(()))
    monkeypatch.setattr(choose_drift, "fittable", lambda: ["two-slope", "saturating-exponential"])  # for time
    few = list(chunks(TraceSet(traces.traces[:40]), 15))
    assert fit_stream(few, FitOptions("auto")).notes == fit_devices(TraceSet(traces.traces[:40]), drift="auto").notes


def test_what_single_precision_cannot_hold_is_no_matter(published):
    """Sets whose likelihood ratios reach e^700, which single precision ends far below: 400 devices x 500 pulses."""
    many = as_traces(simulate_population(published, 400, 500, 1))
    with np.errstate(over="raise"):
        laws = fit_population(fit_stream([many])).laws
    assert np.isfinite([value for law in laws.values() for value in law.law.params.values()]).all()


def test_several_processes_give_the_same_numbers(published, monkeypatch):
    monkeypatch.setattr(blocks, "_LEAST_BLOCKS_SPAWNED", 2)
    many = as_traces(simulate_population(published, 300, 120, 34))
    one, two = (fit_devices(many, jobs=jobs).to_frame() for jobs in (1, 2))
    assert one.equals(two)


def test_the_table_prints_numbers_with_errors_and_leaves_the_unknowable_empty(traces):
    text = str(fit_devices(TraceSet(traces.traces[:40])))
    assert "40 devices, two-slope drift" in text
    assert "+-" in text
    assert "... and 28 more" in text
    assert "nan" not in text
    assert "None" not in text


def test_where_devices_sit_is_known_of_all_of_a_stream(monkeypatch, tmp_path):
    monkeypatch.setattr("weakreset.fitting.stream._DETAILED", 3)
    whole = simulate_traces("majumdar2021", 24, 60, seed=9)
    placed = [
        replace(trace, extras={"wafer": np.full(len(trace), f"W{i // 12}"), "die": np.full(len(trace), str(i % 4))})
        for i, trace in enumerate(whole.traces)
    ]
    chunks = [replace(whole, traces=tuple(placed[at : at + 8])) for at in (0, 8, 16)]
    options = FitOptions(drift="single-slope", rtn=False)
    fits = fit_stream(chunks, options, jobs=1)
    at_once = fit_devices(replace(whole, traces=tuple(placed)), options, jobs=1)
    assert len(fits.traces) == 3
    assert fits.labels == at_once.labels
    assert list(fits.to_frame()["die"]) == list(at_once.to_frame()["die"]) == [f"W{i // 12}/{i % 4}" for i in range(24)]
    store, small = PartStore(tmp_path), [stream_module.sketch(fit) for fit in fits]
    store.save("0" * 64, [replace(fit, estimates={}) for fit in small[:2]])  # nothing is known of these
    store.save("1" * 64, small, fits.labels)
    table = pytest.importorskip("pyarrow.parquet").read_table(tmp_path)  # the folder, as anyone would
    assert table.column("wafer").to_pylist() == [None] * 2 + ["W0"] * 12 + ["W1"] * 12
    assert sum(value is not None for value in table.column("m1").to_pylist()) == 24
    first, last = json.loads((tmp_path / "_manifest.json").read_text())["parts"].values()
    assert "wafer" not in first
    assert last["wafer"] == ["W0", "W1"]
