"""A kind of noise that is registered from outside is known from the file to the report, and nowhere afterwards."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
import subprocess
import sys
from importlib import metadata

import numpy as np
import pytest
import torch

from tests.conftest import as_traces
from tests.noise_from_elsewhere import BLOCK, GAIN, TRAP
from tests.torch_threads import one_torch_thread
from weakreset.ablation import all_conditions
from weakreset.ablation.result import Ablation
from weakreset.cli.app import run
from weakreset.comparison import compare_parameters
from weakreset.errors import ParameterFileError, SimulationError, UsageError
from weakreset.fitting import fit_devices
from weakreset.model import (
    DeviceNoise,
    check_without,
    imperfections,
    noise_kind,
    noise_kinds,
    register_noise,
    registered_noise,
    stationary_high_probability,
    withdraw_noise,
)
from weakreset.model.noise import registry
from weakreset.parameter_file import (
    draw_devices,
    draw_parameters,
    dump_parameters,
    json_schema,
    law_rows,
    load_parameters,
    majumdar2021,
    parse_parameters,
    save_parameters,
)
from weakreset.population import export_parameters, fit_population
from weakreset.report import ReportInput
from weakreset.report.tables import noise_rows
from weakreset.simulation import (
    DeviceArray,
    DifferentialPair,
    imperfection_activity,
    load_checkpoint,
    other_noise,
    save_checkpoint,
)
from weakreset.training import train
from weakreset.twin import simulate_population

__all__ = ["one_torch_thread"]


@pytest.fixture(autouse=True)
def _nothing_is_left_behind():
    before = list(noise_kinds())
    yield
    assert list(noise_kinds()) == before == ["pink", "rtn", "read", "growing_rtn", "wander", "own_pink"]


def text(**changes):
    raw = json.loads(dump_parameters(majumdar2021()))
    raw["noise"]["trap2"] = BLOCK | changes
    return json.dumps(raw)


@pytest.fixture
def trapped():
    """The published technology with a second trap in three of four devices."""
    with registered_noise(TRAP):
        yield parse_parameters(text())


def test_the_block_is_saved_and_loaded_and_checked(trapped, tmp_path):
    save_parameters(trapped, tmp_path / "p.json")
    again = load_parameters(tmp_path / "p.json")
    assert again == trapped
    assert again.noise.trap2.amplitude.law().median() == pytest.approx(0.2)
    assert pickle.loads(pickle.dumps(trapped)) == copy.deepcopy(trapped) == trapped
    assert "trap2_noise" in json_schema()
    bad = text(p_pu=0.1, p_down=2.0, amplitude=None)
    with pytest.raises(ParameterFileError) as error:
        parse_parameters(bad)
    for words in ("noise.trap2.p_pu: unknown key; did you mean 'p_up'?", "noise.trap2.p_down", "got 2.0"):
        assert words in str(error.value)
    with pytest.raises(ParameterFileError, match="enabled RTN of a second trap needs an amplitude law"):
        parse_parameters(text(amplitude=None))
    assert parse_parameters(text(enabled=False, amplitude=None)).noise.trap2.amplitude is None


def test_without_registration_the_file_is_refused_by_name():
    with pytest.raises(ParameterFileError, match=r"noise\.trap2: unknown key.*that are known: pink, rtn"):
        parse_parameters(text())
    assert "trap2" not in json_schema()


def test_a_known_kind_changes_no_file_without_it():
    before = majumdar2021()
    with registered_noise(TRAP):
        after = majumdar2021()
        assert after == before
        assert dump_parameters(after) == dump_parameters(before)
        assert after.noise.model_dump_json() == before.noise.model_dump_json()
        assert after.device_noise() == before.device_noise()
        plain, known = (simulate_population(file, 20, 50, 1) for file in (before, after))
        np.testing.assert_array_equal(plain.log_ratio, known.log_ratio)


def test_the_twin_shows_it_and_its_switch_removes_it_exactly(trapped):
    plain, full, off = (
        simulate_population(file, 30, 400, 5, without)
        for file, without in ((majumdar2021(), ()), (trapped, ()), (trapped, ("trap2",)))
    )
    np.testing.assert_array_equal(off.log_ratio, plain.log_ratio)
    amplitude = full.devices.others["trap2_amplitude"]
    assert amplitude[amplitude > 0].min() >= 0.1
    assert amplitude.max() <= 0.3
    np.testing.assert_array_equal(full.high, plain.high)
    part = full.states["trap2"] * amplitude[:, None]
    np.testing.assert_allclose(full.log_ratio - plain.log_ratio, part, atol=1e-12)
    assert part.any()


def test_its_noise_depends_on_no_other_kind(trapped):
    """Streams go by name: registered alone, or behind another that the file has too, it is the same noise."""
    alone = simulate_population(trapped, 10, 100, 6)
    withdraw_noise("trap2")
    with registered_noise(GAIN), registered_noise(TRAP):
        raw = json.loads(text())
        raw["noise"]["gain"] = {"sd": 0.01}
        both = simulate_population(parse_parameters(json.dumps(raw)), 10, 100, 6)
    np.testing.assert_array_equal(alone.states["trap2"], both.states["trap2"])
    np.testing.assert_array_equal(
        alone.devices.others["trap2_amplitude"], both.devices.others["trap2_amplitude"]
    )


def test_spread_and_d2d_act_on_its_own_numbers(trapped):
    rng = np.random.default_rng
    flat = draw_devices(trapped, 50, rng(1), ("d2d",)).others["trap2_amplitude"]
    np.testing.assert_allclose(flat, 0.2)
    raw = json.loads(text()) | {"d2d": {"scale": {"trap2_amplitude": 0.5}}}
    narrow = draw_devices(parse_parameters(json.dumps(raw)), 400, rng(1)).others["trap2_amplitude"]
    full = draw_devices(trapped, 400, rng(1)).others["trap2_amplitude"]
    assert np.array_equal(narrow > 0, full > 0)
    assert np.std(narrow[narrow > 0]) < 0.8 * np.std(full[full > 0])
    drawn = draw_parameters(trapped, 20, rng(2))
    assert len({file.noise.trap2.p_up for file in drawn}) == len({file.noise.trap2.share for file in drawn}) == 20


def burst(array):
    array.pulse(torch.arange(array.n_devices) % 5)
    array.pulse(2000)
    array.set_(torch.arange(array.n_devices) % 3 == 0)
    array.pulse(7)


def test_devices_show_it_and_its_switch_removes_it_exactly(trapped):
    plain, full, off = (
        DeviceArray((300,), file, seed=3, without=without)
        for file, without in ((majumdar2021(), ()), (trapped, ()), (trapped, ("trap2",)))
    )
    for array in (plain, full, off):
        burst(array)
    for a, b in ((off.moving, plain.moving), (off.traits, plain.traits), (full.poles, plain.poles)):
        assert torch.equal(a, b)
    assert torch.equal(full.rtn_high, plain.rtn_high)
    part = full.other_noise["trap2"].part
    assert torch.allclose(full.log_r - plain.log_r, part, atol=1e-6)
    assert 0.1 < float((part > 0).float().mean()) < 0.5
    assert "plain torch for noise trap2" in repr(full)
    assert not full.in_main_memory
    assert off.in_main_memory


def test_bits_do_not_depend_on_chunks_and_resume(trapped, tmp_path, monkeypatch):
    first, second, third = (DifferentialPair((20, 30), trapped, seed=4) for _ in range(3))
    pulses = torch.arange(600).view(20, 30) % 7 - 3
    weight = first.signs()
    first.pulse(pulses, weight)
    save_checkpoint(tmp_path / "c.safetensors", first)
    first.pulse(pulses, weight)
    assert torch.equal(weight, first.signs())
    load_checkpoint(tmp_path / "c.safetensors", third)
    third.pulse(pulses)
    monkeypatch.setattr(other_noise, "_CHUNK", 7)
    for _ in range(2):
        second.pulse(pulses)
    kept = first.state_dict()
    assert "array.noise_trap2.state_high" in kept
    for other in (second, third, copy.deepcopy(first)):
        assert all(torch.equal(value, other.state_dict()[key]) for key, value in kept.items())
    assert first.half().array.other_noise["trap2"].part.dtype == torch.float32


def shares(high_1, high_14):
    return np.array([np.mean(high_1), np.mean(high_14), np.mean(high_1 & high_14)])


@pytest.mark.statistical
def test_both_generators_have_the_law_of_the_trap(trapped):
    """Shares high after pulse 1, after 14, at both: binomial, within 5 sd, false alarm 6 x 6e-7; half rates fail."""
    n, numbers = 40_000, trapped.noise.trap2.numbers()
    share = stationary_high_probability(**numbers)
    stay = share + (1 - sum(numbers.values())) ** 13 * (1 - share)
    expected = np.array([share, share, share * stay])
    sd = np.sqrt(expected * (1 - expected) / n)

    def in_torch(file):
        array, seen = DeviceArray((n,), file, seed=8, without=("d2d", "pink", "rtn")), []
        for pulses in (1, 13):
            array.pulse(pulses)
            seen.append(array.other_noise["trap2"].state_high.numpy().copy())
        return shares(*seen)

    twin = simulate_population(trapped, n, 14, 9, ("d2d", "pink", "rtn")).states["trap2"]
    assert np.all(np.abs(shares(twin[:, 1], twin[:, 14]) - expected) < 5 * sd)
    assert np.all(np.abs(in_torch(trapped) - expected) < 5 * sd)
    slow = parse_parameters(text(p_up=0.005, p_down=0.01))
    assert abs(in_torch(slow) - expected)[2] > 5 * sd[2]


def test_layers_refuse_a_kind_without_a_torch_side_by_name():
    with registered_noise(dataclasses.replace(TRAP, torch=None)):
        file = parse_parameters(text())
        with pytest.raises(SimulationError, match=r"noise.trap2 \(RTN of a second trap\).*no torch function"):
            DeviceArray((4,), file)
        assert DeviceArray((4,), file, without="trap2").other_noise == {}
        assert DeviceArray((4,), parse_parameters(text(enabled=False))).other_noise == {}


def test_it_is_trained_with_and_logged(trapped, one_torch_thread):
    arrays = [DeviceArray((1600,), trapped, seed=1, without=without) for without in ((), "trap2")]
    for array in arrays:
        array.pulse(300)
    part = arrays[0].other_noise["trap2"].part
    found, off = map(imperfection_activity, arrays)
    assert list(found) == ["d2d", "pink", "rtn", "rtn_high", "trap2"]
    assert found["trap2"] == pytest.approx(float(part.double().square().mean().sqrt()), rel=1e-6) != 0
    assert off == {**found, "trap2": 0.0}
    runs = [train(trapped, "digits", hidden=4, epochs=1, seed=1, without=without) for without in ((), "trap2")]
    logged = [trained.metrics[-1]["activity_trap2"] for trained in runs]
    assert logged[0] > 0 == logged[1]
    assert runs[0].config["noise_in_force"]["trap2_p_up"] == 0.01
    assert runs[1].config["without"] == ["trap2"]


def test_switches_conditions_and_help_know_it(trapped, capsys):
    assert check_without("trap2,d2d") == ("d2d", "trap2")
    assert check_without("all") == ("d2d", "pink", "rtn", "growing_rtn", "wander", "own_pink", "trap2")
    conditions = {condition.name: condition for condition in all_conditions(trapped)}
    assert conditions["without trap2"].without == ("trap2",)
    assert conditions["only d2d"].without == ("pink", "rtn", "trap2")
    assert conditions["only trap2"].without == ("pink", "rtn")
    assert conditions["only trap2"].spread["trap2_amplitude"] == 0.0
    assert "without trap2" not in {condition.name for condition in all_conditions(majumdar2021())}
    switches = "read, growing_rtn, wander, own_pink, trap2, all"
    for command, words in (("train", switches), ("simulate", switches), ("ablate", "only trap2")):
        assert run([command, "--help"]) == 0
        assert words in " ".join(capsys.readouterr().out.replace("│", " ").split())
    finals = {
        name: [{"test_accuracy": 0.9 + gain + 1e-3 * seed, "pulses_mean": 1, "pulses_p99": 1, "pulses_max": 1}
               for seed in range(4)]
        for name, gain in (("all on", 0.0), ("without pink", 0.0), ("without trap2", 0.01))
    }
    finals["without trap2"][0]["test_accuracy"] += 1e-4
    verdict = " ".join(Ablation.of(finals, range(4), {}).verdict())
    assert "Largest cost: RTN of a second trap" in verdict


def test_tables_comparison_and_report_have_its_numbers(trapped):
    rows = {row["parameter"]: row for row in law_rows(trapped)}
    assert rows["trap2.p_up"]["value"] == 0.01
    assert rows["trap2.amplitude"]["unit"] == "ln R"
    report = dict(noise_rows(ReportInput("x", params=trapped)))
    assert report["p_up of RTN of a second trap"] == "0.0100"
    found = compare_parameters(trapped, parse_parameters(text(p_up=0.02)))
    change = next(d for d in found.differences if d.what == "p_up of RTN of a second trap")
    assert change.change == pytest.approx(2.0)
    alone = compare_parameters(trapped, majumdar2021())
    assert "RTN of a second trap is on in A only" in alone.notes


@pytest.mark.statistical
def test_its_estimator_is_asked_in_a_fit_and_its_block_exported():
    """40 devices, 200 reads, gain noise alone (seed 11): within 5 standard errors (second differences: x 1.4)."""
    raw = json.loads(dump_parameters(majumdar2021()))
    raw["noise"]["pink"]["alpha"] = 0.0
    with registered_noise(GAIN):
        raw["noise"]["gain"] = {"sd": 0.01}
        file = parse_parameters(json.dumps(raw))
        fits = fit_devices(as_traces(simulate_population(file, 40, 200, 11, ("rtn",))))
        block = fits.noise.others["gain"]
        assert abs(block["sd"] - 0.01) < 5 * 1.4 * block["sd_stderr"]
        assert f"gain noise: sd {block['sd']:.3g}" in str(fits)
        params = export_parameters(fit_population(fits), "lot")
        assert params.noise.gain.sd == block["sd"]
        assert parse_parameters(dump_parameters(params)) == params
        assert "sd of gain noise" in dict(noise_rows(ReportInput("x", fits=fits)))
        wrong = fit_devices(as_traces(simulate_population(file, 40, 200, 11, ("rtn", "gain"))))
        assert abs(wrong.noise.others["gain"]["sd"] - 0.01) > 5 * 1.4 * block["sd_stderr"]
    with registered_noise(dataclasses.replace(GAIN, estimate=lambda fits: {"sd": -1.0})):
        population = fit_population(fit_devices(fits.traces))
        with pytest.raises(ParameterFileError, match="estimator of gain noise"):
            export_parameters(population, "lot")


def test_read_noise_has_a_switch_of_its_own_and_is_not_in_all():
    raw = json.loads(dump_parameters(majumdar2021()))
    raw["noise"]["read"] = {"enabled": True, "sd": 0.01}
    file = parse_parameters(json.dumps(raw))
    assert file.device_noise(check_without("all")).read_sd == 0.01
    assert file.device_noise(check_without("read")).read_sd == 0.0
    plain, off = (simulate_population(params, 5, 50, 2, without) for params, without in (
        (majumdar2021(), ()), (file, ("read",))))
    np.testing.assert_array_equal(plain.log_ratio, off.log_ratio)
    arrays = [DeviceArray((50,), params, seed=1, without=without) for params, without in (
        (majumdar2021(), ()), (file, "read"))]
    for array in arrays:
        array.pulse(9)
    assert torch.equal(arrays[0].moving, arrays[1].moving)
    assert "without read" in [condition.name for condition in all_conditions(file)]


def test_names_that_are_taken_are_refused_and_nothing_is_registered():
    for change in ({"name": "pink"}, {"name": "all"}, {"name": "d2d"}, {"name": "Trap 2"}):
        with pytest.raises(UsageError, match="cannot be called"):
            register_noise(dataclasses.replace(TRAP, **change))
    taken = dataclasses.replace(TRAP, numbers=(dataclasses.replace(TRAP.numbers[0], known_as="alpha"),))
    with pytest.raises(UsageError, match="taken or no name: alpha"):
        register_noise(taken)
    with pytest.raises(UsageError, match="taken or no name: note"):
        register_noise(dataclasses.replace(TRAP, numbers=(dataclasses.replace(TRAP.numbers[0], name="note"),)))
    with pytest.raises(UsageError, match="register it first"):
        noise_kind("trap2")
    with pytest.raises(TypeError, match="alpha, exponent, p_up, p_down, read_sd"):
        DeviceNoise(loudness=1.0)
    for name in ("model_x", "numbers", "p_up_stderr"):
        odd = dataclasses.replace(TRAP, numbers=(TRAP.numbers[0], dataclasses.replace(TRAP.numbers[1], name=name)))
        with pytest.raises(UsageError, match=f"taken or no name: {name}"):
            register_noise(odd)
    assert list(imperfections()) == ["d2d", "pink", "rtn", "read", "growing_rtn", "wander", "own_pink"]


def test_an_installed_package_brings_its_kinds_to_every_command(monkeypatch):
    class Entry:
        name, value = "trap2", "lab.noise:TRAP"

        def __init__(self, found):
            self.load = lambda: found

    original = metadata.entry_points
    try:
        for found, words in ((TRAP, None), ("no kind", "not a NoiseKind")):
            monkeypatch.setattr(registry.metadata, "entry_points", lambda group, found=found: [Entry(found)])
            registry._installed.cache_clear()
            if words is None:
                assert "trap2" in noise_kinds()
            else:
                with pytest.raises(UsageError, match=words):
                    noise_kinds()
    finally:
        monkeypatch.setattr(registry.metadata, "entry_points", original)
        registry._installed.cache_clear()


def test_help_of_the_program_looks_up_no_kinds():
    code = "import sys, weakreset.cli as c; sys.argv = ['weakreset', '--help']\n"
    code += "try: c.main()\nexcept SystemExit: pass\n"
    code += "print('weakreset.model.noise' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.splitlines()[-1] == "False"
