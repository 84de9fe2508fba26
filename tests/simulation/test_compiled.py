"""The compiled kernel against plain torch: every bit of every buffer, for every drift shape and number of poles."""

import copy
import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.processes import here
from tests.technologies import technology
from weakreset.errors import SimulationError
from weakreset.model import SHAPES
from weakreset.parameter_file import Defects, ParameterFile
from weakreset.simulation import BinaryLinear, DeviceArray, PulseOptimizer
from weakreset.simulation.compiled import calls
from weakreset.simulation.compiled import devices as compiled_devices
from weakreset.simulation.compiled import step as compiled


def plain(array: DeviceArray) -> DeviceArray:
    twin = copy.deepcopy(array)
    twin.kernel = "torch"
    return twin


def assert_same_bits(a: torch.nn.Module, b: torch.nn.Module) -> None:
    first, second = a.state_dict(), b.state_dict()
    assert first.keys() == second.keys()
    for name, value in first.items():
        assert value.dtype == second[name].dtype
        assert value.numpy().tobytes() == second[name].numpy().tobytes(), name


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("n_poles", [2, 3, 4, 5, 8])
def test_pulses_and_sets_give_the_bits_of_plain_torch(shape: str, n_poles: int) -> None:
    array = DeviceArray((3000,), technology(shape), seed=n_poles, n_poles=n_poles)
    twin, generator = plain(array), torch.Generator().manual_seed(0)
    for longest in (2, 15, 3000):
        n = torch.randint(0, longest, (3000,), generator=generator)
        for part in (array, twin):
            part.pulse(n)
            part.set_(n == 1)
        assert_same_bits(array, twin)


@pytest.mark.parametrize("without", ["pink", "rtn", "d2d", "all", "pink,rtn"])
def test_switches_read_noise_and_dead_devices_give_the_same_bits(params: ParameterFile, without: str) -> None:
    noise = params.noise.model_copy(update={"read": params.noise.read.model_copy(update={"enabled": True, "sd": 0.01})})
    harder = params.model_copy(update={"noise": noise, "defects": Defects(fraction=0.1)})
    array = DeviceArray((2, 50, 40), harder, seed=3, without=without)
    twin = plain(array)
    for part in (array, twin):
        part.pulse(7)
    assert_same_bits(array, twin)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_drift_is_that_of_the_model(shape: str) -> None:
    """To a few float32 steps of ln R = 9, out to 10^5 pulses."""
    array = DeviceArray((300,), technology(shape), seed=4, without=("pink", "rtn"))
    for n in (1, 9, 490, 9500, 90_000):
        array.pulse(n)
        numbers = [
            (array.offset - array.log_r0 if name == "c1" else getattr(array, name)).double().numpy()
            for name in SHAPES[shape].parameters
        ]
        expected = SHAPES[shape].value(array.pulse_count.numpy(), *numbers)
        found = (array.log_resistance() - array.log_r0).double().numpy()
        assert found == pytest.approx(expected, rel=1e-6, abs=6e-6)


def trained(
    params: ParameterFile, kernel: str, steps: int = 4, without: str = "", **options: object
) -> tuple[BinaryLinear, PulseOptimizer]:
    layer = BinaryLinear(70, 90, params=params, seed=5, without=without)
    layer.pair.array.kernel = kernel
    optimizer = PulseOptimizer(layer.parameters(), **options)  # type: ignore[arg-type]
    generator = torch.Generator().manual_seed(6)
    for _ in range(steps):
        for p in layer.parameters():
            p.grad = torch.randn(p.shape, generator=generator) * 10 ** (-6 * torch.rand(p.shape, generator=generator))
        optimizer.step()
    return layer, optimizer


OPTIONS = [{"lr": 100}, {"lr": 6, "only_disagreeing": True}, {"lr": 2, "max_pulses": 2000}]


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("without", ["", "all"])
def test_training_gives_the_same_bits(params: ParameterFile, options: dict[str, object], without: str) -> None:
    runs = [trained(params, kernel, without=without, **options) for kernel in ("auto", "torch")]
    (fast, quick), (slow, plain_optimizer) = runs
    assert_same_bits(fast, slow)
    assert quick.last_step == plain_optimizer.last_step
    assert quick.last_step.devices > 0
    for one, other in zip(quick.state.values(), plain_optimizer.state.values(), strict=True):
        assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("kernel", ["auto", "torch"])
