"""Parameters without an interpreter behave like lmfit's own."""

from __future__ import annotations

import copy
import pickle

import lmfit
import numpy as np
import pytest

from weakreset.fitting import drift_fit, fit_devices
from weakreset.fitting import parameters as lean_parameters
from weakreset.fitting.parameters import LeanParameters, parameters_kind
from weakreset.parameter_file import majumdar2021
from weakreset.traces import TraceSet
from weakreset.twin import simulate_population


def filled(kind):
    parameters = kind()
    parameters.add("a", value=2.0, min=0.0)
    parameters.add("b", value=3.0)
    return parameters


@pytest.mark.parametrize(
    "passed_on", [lambda p: p, copy.deepcopy, lambda p: p.copy(), lambda p: pickle.loads(pickle.dumps(p))]
)
def test_an_expression_added_later_is_evaluated_as_by_lmfit(passed_on):
    lean, plain = passed_on(filled(LeanParameters)), filled(lmfit.Parameters)
    for parameters in (lean, plain):
        parameters.add("c", expr="a*sqrt(b)")
        parameters["a"].set(value=5.0)
    assert lean["c"].value == plain["c"].value == pytest.approx(5.0 * 3.0**0.5)
    lean["b"].expr = "2*a"
    assert lean["b"].value == 10.0
    assert passed_on(lean)["c"].value == pytest.approx(5.0 * 10.0**0.5)


def test_fits_without_expressions_never_make_an_interpreter():
    t = np.linspace(0.0, 1.0, 30)
    lean = lmfit.minimize(lambda p: p["a"] * t + p["b"] - (t + 1.0), filled(LeanParameters))
    plain = lmfit.minimize(lambda p: p["a"] * t + p["b"] - (t + 1.0), filled(lmfit.Parameters))
    assert lean.params._asteval._real is None
    assert lean.params["a"].value == plain.params["a"].value
    assert lean.params["a"].stderr == plain.params["a"].stderr
    assert lmfit.fit_report(lean) == lmfit.fit_report(plain)


def test_each_has_values_of_its_own():
    one, two = filled(LeanParameters), filled(LeanParameters)
    two["a"].set(value=7.0)
    one.add("c", expr="a+1")
    assert one["c"].value == 3.0


@pytest.mark.parametrize("passed_on", [lambda r: r, lambda r: pickle.loads(pickle.dumps(r))])
@pytest.mark.parametrize("expression", ["", "a+b"])
def test_uncertainties_asked_for_later_are_those_of_lmfit(passed_on, expression):
    t = np.linspace(0.0, 1.0, 30)
    noise = np.random.default_rng(1).normal(0.0, 0.1, 30)

    def fit(kind):
        parameters = filled(kind)
        if expression:
            parameters.add("c", expr=expression)
        return lmfit.minimize(lambda p: p["a"] * t + p["b"] - (t + 1.0 + noise), parameters)

    lean, plain = passed_on(fit(LeanParameters)).uvars, fit(lmfit.Parameters).uvars
    assert list(lean) == list(plain)
    assert len(lean) == len(plain)
    for name, value in plain.items():
        assert lean[name].nominal_value == value.nominal_value
        assert lean[name].std_dev == pytest.approx(value.std_dev, rel=1e-12)
    assert (lean["a"] - lean["b"]).std_dev == pytest.approx((plain["a"] - plain["b"]).std_dev, rel=1e-12)


@pytest.fixture
def forgetful():
    """What was found out about lmfit, and made of it, is forgotten before and after."""
    for remembered in (parameters_kind, drift_fit._empty_parameters):
        remembered.cache_clear()
    yield
    for remembered in (parameters_kind, drift_fit._empty_parameters):
        remembered.cache_clear()


def test_this_lmfit_is_the_one_they_know(forgetful):
    assert parameters_kind() is LeanParameters


def without_an_interpreter(self, usersyms=None):
    raise AttributeError("this lmfit has no _asteval")


def copied_badly(self, memo):
    twin = lmfit.Parameters()
    for name in self:
        twin.add(name, value=1.0)
    return twin


@pytest.mark.parametrize(
    ("method", "changed"),
    [
        ("__init__", without_an_interpreter),
        ("__deepcopy__", copied_badly),
        ("create_uvars", lambda self, covar=None: None),
    ],
)
def test_a_lmfit_they_do_not_fit_keeps_its_own(forgetful, monkeypatch, method, changed):
    monkeypatch.setattr(LeanParameters, method, changed)
    assert parameters_kind() is lmfit.Parameters


def test_a_fit_with_lmfits_own_gives_the_same_numbers(forgetful, monkeypatch):
    truth = simulate_population(majumdar2021(), 4, 300, 5)
    traces = TraceSet.from_arrays([f"d{i}" for i in range(4)], truth.pulses, truth.resistance_ohm())
    lean = fit_devices(traces, jobs=1)
    drift_fit._empty_parameters.cache_clear()
    monkeypatch.setattr(lean_parameters, "parameters_kind", lambda: lmfit.Parameters)
    plain = fit_devices(traces, jobs=1)
    for one, other in zip(lean, plain, strict=True):
        assert (type(one.result.params), type(other.result.params)) == (LeanParameters, lmfit.Parameters)
        assert one.numbers == other.numbers
        assert one.estimates == other.estimates
        assert lmfit.fit_report(one.result) == lmfit.fit_report(other.result)
