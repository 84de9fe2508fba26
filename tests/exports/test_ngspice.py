"""The deck against the numpy model, by ngspice itself where it is installed."""

from __future__ import annotations

import re
import shutil
import subprocess

import numpy as np
import pytest

from weakreset.cli.app import run
from weakreset.exports import TARGETS, ExportSettings
from weakreset.model import SHAPES
from weakreset.model.drift import DriftNumber, DriftShape
from weakreset.parameter_file import ParameterFile, majumdar2021
from weakreset.twin import simulate_population

NUMBERS = {  # of a drift that moves a lot within a few pulses
    "two-slope": {"m1": 0.02, "t_star": 7.5, "c1": 0.01, "m2": 0.002},
    "single-slope": {"m1": 0.02, "c1": 0.01},
    "power-law": {"a": 0.05, "b": 0.4, "c1": -0.01},
    "saturating-exponential": {"rise": 0.3, "tau": 6.0, "c1": 0.01},
    "smooth-knee": {"m1": 0.02, "t_star": 7.5, "c1": 0.0, "m2": 0.002, "width": 0.3},
    "three-slope": {"m1": 0.02, "t_star": 4.5, "c1": 0.0, "m2": 0.002, "ratio": 2.0, "share": 0.4},
}
N_PULSES = 14


@pytest.fixture
def ngspice():
    found = shutil.which("ngspice")
    if found is None:
        pytest.skip("ngspice is not installed")
    return found


def technology(shape, spread=0.02, noise=True):
    raw = majumdar2021().model_dump(by_alias=True)
    r0 = {"unit": "ohm", "family": "lognorm", "params": {"s": spread, "scale": 7000.0}, "truncation": [1.0, 1e6]}
    raw |= {"model": shape, "parameters": {"r0_ohm": r0}}
    for number in SHAPES[shape].numbers:
        value = NUMBERS[shape][number.name]
        raw["parameters"][number.name] = {"unit": number.unit, "family": "constant", "params": {"value": value}}
    if not noise:
        raw["noise"] = {}
    return ParameterFile.model_validate(raw)


def written(tmp_path, file, *, seed=3, ending="cir"):
    file.save(tmp_path / "p.json")
    target = tmp_path / f"deck.{ending}"
    options = ["--devices", "2", "--pulses", str(N_PULSES), "--seed", str(seed)]
    assert run(["export", str(tmp_path / "p.json"), "--to", "ngspice", "-o", str(target), *options]) == 0
    return target.read_text()


