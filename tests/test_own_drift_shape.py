"""A drift shape from outside the package: registering it is all that fit, file, simulation and training need."""

from __future__ import annotations

import copy
import importlib
import os
import pickle
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.processes import here
from tests.torch_threads import one_torch_thread
from weakreset.errors import FitError, ParameterFileError, SimulationError, UsageError
from weakreset.fitting import fit_devices
from weakreset.fitting.bases import basis_of
from weakreset.model import SHAPES, SINGLE_SLOPE, TWO_SLOPE, DriftNumber, DriftScan, DriftShape, register_shape
from weakreset.parameter_file import ParameterFile, load_parameters
from weakreset.population import export_parameters, fit_population
from weakreset.report import ReportInput, build_report
from weakreset.simulation import DeviceArray
from weakreset.simulation.pulse_report import PulseReport
from weakreset.training import load_dataset, train
from weakreset.training.costs import costs
from weakreset.twin import simulate_traces

__all__ = ["one_torch_thread"]

# what a user writes: from here ...


def closed_form(xp, t, a, tau, c1):
    return c1 + a * xp.log1p(t / tau)


LOGARITHMIC = DriftShape(
    name="logarithmic",
    numbers=(
        DriftNumber("a", "1"),
        DriftNumber("tau", "pulse"),
        DriftNumber("c1", "1", bounds=(-np.inf, np.inf), family="norm"),
    ),
    closed_form=closed_form,
    offset="c1",
    scan=DriftScan("tau", column="a", grid=lambda pulses: np.geomspace(2.0, 3.0 * pulses[-1], 160)),
)

# ... to here


@pytest.fixture(autouse=True)
def _registered(monkeypatch):
    monkeypatch.delitem(SHAPES, "logarithmic", raising=False)  # put back as it was, also after a test that registers
    register_shape(LOGARITHMIC)


def technology(shape: str, **laws: tuple[float, float]) -> ParameterFile:
    """The published noise on another drift, normal laws cut off just above zero."""
    raw = load_parameters("majumdar2021").model_dump(by_alias=True, exclude_none=True)
    raw["parameters"] = {name: raw["parameters"][name] for name in ("r0_ohm", "c1")} | {
        name: {
            "unit": SHAPES[shape].units.get(name, "1"), "family": "norm", "params": {"mean": mean, "sd": sd},
            "truncation": (1e-3, None),
        }
        for name, (mean, sd) in laws.items()
    }
    return ParameterFile.model_validate(raw | {"name": shape, "model": shape})


def test_fit_export_simulate_and_train_with_it(tmp_path):
    """Medians of the laws within 10 %: five standard errors for 30 devices that spread by 10 and 15 % (seed 4)."""
    truth = technology("logarithmic", a=(0.6, 0.06), tau=(20.0, 3.0))
    fits = fit_devices(simulate_traces(truth, 30, 400, seed=4), drift="logarithmic")
    assert fits.drift is LOGARITHMIC
    # a telegraph step where the curve bends most hides one tau: its interval is too wide to be called resolved
    assert fits.counts() | {"ok": 29, "beyond_or_undetected": 1} == fits.counts()
    assert {"tau_stderr", "a_stderr"} <= set(fits.to_frame().columns)
    export_parameters(fit_population(fits), "mine").save(tmp_path / "mine.json")
    file = load_parameters(tmp_path / "mine.json")
    assert file.model == "logarithmic"
    for name, median in (("a", 0.6), ("tau", 20.0)):
        assert file.parameters[name].law().median() == pytest.approx(median, rel=0.1)
    again = simulate_traces(file, 5, 50, seed=1, without="all")
    law = {name: file.parameters[name].law().median() for name in LOGARITHMIC.parameters}
    _, log_ratio = again.traces[0].log_ratio()
    t = np.arange(1, 51)
    assert log_ratio == pytest.approx(law["c1"] + law["a"] * np.log1p(t / law["tau"]), abs=1e-12)
    digits = load_dataset("digits")
    few = replace(digits, train_images=digits.train_images[:200], train_labels=digits.train_labels[:200])
    run = train(file, few, hidden=16, epochs=1)
    assert run.metrics[-1]["pulses_mean"] > 0
    assert "past_knee" not in run.metrics[-1]


