"""The text for aihwkit, run with something in its place that only keeps what it is told; its update rule in numpy."""

from __future__ import annotations

import re
import sys
import types
from collections import OrderedDict

import numpy as np
import pytest
import torch

from tests.exports.test_ngspice import NUMBERS, technology
from weakreset.cli.app import run
from weakreset.exports.aihwkit import moved
from weakreset.model import SHAPES
from weakreset.parameter_file import ParameterFile, majumdar2021
from weakreset.twin import simulate_population

N_PULSES = 300


class Tile:
    """What a tile of aihwkit keeps of its devices, and its update rule as it is documented."""

    def __init__(self, config, rows, columns):
        names = ("max_bound", "min_bound", "dwmin_up", "dwmin_down", "decay_scales", "reset_bias")
        self.config = config
        self.hidden = OrderedDict((name, torch.ones(rows, columns)) for name in names)

    def get_hidden_parameters(self):
        return OrderedDict(self.hidden)

    def set_hidden_parameters(self, hidden):
        assert [*hidden] == [*self.hidden]
        assert {value.shape for value in hidden.values()} == {self.hidden["dwmin_up"].shape}
        self.hidden = hidden

    def pulsed(self, n_pulses):
        device = self.config.device
        assert device.piecewise_up == device.piecewise_down
        low, high, up = (self.hidden[name].double().numpy().ravel() for name in ("min_bound", "max_bound", "dwmin_up"))
        nodes, w, seen = np.array(device.piecewise_up), np.zeros(up.size), []
        for _ in range(n_pulses):
            at = np.maximum((w - low) / (high - low) * (len(nodes) - 1), 0)
            i = np.minimum(np.floor(at).astype(int), len(nodes) - 2)
            t = np.minimum(at - i, 1)
            w = np.clip(w + up * ((1 - t) * nodes[i] + t * nodes[i + 1]), low, high)
            seen.append(w)
        return np.array(seen).T


@pytest.fixture
def aihwkit(monkeypatch):
    """Modules with the three names that the text imports."""
    def kept(**numbers):
        return types.SimpleNamespace(**numbers)

    parts = {"aihwkit": {}, "aihwkit.simulator": {}, "aihwkit.simulator.configs": {"SingleRPUConfig": kept}}
    parts["aihwkit.simulator.configs.devices"] = {"PiecewiseStepDevice": kept}
    for name, content in parts.items():
        module = types.ModuleType(name)
        vars(module).update(content)
        monkeypatch.setitem(sys.modules, name, module)


def written(tmp_path, file, devices=60):
    file.save(tmp_path / "p.json")
    target = tmp_path / "devices.py"
    options = ["--devices", str(devices), "--pulses", str(N_PULSES), "--seed", "3"]
    assert run(["export", str(tmp_path / "p.json"), "--to", "aihwkit", "-o", str(target), *options]) == 0
    return target.read_text()


def loaded(text):
    names = {}
    exec(compile(text, "devices.py", "exec"), names)
    return names


def law(file, devices=60, sign=1.0):
    drawn = simulate_population(file, devices, 1, 3).devices
    return sign * (drawn.mean_log_ratio(np.arange(1, N_PULSES + 1)) - drawn.drift[drawn.shape.offset][:, None])


@pytest.mark.parametrize("direction", ["reset", "set"])
def test_the_stated_error_is_that_of_a_tile_with_these_numbers(tmp_path, aihwkit, direction):
    raw = majumdar2021().model_dump(by_alias=True) | {"direction": direction}
    file = ParameterFile.model_validate(raw)
    text = written(tmp_path, file)
    names = loaded(text)
    tile = Tile(names["rpu_config"](), 6, 10)
    names["set_devices"](tile)
    assert not tile.hidden["dwmin_down"].any()
    truth = law(file, sign=-1.0 if direction == "set" else 1.0)
    miss = np.sqrt(np.mean((tile.pulsed(N_PULSES) - truth) ** 2))
    assert miss == pytest.approx(float(re.search(r"of a device lies (\S+)", text).group(1)), rel=0.05)
    assert miss < 0.02 < 0.1 < np.sqrt(np.mean((truth - truth.mean(axis=0)) ** 2))
    assert ("ln(R0/R)" in text) == (direction == "set")
    assert text.startswith("# devices for aihwkit: made by weakreset ")
    assert "# not carried: 1/f noise, RTN: aihwkit's" in text


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_has_steps(tmp_path, aihwkit, shape):
    if shape not in NUMBERS:
        pytest.skip(f"{shape} comes from another test")
    file = technology(shape)
    names = loaded(written(tmp_path, file, devices=2))
    tile = Tile(names["rpu_config"](), 1, 2)
    names["set_devices"](tile)
    truth = law(file, 2)
    assert np.sqrt(np.mean((tile.pulsed(N_PULSES) - truth) ** 2)) < 0.03 * truth[0, -1]


def test_a_tile_larger_than_the_export_is_refused_with_what_to_do(tmp_path, aihwkit):
    names = loaded(written(tmp_path, majumdar2021(), devices=5))
    with pytest.raises(ValueError, match="export with --devices 6"):
        names["set_devices"](Tile(names["rpu_config"](), 2, 3))


def test_the_rule_by_hand():
    """Nodes 1, 0.5, 0.5 on [0, 4]: from 0 by 1, from 1 (halfway to the node at 2) by 0.75; never beyond the bound."""
    found = moved(np.array([1.0, 3.0]), np.array([4.0, 4.0]), np.array([1.0, 0.5, 0.5]), 3)
    assert found.tolist() == [[1.0, 1.75, 1.75 + 0.5625], [3.0, 4.0, 4.0]]


def test_devices_that_do_not_move_are_refused(tmp_path, capsys):
    raw = majumdar2021().model_dump(by_alias=True)
    for name in ("m1", "m2"):
        raw["parameters"][name] |= {"family": "constant", "params": {"value": 0.0}, "truncation": [0.0, 1.0]}
    ParameterFile.model_validate(raw).save(tmp_path / "p.json")
    assert run(["export", str(tmp_path / "p.json"), "--to", "aihwkit", "-o", str(tmp_path / "a.py")]) == 2
    assert "do not move" in " ".join(capsys.readouterr().err.split())


def test_a_real_tile_is_pulsed(tmp_path):
    """Where aihwkit runs: every update is one up pulse on every device."""
    reason = "aihwkit is not installed, or does not import beside this torch"
    pytest.importorskip("aihwkit", reason=reason, exc_type=Exception)
    from aihwkit.simulator.parameters import UpdateParameters
    from aihwkit.simulator.tiles import AnalogTile

    file = majumdar2021()
    names = loaded(written(tmp_path, file))
    config = names["rpu_config"]()
    config.update = UpdateParameters(desired_bl=1, update_management=False, update_bl_management=False)
    tile = AnalogTile(6, 10, config)
    names["set_devices"](tile)
    tile.set_weights(torch.zeros(6, 10))
    tile.set_learning_rate(10.0)
    for _ in range(N_PULSES):
        tile.update(torch.ones(1, 10), -torch.ones(1, 6))
    w = tile.get_weights()[0].reshape(-1).numpy()
    assert np.abs(w - law(file)[:, -1]).max() < 0.2