def test_a_gradient_that_is_no_number_raises_and_gives_no_pulse(params: ParameterFile, kernel: str) -> None:
    layer = BinaryLinear(20, 30, params=params, seed=7)
    layer.pair.array.kernel = kernel
    optimizer = PulseOptimizer(layer.parameters(), lr=100)
    layer.weight.grad = torch.ones(30, 20)
    layer.weight.grad[3, 4], layer.weight.grad[5, 6] = float("nan"), float("inf")
    with pytest.raises(SimulationError, match="2 device weights are no number"):
        optimizer.step()
    assert layer.pair.array.pulse_count.sum(-1)[3, 4] == layer.pair.array.pulse_count.sum(-1)[5, 6] == 0
    assert int((layer.pair.array.pulse_count.sum(-1) > 0).sum()) == 598


def test_bits_do_not_depend_on_threads_or_block(params: ParameterFile, monkeypatch: pytest.MonkeyPatch) -> None:
    reference, _ = trained(params, "auto")
    monkeypatch.setattr(calls, "_LEAST_SHARE", 100)
    threads = torch.get_num_threads()
    try:
        for count in (1, 2, 5):
            torch.set_num_threads(count)
            assert_same_bits(reference, trained(params, "auto")[0])
    finally:
        torch.set_num_threads(threads)
    assert compiled.BLOCK < 70 * 90  # several blocks, and a part of one
    assert compiled_devices.CHUNK < compiled.BLOCK


def test_compiled_code_is_kept_under_what_its_sources_say() -> None:
    """numba sees changes of the file of an entry, not of the files that it takes functions from."""
    name = compiled.adam_range.py_func.__qualname__  # type: ignore[attr-defined]
    digest = hashlib.blake2b(digest_size=8)
    package = Path(compiled.__file__).parents[2]
    for folder in (package / "model" / "drift", package / "simulation"):
        for path in sorted(folder.rglob("*.py")):
            digest.update(path.read_bytes())
    assert name == f"adam_range_{digest.hexdigest()}"


def test_a_pair_at_the_end_of_an_odd_array_reads_nothing_beyond(params: ParameterFile) -> None:
    array, longer = DeviceArray((2049,), params, seed=9), DeviceArray((2050,), params, seed=9)
    for part in (array, longer):
        part.pulse(2)
    assert torch.equal(array.moving, longer.moving[:2049])


@pytest.mark.parametrize("share", [0.0, 0.001, 0.02, 0.3, 0.9, 1.0])
@pytest.mark.parametrize("shape", [(1, 1), (7, 9), (64, 33), (100, 83)])
def test_any_share_of_pulsed_weights_gives_the_same_bits(
    params: ParameterFile, shape: tuple[int, int], share: float
) -> None:
    """Groups of 64, blocks, lists over several blocks, and their ends."""
    layers = [BinaryLinear(shape[1], shape[0], params=params, seed=10) for _ in range(2)]
    layers[1].pair.array.kernel = "torch"
    generator = torch.Generator().manual_seed(11)
    for _ in range(3):
        n = torch.randint(-14, 15, shape, generator=generator)
        n = torch.where(n == 0, 1, n) * (torch.rand(shape, generator=generator) < share)
        reports = [layer.pair.pulse(n, layer.weight) for layer in layers]
        assert reports[0] == reports[1]
        assert reports[0].devices == int((n != 0).sum())
    assert_same_bits(*layers)


def test_wrong_arithmetic_would_be_seen(params: ParameterFile) -> None:
    """One unit in the last place of the amplitude of one pole must not go unnoticed."""
    array = DeviceArray((30_000,), params, seed=8)
    twin = plain(array)
    twin.noise_tables().pole_sd[3] = float(np.nextafter(np.float32(array.noise_tables().pole_sd[3]), np.float32(1)))
    for part in (array, twin):
        part.pulse(3)
    assert not torch.equal(array.log_r, twin.log_r)


def test_numba_is_loaded_only_when_devices_move() -> None:
    code = "import sys, weakreset.simulation, weakreset.training; print('numba' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=here())
    assert out.stdout.strip() == "False"
