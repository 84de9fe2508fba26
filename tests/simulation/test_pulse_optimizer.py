import sys

import pytest
import torch
from torch import nn

from weakreset.errors import SimulationError
from weakreset.parameter_file import ParameterFile
from weakreset.simulation import BinaryLinear, PulseOptimizer, PulseReport


def _model(params: ParameterFile, seed: int = 0) -> nn.Sequential:
    return nn.Sequential(
        BinaryLinear(12, 30, params=params, seed=seed), nn.BatchNorm1d(30), nn.Hardtanh(),
        BinaryLinear(30, 4, params=params, seed=seed),
    )


def _gradients(model: nn.Module, step: int) -> None:
    """Seeded gradients over six decades."""
    generator = torch.Generator().manual_seed(step)
    for p in model.parameters():
        scale = 10.0 ** (6 * torch.rand(p.shape, generator=generator) - 6)
        p.grad = torch.randn(p.shape, generator=generator) * scale


def _adam_updates(gradients: list[torch.Tensor]) -> torch.Tensor:
    """Adam's update along minus the gradient, by torch's own Adam on a parameter at zero."""
    p = nn.Parameter(torch.zeros_like(gradients[0]))
    adam = torch.optim.Adam([p], lr=1.0)
    for g in gradients:
        with torch.no_grad():
            p.zero_()
        p.grad = g
        adam.step()
    return p.detach()


@pytest.mark.parametrize("only_disagreeing", [False, True])
def test_pulses_are_the_rounded_clamped_adam_update(params: ParameterFile, only_disagreeing: bool) -> None:
    model = _model(params)
    layer, seen = model[0], []
    optimizer = PulseOptimizer(model.parameters(), lr=20, max_pulses=14, only_disagreeing=only_disagreeing)
    expected_counts = torch.zeros(30, 12, 2, dtype=torch.int64)
    for step in range(4):
        _gradients(model, step)
        seen.append(layer.weight.grad.clone())
        n = torch.round((20 * _adam_updates(seen)).clamp(-14, 14))
        if only_disagreeing:
            n = torch.where(torch.sign(n) == layer.weight.detach(), 0, n)
        expected_counts += torch.stack([n.clamp(min=0), (-n).clamp(min=0)], dim=-1).long()
        optimizer.step()
        assert torch.equal(layer.weight.detach(), layer.pair.signs())
    difference = (layer.pair.array.pulse_count - expected_counts).abs()
    assert int(difference.max()) <= 1  # an update within float32 rounding of a half
    assert float((difference > 0).double().mean()) < 0.01
    assert int(expected_counts.sum()) > 1000


def test_other_parameters_get_ordinary_adam(params: ParameterFile) -> None:
    model, reference = _model(params), _model(params)
    optimizer = PulseOptimizer(model.parameters(), digital_lr=0.01)
    names = ["0.bias", "1.weight", "1.bias", "3.bias"]
    adam = torch.optim.Adam([p for name, p in reference.named_parameters() if name in names], lr=0.01)
    for step in range(5):
        for part in (model, reference):
            _gradients(part, step)
        optimizer.step()
        adam.step()
    found, expected = dict(model.named_parameters()), dict(reference.named_parameters())
    for name in names:
        assert torch.allclose(found[name], expected[name], rtol=1e-5, atol=1e-7)


def test_a_weight_without_gradient_gets_no_pulse(params: ParameterFile) -> None:
    model = _model(params)
    optimizer = PulseOptimizer(model.parameters())
    _gradients(model, 0)
    model[3].weight.grad = None
    model[0].weight.grad[:, 3] = 0
    optimizer.step()
    assert int(model[3].pair.array.pulse_count.sum()) == 0
    assert int(model[0].pair.array.pulse_count[:, 3].sum()) == 0


def test_the_last_step_is_reported(params: ParameterFile) -> None:
    model = _model(params)
    optimizer = PulseOptimizer(model.parameters())
    assert optimizer.last_step == PulseReport()
    before = [layer.weight.detach().clone() for layer in (model[0], model[3])]
    _gradients(model, 0)
    optimizer.step()
    after = [layer.weight.detach() for layer in (model[0], model[3])]
    flips = sum(int((a != b).sum()) for a, b in zip(before, after, strict=True))
    assert optimizer.last_step.flips == flips > 0
    total = sum(int(layer.pair.array.pulse_count.sum()) for layer in (model[0], model[3]))
    assert optimizer.last_step.pulses == total > 0


def test_groups_are_split_by_role_and_schedulers_reach_them(params: ParameterFile) -> None:
    model = _model(params)
    groups = [{"params": model[0].parameters(), "lr": 50}, {"params": model[1:].parameters()}]
    optimizer = PulseOptimizer(groups, lr=10)
    roles = [(group["role"], group["lr"]) for group in optimizer.param_groups]
    assert roles == [("device", 50), ("digital", 8e-3), ("device", 10), ("digital", 8e-3)]
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1, 0.5)
    _gradients(model, 0)
    optimizer.step()
    scheduler.step()
    assert [group["lr"] for group in optimizer.param_groups] == [25, 4e-3, 5, 4e-3]


def test_twins_that_would_share_noise_are_refused(params: ParameterFile) -> None:
    twins = nn.Sequential(*(BinaryLinear(5, 5, params=params, seed=1) for _ in range(2)))
    with pytest.raises(SimulationError, match="share"):
        PulseOptimizer(twins.parameters())
    shared = BinaryLinear(5, 5, params=params, seed=1)
    PulseOptimizer(nn.Sequential(shared, shared).parameters())  # one layer used twice is one chip


IMPOSSIBLE = [{"lr": -1}, {"max_pulses": 0}, {"betas": (1, 0.9)}, {"lr": float("nan")}]


@pytest.mark.parametrize("options", IMPOSSIBLE)
def test_impossible_numbers_are_refused(params: ParameterFile, options: dict[str, float]) -> None:
    with pytest.raises(SimulationError, match="PulseOptimizer"):
        PulseOptimizer(_model(params).parameters(), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("loaded", [False, True])
def test_torchs_compiler_is_not_loaded_for_nothing(
    params: ParameterFile, monkeypatch: pytest.MonkeyPatch, loaded: bool
) -> None:
    """The covers of torch's methods load it; they are called only where it is there already, and may be looking."""
    called = []

    def cover(name: str) -> None:
        covered = getattr(torch.optim.Optimizer, name)

        def noted(self: torch.optim.Optimizer, *args: object) -> None:
            called.append(name)
            covered.__wrapped__(self, *args)

        noted.__wrapped__ = covered.__wrapped__  # type: ignore[attr-defined]
        monkeypatch.setattr(torch.optim.Optimizer, name, noted)

    cover("add_param_group")
    cover("zero_grad")
    if loaded:
        monkeypatch.setitem(sys.modules, "torch._dynamo", sys)
    else:
        monkeypatch.delitem(sys.modules, "torch._dynamo", raising=False)
    model = _model(params)
    optimizer = PulseOptimizer(model.parameters())
    _gradients(model, 0)
    optimizer.step()
    optimizer.zero_grad()
    assert all(p.grad is None for p in model.parameters())
    assert set(called) == ({"add_param_group", "zero_grad"} if loaded else set())
