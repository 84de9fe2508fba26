"""Devices in chunks: the numbers of a whole fit, without its arrays."""

from __future__ import annotations

import numpy as np
import pytest

from tests.conftest import as_traces
from weakreset.errors import FitError
from weakreset.fitting import FitOptions, blocks, fit_devices, fit_stream
from weakreset.fitting import stream as stream_module
from weakreset.population import fit_population
from weakreset.traces import TraceSet
from weakreset.twin import simulate_population


@pytest.fixture(scope="module")
def traces(published):
    return as_traces(simulate_population(published, 240, 300, 33))


def chunks(traces, size):
    for start in range(0, len(traces), size):
        yield TraceSet(traces.traces[start : start + size])


def test_a_stream_gives_the_numbers_of_a_whole_fit_with_the_same_noise(traces, monkeypatch):
    monkeypatch.setattr(stream_module, "_DETAILED", 50)
    streamed = fit_stream(chunks(traces, 120))
    noise = streamed.noise
    whole = fit_devices(traces, alpha=noise.alpha, exponent=noise.exponent, read_sd=noise.read_sd)
    assert [fit.device for fit in streamed] == [fit.device for fit in whole]
    late = slice(120, None)
    for name in ("m1", "c1"):
        a, b = (fits.to_frame()[name].to_numpy()[late] for fits in (streamed, whole))
        stderr = whole.to_frame()[f"{name}_stderr"].to_numpy()[late]
        off = np.abs(a - b) / stderr  # each chunk limits m2 for itself, which moves devices without a clear knee
        assert np.median(off) < 0.05
        assert off.max() < 1.0
    assert len(streamed.detailed) <= 50 < len(streamed.usable)
    assert streamed.fits[-1].result is None
    assert fit_population(streamed).laws["m1"].law.mean() == pytest.approx(
        fit_population(whole).laws["m1"].law.mean(), rel=0.05
    )


def test_an_empty_stream_and_auto_drift_are_refused(traces):
    with pytest.raises(FitError, match="empty"):
        fit_stream(iter(()))
    with pytest.raises(FitError, match="auto"):
        fit_stream(chunks(traces, 120), FitOptions("auto"))


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
