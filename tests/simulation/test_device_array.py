import copy
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from weakreset.errors import SimulationError, UsageError
from weakreset.model import two_slope
from weakreset.parameter_file import Defects, ParameterFile
from weakreset.simulation import DeviceArray, kernels


def _state(array: DeviceArray) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in array.state_dict().items()}


def _same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_a_fresh_device_reads_r0(params: ParameterFile) -> None:
    array = DeviceArray((3, 5), params, seed=1)
    assert array.resistance().shape == (3, 5)
    assert torch.equal(array.log_resistance(), array.log_r0)
    assert float(array.resistance().min()) > 6251
    assert float(array.resistance().max()) < 7898
    assert int(array.pulse_count.sum()) == 0


def test_without_noise_the_drift_is_that_of_the_model(params: ParameterFile) -> None:
    array = DeviceArray((500,), params, seed=2, without=("pink", "rtn"))
    for n in (1, 40, 1000, 3000):
        array.pulse(n)
        t, m1, t_star, m2 = (getattr(array, name).numpy() for name in ("pulse_count", "m1", "t_star", "m2"))
        c1 = (array.offset - array.log_r0).numpy()
        expected = two_slope(t, m1, t_star, c1, m2)
        found = (array.log_resistance() - array.log_r0).numpy()
        assert found == pytest.approx(expected, abs=6e-6)  # a few float32 steps of ln R = 9


def test_zero_pulses_leave_a_device_bit_identical(params: ParameterFile) -> None:
    array = DeviceArray((2000,), params, seed=3)
    array.pulse(5)
    before, n = _state(array), torch.zeros(2000, dtype=torch.int64)
    n[::2] = 3
    array.pulse(n)
    after = _state(array)
    for name, value in before.items():
        if name not in ("clock", "physics"):
            assert torch.equal(value[1::2], after[name][1::2]), name
    assert not (before["moving"][::2, -1] == after["moving"][::2, -1]).any()  # ln R


def test_same_seed_same_bits_other_seed_other_chip(params: ParameterFile) -> None:
    first, second, third = (DeviceArray((400,), params, seed=seed) for seed in (4, 4, 5))
    for array in (first, second, third):
        array.pulse(torch.arange(400) % 9)
    assert _same(_state(first), _state(second))
    assert not torch.equal(first.m1, third.m1)
    assert not torch.equal(first.poles, third.poles)


def test_a_device_does_not_depend_on_the_size_of_the_array(params: ParameterFile) -> None:
    small, large = DeviceArray((100,), params, seed=6), DeviceArray((1000,), params, seed=6)
    for array in (small, large):
        array.pulse(7)
    assert torch.equal(small.log_r, large.log_r[:100])


