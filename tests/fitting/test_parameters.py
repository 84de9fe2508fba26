"""Parameters without an interpreter behave like lmfit's own."""

from __future__ import annotations

import copy
import pickle

import lmfit
import numpy as np
import pytest

from weakreset.fitting.parameters import LeanParameters


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
