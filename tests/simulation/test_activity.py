import pytest
import torch
from torch import nn

from weakreset.errors import SimulationError
from weakreset.parameter_file import ParameterFile
from weakreset.simulation import convert, fit_pink_poles, imperfection_activity


def activity(params: ParameterFile, without: str) -> dict[str, float]:
    with torch.random.fork_rng(devices=[]):
        model = convert(nn.Sequential(nn.Linear(60, 50), nn.Linear(50, 10)), params, seed=1, without=without)
    for layer in model:
        layer.pair.pulse(torch.full(layer.weight.shape, 5), layer.weight)  # type: ignore[union-attr,operator]
    return imperfection_activity(model)


def test_a_switch_takes_its_own_imperfection_to_zero_and_leaves_the_others(params: ParameterFile) -> None:
    full = activity(params, "")
    assert full["d2d"] == pytest.approx(381.7 / 6988, rel=0.2)
    pink_sd = params.noise.pink.alpha * fit_pink_poles(1.0).variance.sum() ** 0.5
    assert full["pink"] == pytest.approx(pink_sd, rel=0.1)
    assert full["rtn"] == pytest.approx(0.0625 * 0.8 / 2.8, rel=0.2)
    assert full["rtn_high"] == pytest.approx(0.8 / 2.8, abs=0.05)
    assert activity(params, "pink") == {**full, "pink": 0.0}
    without_rtn = activity(params, "rtn")
    assert {**without_rtn, "rtn_high": 0.0} == {**full, "rtn": 0.0, "rtn_high": 0.0}
    without_d2d = activity(params, "d2d")
    assert (without_d2d["d2d"], without_d2d["pink"], without_d2d["rtn_high"]) == (0.0, full["pink"], full["rtn_high"])
    off = activity(params, "all")
    assert off["d2d"] == off["pink"] == off["rtn"] == 0.0


def test_a_model_without_devices_is_refused() -> None:
    with pytest.raises(SimulationError, match="no simulated devices"):
        imperfection_activity(nn.ReLU())