def test_simulated_devices_follow_it_and_compiled_code_gives_the_bits_of_torch():
    file = technology("logarithmic", a=(0.2, 0.03), tau=(20.0, 3.0))
    array = DeviceArray((3000,), file, seed=1)
    twin = copy.deepcopy(array)
    twin.kernel = "torch"
    generator = torch.Generator().manual_seed(0)
    for longest in (2, 15, 3000):
        n = torch.randint(0, longest, (3000,), generator=generator)
        for part in (array, twin):
            part.pulse(n)
    for name, value in array.state_dict().items():
        assert value.numpy().tobytes() == twin.state_dict()[name].numpy().tobytes(), name
    still = DeviceArray((300,), file, seed=2, without=("pink", "rtn"))
    for n in (1, 9, 490, 9500, 90_000):
        still.pulse(n)
        c1 = (still.offset - still.log_r0).double().numpy()
        wanted = LOGARITHMIC.value(still.pulse_count.numpy(), still.a.double().numpy(), still.tau.double().numpy(), c1)
        assert (still.log_r - still.log_r0).double().numpy() == pytest.approx(wanted, abs=6e-6)


def everything(xp, t, a, b, tau, c1):
    up = xp.exp(-(2.0 * t) / tau) + xp.expm1(t / (t + tau)) - xp.minimum(1.0, xp.log(tau + t) * 0.1)
    return c1 + a * xp.power(t / (1.0 + tau), b) * up + xp.log1p(xp.maximum(0.5, -t / tau + b)) ** 2.0 / 3.0


def test_every_operation_gives_the_same_bits_in_torch_and_compiled_and_the_slope_of_the_formula():
    numbers = tuple(DriftNumber(name, "1") for name in ("a", "b", "tau", "c1"))
    shape = register_shape(DriftShape("everything", numbers, everything, "c1"))
    try:
        file = technology("everything", a=(0.2, 0.03), b=(0.4, 0.05), tau=(300.0, 30.0))
        array = DeviceArray((500,), file, seed=1)
        twin = copy.deepcopy(array)
        twin.kernel = "torch"
        for n in (1, 20, 400, 5000):
            for part in (array, twin):
                part.pulse(n)
            assert array.log_r.numpy().tobytes() == twin.log_r.numpy().tobytes()
        t, at = np.array([1.0, 90.0, 2000.0]), np.array([0.2, 0.4, 300.0, 0.1])
        for i, step in enumerate(1e-5 * at):
            moved = [shape.value(t, *(at + sign * step * np.eye(4)[i])) for sign in (-1, 1)]
            assert shape.jacobian(t, *at)[:, i] == pytest.approx((moved[1] - moved[0]) / (2 * step), rel=1e-5, abs=1e-9)
    finally:
        del SHAPES["everything"]


def other_form(xp, t, a, tau, c1):
    return c1 + a * xp.log1p(2.0 * t / tau)


def test_two_shapes_of_one_name_are_not_taken_for_each_other(monkeypatch):
    """Compiled code of the first is neither used for the second, nor kept on disk for other processes."""
    file = technology("logarithmic", a=(0.2, 0.03), tau=(20.0, 3.0))
    first = DeviceArray((500,), file, seed=1, without=("pink", "rtn"))
    first.pulse(30)
    with pytest.raises(UsageError, match="one of this name already"):
        register_shape(replace(LOGARITHMIC, closed_form=other_form))
    monkeypatch.delitem(SHAPES, "logarithmic")
    other = register_shape(replace(LOGARITHMIC, closed_form=other_form))
    second = DeviceArray((500,), file, seed=1, without=("pink", "rtn"))
    second.pulse(30)
    rise = (second.log_r - second.offset).numpy()
    assert rise == pytest.approx(second.a.numpy() * np.log1p(60.0 / second.tau.numpy()), abs=1e-5)
    assert other.value(30, 0.2, 20.0, 0.0) == pytest.approx(0.2 * np.log(4.0))
    with pytest.raises(SimulationError, match="other noise"):
        second.load_state_dict(first.state_dict())