def ran(ngspice, tmp_path, deck):
    (tmp_path / "deck.cir").write_text(deck)
    done = subprocess.run([ngspice, "-b", "deck.cir"], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert (tmp_path / "weakreset.txt").exists(), done.stdout + done.stderr
    lines = (tmp_path / "weakreset.txt").read_text().splitlines()
    return lines[0].split(), np.array([line.split() for line in lines[1:]], dtype=float)


def log_ratios(table, r0_ohm, at_s):
    rows = [int(np.argmin(abs(table[:, 0] - at))) for at in at_s]
    return np.log(table[rows, 1][:, None] / table[rows, 2:4] / r0_ohm).T


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_is_that_of_the_model(tmp_path, ngspice, shape):
    if shape not in NUMBERS:
        pytest.skip(f"{shape} comes from another test")
    file = technology(shape)
    names, table = ran(ngspice, tmp_path, written(tmp_path, file))
    assert names[:4] == ["time", "v(line)", "i(V0)", "i(V1)"]
    seen = simulate_population(file, 2, N_PULSES, 3)
    reads = 0.5e-6 + 2e-6 * np.arange(N_PULSES + 1)
    assert np.abs(log_ratios(table, seen.devices.r0_ohm, reads) - seen.log_ratio).max() <= 1e-5


def test_a_pulse_counts_once_whatever_its_width_and_pauses_do_nothing(tmp_path, ngspice):
    file = technology("two-slope")
    deck = written(tmp_path, file)
    now, points, reads = 1e-6, [(0.0, 0.1)], [0.5e-6]
    for k in range(N_PULSES):
        width = (1e-6, 2.3e-6, 1.2e-6)[k % 3]
        points += [(now, 0.1), (now + 1e-9, 0.9), (now + width, 0.9), (now + width + 1e-9, 0.1)]
        now += width + (1.2e-6, 7e-6)[k % 5 == 4]
        reads.append(now - 0.1e-6)
    burst = "Vburst line 0 PWL(" + " ".join(f"{t:.9g} {v}" for t, v in points) + ")"
    deck = re.sub(r"^Vpulse .*$", burst, deck, flags=re.MULTILINE)
    deck = re.sub(r"^\.tran (\S+) \S+", rf".tran \1 {now:.9g}", deck, flags=re.MULTILINE)
    _, table = ran(ngspice, tmp_path, deck)
    seen = simulate_population(file, 2, N_PULSES, 3)
    assert np.abs(log_ratios(table, seen.devices.r0_ohm, reads) - seen.log_ratio).max() <= 1e-5


def test_the_sign_of_a_pair_flips_at_the_pulse_of_the_model(tmp_path, ngspice):
    file = technology("two-slope", spread=0.06, noise=False)
    lower = [s for s in range(40) if 0.03 < np.log(np.divide(*simulate_population(file, 2, 1, s).devices.r0_ohm[::-1]))
             < 0.12]
    seed = lower[0]
    names, table = ran(ngspice, tmp_path, written(tmp_path, file, seed=seed))
    seen = simulate_population(file, 2, N_PULSES, seed)
    truth = seen.resistance_ohm()[0] > seen.devices.r0_ohm[1]
    assert not truth[0]
    assert truth[-1]
    reads = [int(np.argmin(abs(table[:, 0] - at))) for at in 0.5e-6 + 2e-6 * np.arange(N_PULSES + 1)]
    bl, blb = (table[reads, names.index(f"i({name}0)")] for name in ("Vbl", "Vblb"))
    assert ((bl < blb) == truth).all()


def test_a_library_has_no_bench_and_a_deck_states_what_it_is(tmp_path):
    text = written(tmp_path, technology("two-slope"), ending="lib")
    assert ".tran" not in text
    assert ".subckt weakreset_pair_0 bl blb wl sl" in text
    assert text.startswith("* RRAM cells for ngspice: made by weakreset ")
    assert "* simulated: true" in text
    assert "* not carried: the RESET pulse: the file names none" in text
    assert max(map(len, text.splitlines())) <= 1000


def refused_for_a_name(tmp_path, monkeypatch, number, value, to, name):
    """Export a drift one of whose numbers is called `number`; nothing is written."""
    shape = DriftShape(
        "wordy", (DriftNumber(number, "1/pulse"), DriftNumber("c1", "1", (-np.inf, np.inf), "norm")),
        value, "c1",
    )
    monkeypatch.setitem(SHAPES, "wordy", shape)
    monkeypatch.setitem(NUMBERS, "wordy", {number: 0.01, "c1": 0.0})
    technology("wordy").save(tmp_path / "p.json")
    assert run(["export", str(tmp_path / "p.json"), "--to", to, "-o", str(tmp_path / name)]) == 2
    assert not (tmp_path / name).exists()


def test_numbers_that_ngspice_takes_for_words_of_its_own_are_refused(tmp_path, monkeypatch, capsys):
    refused_for_a_name(tmp_path, monkeypatch, "time", lambda xp, t, time, c1: c1 + time * t, "ngspice", "d.cir")
    assert "words" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("to", ["ngspice", "verilog-a", "aihwkit", "neurosim"])
def test_what_drawn_devices_are_not_is_said(tmp_path, to):
    raw = majumdar2021().model_dump(by_alias=True)
    raw["defects"] = {"fraction": 0.25, "kinds": [{"kind": "open", "fraction": 0.25}]}
    raw["dies"] = {"column": "die", "share": {"m1": 0.3}, "n_groups": 5}
    raw["c2c"] = {"m1": {"sd": 0.1, "scale": "ln", "n_devices": 5, "n_cycles": 40}}
    file = ParameterFile.model_validate(raw)
    target = TARGETS[to]
    text = target.write(file, ExportSettings(4, 20, 0, target.endings[0]))
    for words in ("defects: 0.25 of the cells", "die: devices of one", "the spread between cycles"):
        assert f"not carried: {words}" in text
