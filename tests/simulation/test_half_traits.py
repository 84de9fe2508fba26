import pytest
import torch

from weakreset.errors import SimulationError
from weakreset.parameter_file import ParameterFile
from weakreset.simulation import DeviceArray


def test_half_precision_traits_err_as_documented(params: ParameterFile) -> None:
    """Largest possible: half a pulse of the knee and 2^-12 of the drift at the steepest slope, 0.0076 a pulse."""
    whole, half = (DeviceArray((20_000,), params, seed=1, half_traits=flag) for flag in (False, True))
    assert torch.equal(whole.log_r0, half.log_r0)
    for n in (1, 999, 1000):
        for array in (whole, half):
            array.pulse(n)
        error = (whole.log_resistance() - half.log_resistance()).abs()
        assert 0 < float(error.square().mean().sqrt()) < 3e-4
        assert float(error.quantile(0.99)) < 1e-3
        assert float(error.max()) < 7.5e-3
    assert torch.equal(whole.poles, half.poles)
    assert torch.equal(whole.rtn_high, half.rtn_high)


def test_half_precision_saves_ten_bytes_a_device_and_survives_set_and_saving(params: ParameterFile) -> None:
    array, other = (DeviceArray((5000,), params, seed=seed, half_traits=True) for seed in (1, 2))
    assert array.traits.dtype == torch.float16
    size = sum(value.numel() * value.element_size() for value in array.state_dict().values())
    assert size / 5000 < 30.01
    other.load_state_dict(array.state_dict())
    for part in (array, other):
        part.pulse(3)
        part.set_(torch.arange(5000) % 2 == 0)
        part.pulse(2)
    assert torch.equal(array.log_r, other.log_r)
    with pytest.raises(SimulationError, match="other noise"):
        DeviceArray((5000,), params, seed=1).load_state_dict(array.state_dict())