def test_a_shape_without_a_scan_is_refused_by_name_in_a_fit_and_simulated_all_the_same(monkeypatch):
    monkeypatch.delitem(SHAPES, "logarithmic")
    register_shape(replace(LOGARITHMIC, scan=None))
    traces = simulate_traces(technology("logarithmic", a=(0.2, 0.03), tau=(20.0, 3.0)), 5, 100)
    with pytest.raises(FitError, match=r"'logarithmic' can be simulated but not fitted: it has no `scan`\. Fit two"):
        fit_devices(traces, drift="logarithmic")


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"column": "tau"}, "column 'tau'"),
        ({"number": "a", "column": "tau"}, "not linear"),
        ({"transform": ((1.0, 0.0), (0.0, 2.0))}, "not linear"),
        ({"transform": ((1.0, 0.0, 0.0),)}, "transform must be 2 x 2"),
        ({"base": lambda t: np.column_stack([t])}, "not linear"),
        ({"grid": lambda pulses: np.ones(9)}, "ascending"),
        ({"grid": None}, "needs a column and a grid"),
        ({"knee": True, "beyond": ("c1", "a")}, "every number must be seen but one"),
        ({"nonnegative": "tau"}, "not scanned"),
    ],
)
def test_a_scan_that_does_not_go_with_the_closed_form_is_refused_by_name(change, what):
    with pytest.raises(FitError, match=f"'logarithmic' cannot be fitted: .*{what}"):
        basis_of(replace(LOGARITHMIC, scan=replace(LOGARITHMIC.scan, **change)))


def branches(xp, t, a, tau, c1):
    return c1 + (a * t if t < tau else a * tau)


def foreign(xp, t, a, tau, c1):
    return c1 + a * np.sqrt(t / tau)


def unknown(xp, t, a, tau, c1):
    return c1 + a * xp.sin(t / tau)


def scaled_offset(xp, t, a, tau, c1):
    return c1 * (1.0 + a * t / tau)


@pytest.mark.parametrize(
    ("form", "what"),
    [
        (branches, "TypeError|branch|not supported"), (foreign, "formula"), (unknown, "xp has no sin"),
        (scaled_offset, "c1 is its offset"), (lambda xp, t, tau, a, c1: c1 + a * t / tau, "closed form takes"),
        (lambda xp, t, a, tau, c1: 0.0, "whatever its numbers are"),
    ],
)
def test_a_closed_form_that_is_no_formula_is_refused_by_name(form, what):
    with pytest.raises(UsageError, match=f"'logarithmic': .*({what})"):
        replace(LOGARITHMIC, closed_form=form)


@pytest.mark.parametrize("name", ["auto", "Two Slopes", "", "two--slope"])
def test_a_name_that_an_option_could_not_hold_is_refused(name):
    with pytest.raises(UsageError, match="small letters"):
        replace(LOGARITHMIC, name=name)


def test_what_float32_cannot_follow_is_refused_by_name(monkeypatch):
    def cancels(xp, t, a, tau, c1):
        return c1 + a * ((1e9 + t / tau) - 1e9)

    monkeypatch.delitem(SHAPES, "logarithmic")
    register_shape(replace(LOGARITHMIC, closed_form=cancels, scan=None))
    with pytest.raises(SimulationError, match="'logarithmic' cannot be simulated: at pulse 1 "):
        DeviceArray((5,), technology("logarithmic", a=(0.2, 0.03), tau=(20.0, 3.0)))


def test_a_file_of_a_shape_that_is_not_registered_is_refused_by_name(monkeypatch, tmp_path):
    file = technology("logarithmic", a=(0.2, 0.03), tau=(20.0, 3.0))
    file.save(tmp_path / "mine.json")
    monkeypatch.delitem(SHAPES, "logarithmic")
    with pytest.raises(ParameterFileError, match="model 'logarithmic' is unknown; known: two-slope"):
        load_parameters(tmp_path / "mine.json")
    with pytest.raises(SimulationError, match="'logarithmic' is not registered"):
        DeviceArray((5,), file)


