"""Every figure: draws on what it is given, has units, says SIMULATED, leaves global settings alone."""

import sys

import matplotlib
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tests import builders
from weakreset import plots
from weakreset.model import TruncatedLaw
from weakreset.parameter_file import majumdar2021
from weakreset.plots.d2d_laws import law_range
from weakreset.traces import TraceSet
from weakreset.validation import Check, Distribution, Envelope, Spectrum, Verdict


def envelope() -> Envelope:
    pulses = np.array([1, 10, 100])
    middle = np.linspace(-1, 1, 5)[:, None] * np.ones(3)
    levels = (0.05, 0.25, 0.5, 0.75, 0.95)
    return Envelope(pulses, levels, middle, middle - 0.1, middle, middle + 0.1, np.full(3, 20))


def spectrum() -> Spectrum:
    f = np.array([0.01, 0.1, 0.4])
    return Spectrum(f, 1 / f, 0.9 / f, 1 / f, 1.1 / f)


def distributions() -> list[Distribution]:
    p = np.linspace(0.1, 0.9, 9)
    return [Distribution(pulse, p, p, p - 0.1, p, p + 0.1) for pulse in (1, 100)]


def verdict() -> Verdict:
    checks = (
        Check("inside", 0.1, 0.9, 0.9, True, "", 0.5, 0.0, 2.0),
        Check("far", 9.0, 0.001, 0.01, False, "", 50.0, 0.0, 2.0),
        Check("no width", 0.0, 1.0, 1.0, True, "", 1.0, 1.0, 1.0),
    )
    return Verdict(False, checks, "", (), 5, 0, 0, 999, 100, 0, envelope(), simulated=True)


def an_ok_device():
    return next(fit for fit in builders.small_fits() if fit.knee_profile is not None)


EFFECTS = [
    {"condition": name, "mean": mean, "half_width": 0.002, "adjusted_p_value": 0.5}
    for name, mean in (("without 1/f", -0.001), ("ideal", 0.004))
]
ON_AXES = {
    "all_traces": lambda ax=None: plots.all_traces(builders.small_fits().traces, ax),
    "residual_spectrum": lambda ax=None: plots.residual_spectrum(builders.small_fits(), ax),
    "envelopes": lambda ax=None: plots.envelopes(envelope(), ax, simulated=True),
    "spectrum_bands": lambda ax=None: plots.spectrum_bands(spectrum(), ax, simulated=True),
    "check_overview": lambda ax=None: plots.check_overview(verdict(), ax),
    "ablation_bars": lambda ax=None: plots.ablation_bars(EFFECTS, ax=ax),
}
PANELS = {
    "traces_with_fits": lambda ax=None: plots.traces_with_fits(builders.small_fits(), ax=ax),
    "d2d_laws": lambda ax=None: plots.d2d_laws(builders.small_population(), ax),
    "device_page": lambda ax=None: plots.device_page(
        an_ok_device(), builders.small_fits().noise, ax, simulated=True
    ),
    "distributions": lambda ax=None: plots.distributions(distributions(), ax, simulated=True),
    "law_comparison": lambda ax=None: plots.law_comparison(
        [majumdar2021(), builders.small_parameters()], ax
    ),
    "training_curves": lambda ax=None: plots.training_curves(builders.runs(), ax),
    "endurance": lambda ax=None: plots.endurance([plots.LayerWear("1", np.ones((3, 16, 2), dtype=np.int64))], ax=ax),
}


def texts(figure: Figure) -> str:
    found = [item.get_text() for item in figure.findobj(matplotlib.text.Text)]
    return "\n".join(found)


@pytest.mark.parametrize("name", ON_AXES)
def test_an_axes_figure_draws_on_the_axes_it_is_given(name):
    ax = Figure().add_subplot()
    assert ON_AXES[name](ax) is ax
    assert isinstance(ON_AXES[name](), Axes)


@pytest.mark.parametrize("name", PANELS)
@pytest.mark.parametrize("free", [False, True], ids=["of a grid", "placed by hand"])
def test_panels_are_drawn_in_the_place_of_the_axes_that_are_given(name, free):
    figure = Figure(figsize=(12, 4), layout=None if free else "constrained")
    own = figure.add_axes((0.05, 0.1, 0.3, 0.8)) if free else figure.add_subplot(1, 2, 1)
    ax = figure.add_axes((0.5, 0.1, 0.45, 0.8)) if free else figure.add_subplot(1, 2, 2)
    assert PANELS[name](ax) is ax
    assert isinstance(PANELS[name](), Axes)
    figure.draw_without_rendering()
    panels = [panel for panel in figure.subfigs[0].axes if panel.axison]
    assert panels
    assert all(panel.get_window_extent().x0 > own.get_window_extent().x1 for panel in panels)


