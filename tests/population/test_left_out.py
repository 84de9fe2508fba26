"""Laws that too few devices inform: no numbers, a bound where there is one, and a way out."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from weakreset.errors import FitError, ParameterFileError, UsageError
from weakreset.fitting import choose_drift, fit_devices
from weakreset.model import pink_noise
from weakreset.parameter_file import assumed_numbers, draw_devices, load_parameters, parse_parameters
from weakreset.population import export_parameters, fit_population
from weakreset.population.left_out import student_factor
from weakreset.traces import TraceSet
from weakreset.twin import simulate_traces
from weakreset.validation import validate


def straight(n_devices, n_pulses, seed, slope=1e-3):
    """Traces that rise in a straight line, with 1/f noise."""
    rng = np.random.default_rng(seed)
    t = np.arange(1, n_pulses + 1)
    slopes = slope * rng.uniform(0.7, 1.3, n_devices)
    log_ratio = slopes[:, None] * t + 0.004 * pink_noise(rng, n_devices, n_pulses)
    ohm = 7000.0 * np.exp(rng.normal(0, 0.05, (n_devices, 1)) + np.hstack([np.zeros((n_devices, 1)), log_ratio]))
    return TraceSet.from_arrays([f"s{i}" for i in range(n_devices)], np.arange(n_pulses + 1), ohm)


@pytest.fixture(scope="module")
def straight_file():
    """20 straight traces of 150 pulses, seed 31."""
    return export_parameters(fit_population(fit_devices(straight(20, 150, 31))), "straight")


def test_a_set_without_a_knee_has_no_law_of_it(straight_file):
    assert set(straight_file.not_identifiable) == {"t_star", "m2"}
    assert set(straight_file.parameters) == {"r0_ohm", "m1", "c1"}
    assert straight_file.not_identifiable["t_star"].lower == 150
    assert straight_file.parameters["m1"].law().mean() == pytest.approx(1e-3, rel=0.1)
    assert parse_parameters(straight_file.to_json()) == straight_file
    assert "not identifiable" in str(straight_file)


def test_it_is_simulated_up_to_the_bound_and_refused_beyond(straight_file):
    assert len(simulate_traces(straight_file, 3, 150, seed=1)) == 3
    with pytest.raises(ParameterFileError, match=r"t_star, m2 not identifiable .* --assume t_star=750,m2=0"):
        simulate_traces(straight_file, 3, 151, seed=1)
    with pytest.raises(ParameterFileError, match="--assume"):
        draw_devices(straight_file, 3, np.random.default_rng(0))


def test_it_reproduces_the_traces_it_came_from(straight_file):
    """A validation at a level of 5 %, seed 31."""
    assert validate(straight_file, straight(20, 150, 31), n_replicas=719).passed


def test_layers_refuse_it_with_the_choice(straight_file):
    from weakreset.simulation import DeviceArray

    with pytest.raises(ParameterFileError, match="--assume t_star"):
        DeviceArray(4, straight_file)
    assert DeviceArray(4, straight_file.assuming({"t_star": 500.0, "m2": 1e-5})).n_devices == 4


def test_what_is_assumed_is_said(straight_file, tmp_path):
    path = straight_file.save(tmp_path / "straight.json")
    file = load_parameters(path, assumed_numbers("t_star=500, m2=1e-5"))
    assert not file.not_identifiable
    assert file.parameters["t_star"].law().median() == 500
    assert "assumed, not fitted: t_star = 500, m2 = 1e-05" in file.provenance.notes
    traces = simulate_traces(file, 3, 400, seed=1)
    assert any("extrapolated" in note for note in traces.notes)
    assert not any("extrapolated" in note for note in simulate_traces(file, 3, 150, seed=1).notes)


@pytest.mark.parametrize(
    ("numbers", "message"),
    [({"m1": 1e-3}, "the file has a law of it"), ({"tau": 3.0}, "no such parameter"), ({"t_star": -5.0}, "cannot be")],
)
def test_what_cannot_be_assumed(straight_file, numbers, message):
    with pytest.raises(ParameterFileError, match=message):
        straight_file.assuming(numbers)


@pytest.mark.parametrize("text", ["t_star", "t_star=x", "=3", "t_star=1,t_star=2", "t_star=inf"])
def test_assumptions_that_cannot_be_read(text):
    with pytest.raises(UsageError, match="--assume"):
        assumed_numbers(text)


def test_falling_traces_are_not_called_unpulsed(monkeypatch):
    monkeypatch.setattr(choose_drift, "fittable", lambda: ["two-slope", "power-law"])  # for time
    with pytest.raises(FitError, match="the resistance falls"):
        fit_population(fit_devices(straight(8, 150, 32, slope=-1e-3), direction="reset"))


@pytest.mark.parametrize(("n_devices", "n_pulses"), [(1, 30), (2, 30), (5, 30), (2, 200), (6, 200)])
def test_few_devices_and_pulses_say_what_they_can(n_devices, n_pulses):
    """A steep straight line that even 30 pulses show."""
    traces = straight(n_devices, n_pulses, 40 + n_devices, slope=4e-3)
    file = export_parameters(fit_population(fit_devices(traces)), "few")
    assert "t_star" in file.not_identifiable
    assert validate(file, traces, n_replicas=719).n_devices == n_devices


def test_student_factor_is_that_of_the_quantiles():
    assert student_factor(5) == pytest.approx(stats.t(4).ppf(0.975) / stats.norm.ppf(0.975))
    assert student_factor(200) == 1.0