MODULE = '''
from weakreset.model import DriftNumber, DriftShape, register_shape

register_shape(DriftShape("afresh", (DriftNumber("c1", "1"),), lambda xp, t, c1: c1 + 0.1 * xp.log(t), "c1"))
'''


def test_a_process_that_is_started_afresh_registers_it_by_importing_its_module(monkeypatch, tmp_path):
    (tmp_path / "module_of_a_shape.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    importlib.import_module("module_of_a_shape")
    try:
        sent = pickle.dumps(SHAPES["afresh"]).hex()
    finally:
        del SHAPES["afresh"]
    code = f"import pickle; print(pickle.loads(bytes.fromhex('{sent}')).value(1, 0.25))"
    path = os.pathsep.join([here()["PYTHONPATH"], str(tmp_path)])
    command = [sys.executable, "-c", code]
    out = subprocess.run(command, capture_output=True, text=True, check=True, env={**here(), "PYTHONPATH": path})
    assert out.stdout.strip() == "0.25"


RENAMED = {"m1": "early", "t_star": "bend", "c1": "level", "m2": "late"}


def kinked_form(xp, t, early, bend, level, late):
    return level + early * xp.minimum(t, bend) + late * xp.maximum(t - bend, 0.0)


@pytest.fixture
def kinked():
    """The two slopes under other names: what knows them by their own would treat it otherwise."""
    line = register_shape(replace(
        SINGLE_SLOPE, name="kinked-line", numbers=_renamed(SINGLE_SLOPE), offset="level", trend="early", words=None,
        closed_form=lambda xp, t, early, level: level + early * t,
    ))
    scan = replace(
        TWO_SLOPE.scan, number="bend", column="late", beyond=("level", "early"), nonnegative="late", without=line
    )
    yield register_shape(replace(
        TWO_SLOPE, name="kinked", numbers=_renamed(TWO_SLOPE), offset="level", trend="early", words=None,
        closed_form=kinked_form, scan=scan,
    ))
    del SHAPES["kinked-line"], SHAPES["kinked"]


def _renamed(shape: DriftShape) -> tuple[DriftNumber, ...]:
    return tuple(replace(number, name=RENAMED[number.name]) for number in shape.numbers)


def test_nothing_knows_the_two_slopes_by_name(kinked):
    traces = simulate_traces("majumdar2021", 40, 600, seed=7)
    usual, other = fit_devices(traces), fit_devices(traces, drift="kinked")
    frame, same = usual.to_frame(), other.to_frame()
    names = {old + end: new + end for old, new in RENAMED.items() for end in ("", "_stderr", "_lo", "_hi", "_status")}
    assert frame.rename(columns=names).equals(same)
    laws, found = fit_population(usual, goodness=19), fit_population(other, goodness=19)
    for name, law in laws.laws.items():
        twin = found.laws[RENAMED.get(name, name)]
        assert (law.law, law.stderr, law.note, law.n_censored) == (twin.law, twin.stderr, twin.note, twin.n_censored)
        assert law.goodness_of_fit == twin.goodness_of_fit
    files = [export_parameters(population, "lot", created="now") for population in (laws, found)]
    arrays = [DeviceArray((2000,), file, seed=1) for file in files]
    for array in arrays:
        array.pulse(300)
    assert arrays[0].log_r.equal(arrays[1].log_r)
    assert costs(arrays[:1], PulseReport())["past_knee"] == costs(arrays[1:], PulseReport())["past_knee"] > 0
    pages = [
        build_report(ReportInput(title="t", fits=fits, population=population, params=params))
        for fits, population, params in ((usual, laws, files[0]), (other, found, files[1]))
    ]
    for page, knee in zip(pages, ("t_star", "bend"), strict=True):
        assert f"For them {knee} and " in page
        assert "show a clear knee" in page
    assert len(pages[1]) == pytest.approx(len(pages[0]), rel=0.1)