@pytest.mark.parametrize("name", [*ON_AXES, *PANELS])
def test_global_settings_and_pyplot_are_left_alone(name):
    before = dict(matplotlib.rcParams)
    plots.figure_bytes((ON_AXES | PANELS)[name](), "svg")
    assert dict(matplotlib.rcParams) == before
    assert "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()


@pytest.mark.parametrize("name", [*ON_AXES, *PANELS])
def test_every_axis_that_is_shown_has_a_label(name):
    shown = [ax for ax in (ON_AXES | PANELS)[name]().figure.axes if ax.axison]
    assert shown
    if name == "traces_with_fits":  # panels share the labels of the outer ones
        assert any(ax.get_xlabel() for ax in shown)
        assert any(ax.get_ylabel() for ax in shown)
    elif name == "ablation_bars":  # conditions stand on the axis as words
        assert all(ax.get_xlabel() for ax in shown)
    elif name == "endurance":  # curves, a map of pixels, its colour bar
        assert [(bool(ax.get_xlabel()), bool(ax.get_ylabel())) for ax in shown] == [(1, 1), (0, 0), (0, 1)]
    else:
        assert all(ax.get_xlabel() and ax.get_ylabel() for ax in shown)


@pytest.mark.parametrize("name", [*ON_AXES, "traces_with_fits", "d2d_laws", "device_page", "distributions"])
def test_simulated_data_is_labelled(name):
    assert "SIMULATED DATA" in texts((ON_AXES | PANELS)[name]().figure)


def test_measured_data_is_not_labelled_simulated():
    measured = TraceSet(builders.small_fits().traces.traces)
    assert "SIMULATED" not in texts(plots.all_traces(measured).figure)


def test_a_check_stands_where_its_figure_lies_among_the_replicas():
    passed, failed = plots.check_overview(verdict()).get_lines()[1:]
    assert passed.get_xdata().tolist() == [0.0, -0.5]
    assert failed.get_xdata().tolist() == [3.0]


STARTS = {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF"}


@pytest.mark.parametrize("name", [*ON_AXES, *PANELS])
def test_every_figure_is_written_in_every_format(name):
    ax = (ON_AXES | PANELS)[name]()
    for kind, start in STARTS.items():
        assert plots.figure_bytes(ax, kind, dpi=40).startswith(start)


@pytest.mark.parametrize("kind", ["svg", "png", "pdf"])
def test_the_same_figure_gives_the_same_bytes(kind):
    first, second = (plots.figure_bytes(plots.training_curves(builders.runs()), kind) for _ in range(2))
    assert first == second
    assert len(first) > 1000


def test_a_device_name_with_dollar_signs_is_drawn_as_it_is():
    fits = builders.small_fits()
    name = next(fit.device for fit in fits if "$" in fit.device)
    assert name in texts(plots.device_page(fits[name]).figure)
    plots.figure_bytes(plots.device_page(fits[name]))


def test_example_devices_are_the_same_each_time_and_of_both_kinds():
    fits = builders.small_fits()
    chosen = plots.example_devices(fits, 6)
    assert chosen == plots.example_devices(fits, 6)
    assert len(set(chosen)) == 6
    assert len({fits[name].status for name in chosen}) == 2


def test_no_traces_and_no_runs_still_give_figures():
    assert isinstance(plots.all_traces(TraceSet(())), Axes)
    assert isinstance(plots.training_curves(()), Axes)


def test_a_run_without_pulses_has_none():
    ideal, device = builders.runs()
    assert ideal.pulses_mean is None
    assert device.pulses_mean == 400.0
    assert device.final_accuracy == pytest.approx(0.93)


def test_training_on_a_simulated_parameter_file_is_tagged():
    assert "SIMULATED DATA" in texts(plots.training_curves(builders.runs(), simulated=True).figure)
    assert "SIMULATED DATA" not in texts(plots.training_curves(builders.runs()).figure)


def test_a_comparison_shows_the_whole_of_both_laws():
    low, high = TruncatedLaw("norm", {"mean": 7000.0, "sd": 400.0}, 6250.0, 7900.0), TruncatedLaw(
        "lognorm", {"s": 0.07, "scale": 9300.0}, 0.0
    )
    for laws in ([low, high], [high, low]):
        shown = law_range(laws, np.empty(0))
        assert shown[0] == 6250.0
        assert shown[1] == pytest.approx(float(high.ppf(0.995)))
    assert law_range([TruncatedLaw("constant", {"value": 4.0})], np.empty(0)) == (2.0, 6.0)