@pytest.mark.parametrize("chunk", [1, 77, 4096])
def test_bits_do_not_depend_on_the_chunk_size(
    params: ParameterFile, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    n = torch.arange(5003 if chunk > 1 else 203) % 5
    reference = DeviceArray(n.shape, params, seed=7)
    reference.pulse(n)
    monkeypatch.setattr(kernels, "CHUNK", chunk)
    other = DeviceArray(n.shape, params, seed=7)
    other.pulse(n)
    assert _same(_state(reference), _state(other))


def test_bits_do_not_depend_on_the_number_of_threads(
    params: ParameterFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernels, "CHUNK", 1 << 20)  # large enough for torch to split the work
    n = torch.arange(200_000) % 15
    states, threads = [], torch.get_num_threads()
    try:
        for count in (1, 2, 3):
            torch.set_num_threads(count)
            array = DeviceArray(n.shape, params, seed=8)
            array.pulse(n)
            states.append(_state(array))
    finally:
        torch.set_num_threads(threads)
    assert _same(states[0], states[1])
    assert _same(states[0], states[2])


def test_state_dict_holds_everything(params: ParameterFile) -> None:
    array = DeviceArray((300,), params, seed=9)
    array.pulse(11)
    twin = DeviceArray((300,), params, seed=10)
    twin.load_state_dict(array.state_dict())
    for a in (array, twin):
        a.pulse(3)
        a.set_(torch.arange(300) % 3 == 0)
        a.pulse(2)
    assert _same(_state(array), _state(twin))


def test_a_state_of_other_physics_is_refused(params: ParameterFile) -> None:
    noise = params.noise.model_copy(update={"pink": params.noise.pink.model_copy(update={"alpha": 0.01})})
    other = DeviceArray((3,), params.model_copy(update={"noise": noise}), seed=0)
    with pytest.raises(SimulationError, match="other noise"):
        other.load_state_dict(DeviceArray((3,), params, seed=0).state_dict())


def test_deepcopy_goes_its_own_way(params: ParameterFile) -> None:
    array = DeviceArray((50,), params, seed=11)
    twin = copy.deepcopy(array)
    array.pulse(4)
    assert int(twin.pulse_count.sum()) == 0
    twin.pulse(4)
    assert _same(_state(array), _state(twin))


@pytest.mark.parametrize("cast", [torch.nn.Module.half, torch.nn.Module.double])
def test_the_physics_stays_float32(params: ParameterFile, cast: Callable[[torch.nn.Module], object]) -> None:
    array = DeviceArray((10,), params, seed=12)
    before = _state(array)
    cast(array)
    assert _same(before, _state(array))
    assert array.log_resistance().dtype == torch.float32


def test_state_is_at_most_40_bytes_a_device(params: ParameterFile) -> None:
    array = DeviceArray((10_000,), params, seed=0)
    size = sum(value.numel() * value.element_size() for value in array.state_dict().values())
    assert size / 10_000 < 40.01


def test_switches_act_on_the_same_chip(params: ParameterFile) -> None:
    arrays = {off: DeviceArray((800,), params, seed=13, without=off) for off in ("", "pink", "rtn", "d2d")}
    for array in arrays.values():
        array.pulse(torch.arange(800) % 7)
    full = arrays[""]
    for off in ("pink", "rtn"):
        assert torch.equal(full.m1, arrays[off].m1)
        assert torch.equal(full.log_r0, arrays[off].log_r0)
    assert torch.equal(full.rtn_high, arrays["pink"].rtn_high)
    assert torch.equal(full.poles, arrays["rtn"].poles)
    assert torch.equal(full.poles, arrays["d2d"].poles)
    assert torch.equal(full.rtn_high, arrays["d2d"].rtn_high)
    assert float(arrays["rtn"].rtn_amplitude.abs().sum()) == 0
    assert arrays["d2d"].m1.unique().numel() == 1
    assert float(arrays["d2d"].m1[0]) == pytest.approx(params.parameters["m1"].law().median(), rel=1e-6)
    changed = {off: float((full.log_r - array.log_r).abs().max()) for off, array in arrays.items() if off}
    assert min(changed.values()) > 0.005


def test_set_begins_a_new_cycle_of_the_chosen_devices_only(params: ParameterFile) -> None:
    array = DeviceArray((1000,), params, seed=14)
    array.pulse(20)
    before, poles, mask = _state(array), array.poles, torch.arange(1000) % 4 == 0
    array.set_(mask)
    assert torch.equal(array.log_resistance()[mask], array.log_r0[mask])
    assert torch.equal(array.moving[~mask], before["moving"][~mask])
    assert not torch.equal(array.poles[mask], poles[mask])
    assert array.pulse_count[mask].unique().tolist() == [0]
    assert array.set_count[mask].unique().tolist() == [1]
    assert array.set_count[~mask].unique().tolist() == [0]
    array.pulse(5)
    assert array.total_pulses().unique().tolist() == [25]


@pytest.mark.statistical
def test_many_sets_keep_the_stationary_variances(params: ParameterFile) -> None:
    """Variances of 20,000 draws within 5 sd (relative 0.05): false alarm 6 x 6e-7. The slow level would grow
    as a random walk (variance x 6) if the level before were not taken out."""
    array = DeviceArray((20_000,), params, seed=15, without=("d2d",))
    for _ in range(5):
        array.set_(torch.ones(20_000, dtype=torch.bool))
    slow_sd = array.noise_tables().slow_sd
    assert float((array.offset.double()).var()) / slow_sd**2 == pytest.approx(1.0, abs=0.05)
    for pole in array.poles.double().T:
        assert float(pole.var()) == pytest.approx(1.0, abs=0.05)
    assert float(array.rtn_high.double().mean()) == pytest.approx(0.8 / 2.8, abs=5 * 0.0032)


def test_read_noise_belongs_to_the_read_after_the_last_pulse(params: ParameterFile) -> None:
    read = params.noise.read.model_copy(update={"enabled": True, "sd": 0.02})
    noise = params.noise.model_copy(update={"read": read})
    noisy = DeviceArray((5000,), params.model_copy(update={"noise": noise}), seed=16)
    quiet = DeviceArray((5000,), params, seed=16)
    assert torch.equal(noisy.log_resistance(), quiet.log_resistance())
    for array in (noisy, quiet):
        array.pulse(3)
    difference = (noisy.log_resistance() - quiet.log_resistance()).double()
    assert float(difference.std()) == pytest.approx(0.02, rel=0.05)  # 5 sd of a standard deviation of 5000
    assert torch.equal(noisy.log_resistance(), noisy.log_resistance())
    assert torch.equal(noisy.poles, quiet.poles)


def test_unresponsive_devices_keep_r0(params: ParameterFile) -> None:
    broken = params.model_copy(update={"defects": Defects(fraction=0.25)})
    array = DeviceArray((4000,), broken, seed=17)
    array.pulse(50)
    stuck = array.log_r == array.log_r0
    assert array.unresponsive is not None
    assert torch.equal(stuck, array.unresponsive)
    assert float(stuck.double().mean()) == pytest.approx(0.25, abs=0.035)  # 5 sd of a binomial
    assert DeviceArray((40,), broken, seed=17, without="d2d").unresponsive is None


@settings(max_examples=25, deadline=None)
@given(counts=st.lists(st.integers(0, 5000), min_size=1, max_size=30), seed=st.integers(0, 2**63 - 1))
def test_pulses_are_counted_whatever_the_burst(counts: list[int], seed: int) -> None:
    array = DeviceArray((len(counts),), "majumdar2021", seed=seed)
    array.pulse(torch.tensor(counts))
    assert array.pulse_count.tolist() == counts
    assert bool(torch.isfinite(array.log_r).all())
    untouched = array.pulse_count == 0
    assert torch.equal(array.log_r[untouched], array.log_r0[untouched])


@pytest.mark.parametrize(
    ("n", "message"),
    [
        (torch.tensor([1, -1, 0]), "-1"),
        (torch.tensor([1.0, 2.0, 0.0]), "integers"),
        (torch.tensor([True, False, True]), "integers"),
        (torch.tensor([1, 2]), "shape"),
        (-3, "-3"),
        (2**30, "1073741824 pulses for devices that have had up to 0: the counter .* holds 1073741823"),
    ],
)
def test_impossible_pulses_are_refused_and_change_nothing(
    params: ParameterFile, n: torch.Tensor | int, message: str
) -> None:
    array = DeviceArray((3,), params, seed=0)
    before = _state(array)
    with pytest.raises(SimulationError, match=message):
        array.pulse(n)
    assert _same(before, _state(array))


def test_bad_construction_and_bad_masks_are_refused(params: ParameterFile) -> None:
    with pytest.raises(SimulationError, match="seed"):
        DeviceArray((3,), params, seed=-1)
    with pytest.raises(SimulationError, match="shape"):
        DeviceArray((-3,), params)
    with pytest.raises(UsageError, match="drift"):
        DeviceArray((3,), params, without=("drift",))
    with pytest.raises(SimulationError, match="mask"):
        DeviceArray((3,), params).set_(torch.tensor([1, 0, 1]))


def test_an_empty_array_is_an_array(params: ParameterFile) -> None:
    array = DeviceArray((0,), params)
    array.pulse(3)
    assert array.resistance().shape == (0,)


def test_one_update_costs_the_same_for_one_and_for_126_pulses(params: ParameterFile) -> None:
    """The same operations on the same number of elements, counted, not timed."""
    from torch.profiler import ProfilerActivity, profile

    array, counts = DeviceArray((100,), params, seed=0), []
    array.pulse(1)
    for n in (1, 126):
        with profile(activities=[ProfilerActivity.CPU]) as recorded:
            array.pulse(n)
        counts.append({event.key: event.count for event in recorded.key_averages()})
    assert counts[0] == counts[1]


def test_numpy_scalars_and_presets_are_accepted() -> None:
    array = DeviceArray(np.int64(3).item(), "majumdar2021", seed=int(np.int64(2)))
    array.pulse(1)
    assert array.resistance().shape == (3,)


@pytest.mark.parametrize(
    ("name", "value"),
    [("set_count", torch.zeros(3)), ("retired_pulses", torch.zeros(2, dtype=torch.int32)),
     ("unresponsive", torch.zeros(3, dtype=torch.int64)), ("reads", torch.zeros(3, dtype=torch.int64)),
     ("physics", torch.zeros(3, dtype=torch.int64))],
)  # fmt: skip
def test_a_state_with_a_part_of_another_kind_is_refused(params: ParameterFile, name: str, value: torch.Tensor) -> None:
    array = DeviceArray((3,), params)
    before = _state(array)
    with pytest.raises(SimulationError):
        array.load_state_dict(array.state_dict() | {name: value})
    assert _same(_state(array), before)
