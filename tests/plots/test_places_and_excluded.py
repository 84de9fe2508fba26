"""Maps of wafers and dies, the lot in ohms, excluded devices; simulated (seed 5)."""

from __future__ import annotations

import numpy as np
import pytest

from weakreset import plots
from weakreset.fitting import fit_devices
from weakreset.plots.all_traces import quantiles
from weakreset.plots.excluded_traces import with_excluded_traces
from weakreset.traces import PulseTrace, TraceSet
from weakreset.traces.screening import screen
from weakreset.twin import simulate_traces


def wafer() -> TraceSet:
    """16 devices on 2 x 2 dies of a wafer; one stuck, one that opens at pulse 60, one short."""
    made = []
    for i, trace in enumerate(simulate_traces("majumdar2021", 16, 120, seed=5)):
        ohm = trace.resistance_ohm.copy()
        if i == 0:
            ohm[:] = 7000.0
        if i == 5:
            ohm[60:] = 4e7
        if i == 6:
            ohm[:] = 2.0
        columns = {"wafer": "W$3$", "die": f"X{i // 4 % 2}Y{i // 8}", "row": str(i % 4 // 2), "col": str(i % 2)}
        extras = {name: np.array([text] * len(trace)) for name, text in columns.items()}
        made.append(PulseTrace(trace.device, trace.pulses, ohm, extras=extras, source="w.csv"))
    return screen(TraceSet(tuple(made)))


FITS = fit_devices(wafer(), jobs=1)


def words(ax) -> str:
    import matplotlib.text

    return "\n".join(found.get_text() for found in ax.figure.findobj(matplotlib.text.Text))


def image_of(ax, title: str) -> np.ndarray:
    (panel,) = [found for found in ax.figure.axes if title in found.get_title(loc="left")]
    return np.asarray(panel.images[0].get_array())


def test_a_wafer_map_has_the_medians_and_the_yield_of_each_die():
    ax = plots.wafer_map(FITS)
    assert "wafer W$3$" in words(ax)  # the name of a wafer is no formula
    by_name = {fit.device: fit for fit in FITS}
    die = [by_name[f"sim{i:04d}"] for i in range(4)]
    median = np.median([fit.estimates["r0_ohm"].value for fit in die if fit.estimates]) / 1e3
    assert image_of(ax, "R0 (kΩ)")[0, 0] == pytest.approx(median)
    assert image_of(ax, "yield (%)").tolist() == [[75.0, 50.0], [100.0, 100.0]]  # the one that opened midway counts


def test_a_die_map_goes_by_row_and_column():
    grid = image_of(plots.die_map(FITS), "yield (%)")
    assert grid.tolist() == [[75.0, 75.0], [75.0, 100.0]]


def test_without_places_there_is_no_map_but_words():
    plain = fit_devices(simulate_traces("majumdar2021", 4, 60, seed=1), jobs=1)
    assert "no column says" in words(plots.wafer_map(plain))
    assert "no excluded device" in words(plots.excluded_traces(plain))


def test_every_defect_can_be_looked_at_with_the_reads_that_are_not_used():
    assert set(with_excluded_traces(FITS)) == {"sim0000", "sim0005", "sim0006"}
    ax = plots.excluded_traces(FITS)
    (panel,) = [found for found in ax.figure.axes if "sim0005" in found.get_title(loc="left")]
    used, unused = (line.get_xdata() for line in panel.lines)
    assert (used.max(), unused.min(), unused.max()) == (59, 60, 120)
    assert panel.get_yscale() == "log"


def test_the_lot_in_ohms_is_split_by_the_first_column_of_few_groups():
    text = words(plots.lot_curves(FITS.traces))
    assert "die W$3$/X0Y0" in text
    assert "resistance (kΩ)" in text


def test_a_lot_that_is_read_at_few_and_odd_pulses_is_drawn_whole():
    pulses = np.array([1, 3, 9, 27, 81, 243, 729, 2187])
    traces = TraceSet(tuple(PulseTrace(f"d{i}", pulses, 7e3 + 10.0 * i + pulses) for i in range(6)))
    (median,) = [line for line in plots.lot_curves(traces).lines if line.get_label() == "median device"]
    assert median.get_xdata().tolist() == pulses.tolist()


@pytest.mark.parametrize(("n_devices", "stagger", "named"), [(1, 0, 1), (4, 0, 4), (30, 7, 0)])
def test_devices_too_few_for_bands_or_never_read_together_are_drawn_one_by_one(n_devices, stagger, named):
    traces = TraceSet(tuple(
        PulseTrace(f"d{i}", np.arange(40) + 100 * i * (stagger > 0), np.full(40, 7e3 + i)) for i in range(n_devices)
    ))
    ax = plots.lot_curves(traces)
    assert len(ax.lines) == n_devices
    assert len(ax.get_legend_handles_labels()[0]) == named


def test_quantiles_are_those_of_numpy_at_every_pulse():
    rng = np.random.default_rng(3)
    grids = [np.arange(0, n, 1 + n % 2) for n in rng.integers(9, 60, 20)]
    curves = [(grid, rng.standard_normal(len(grid))) for grid in grids]
    at, rows = quantiles(curves, (0.05, 0.5))
    assert len(at) > 5
    for k, pulse in enumerate(at):
        found = [v[p == pulse][0] for p, v in curves if pulse in p]
        assert len(found) >= 10
        assert rows[:, k] == pytest.approx(np.quantile(found, (0.05, 0.5)))
