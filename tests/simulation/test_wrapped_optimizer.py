"""Any optimizer of torch in Adam's place, torch.compile, and training on several processes."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from tests.processes import here
from weakreset.parameter_file import ParameterFile
from weakreset.simulation import BinaryLinear, PulseOptimizer, load_checkpoint, save_checkpoint

Factory = Callable[[list[torch.Tensor]], torch.optim.Optimizer]

WRAPPED: dict[str, Factory] = {
    "SGD": lambda p: torch.optim.SGD(p, lr=1.0, momentum=0.9),
    "Adam": lambda p: torch.optim.Adam(p, lr=1.0),
    "RMSprop": lambda p: torch.optim.RMSprop(p, lr=1.0),
    "NAdam": lambda p: torch.optim.NAdam(p, lr=1.0),
}


def build(params: ParameterFile, factory: Factory | None, lr: float) -> tuple[nn.Sequential, PulseOptimizer]:
    model = nn.Sequential(BinaryLinear(12, 30, params=params, seed=1), nn.BatchNorm1d(30))
    return model, PulseOptimizer(model.parameters(), lr=lr, wrapped=factory)


def advance(model: nn.Module, optimizer: PulseOptimizer, steps: range) -> list[torch.Tensor]:
    seen = []
    for step in steps:
        generator = torch.Generator().manual_seed(step)
        for p in model.parameters():
            p.grad = torch.randn(p.shape, generator=generator)
        seen.append(next(model.parameters()).grad.clone())
        optimizer.step()
    return seen


@pytest.mark.parametrize("name", WRAPPED)
def test_pulses_are_the_rounded_update_of_the_wrapped_optimizer(params: ParameterFile, name: str) -> None:
    model, optimizer = build(params, WRAPPED[name], lr=3)
    reference = nn.Parameter(torch.zeros(30, 12))
    oracle, expected = WRAPPED[name]([reference]), torch.zeros(30, 12, 2)
    for gradient in advance(model, optimizer, range(4)):
        with torch.no_grad():
            reference.zero_()
        reference.grad = gradient
        oracle.step()
        n = (3 * reference.detach()).clamp(-14, 14).round()
        expected += torch.stack([n.clamp(min=0), (-n).clamp(min=0)], dim=-1)
    assert torch.equal(model[0].pair.array.pulse_count.float(), expected)
    assert int(expected.sum()) > 500


def test_wrapped_adam_is_our_adam(params: ParameterFile) -> None:
    """Up to an update within rounding of a half."""
    wrapped, own = (build(params, factory, lr=20) for factory in (WRAPPED["Adam"], None))
    for model, optimizer in (wrapped, own):
        advance(model, optimizer, range(3))
    difference = (wrapped[0][0].pair.array.pulse_count - own[0][0].pair.array.pulse_count).abs()
    assert int(difference.max()) <= 1
    assert float((difference > 0).double().mean()) < 0.01


def test_the_state_of_a_wrapped_optimizer_is_saved(params: ParameterFile, tmp_path: Path) -> None:
    whole, half, resumed = (build(params, WRAPPED["SGD"], lr=3) for _ in range(3))
    advance(*whole, range(4))
    advance(*half, range(2))
    save_checkpoint(tmp_path / "half", *half)
    load_checkpoint(tmp_path / "half", *resumed)
    advance(*resumed, range(2, 4))
    for name, value in whole[0].state_dict().items():
        assert torch.equal(value, resumed[0].state_dict()[name]), name


def test_forward_and_backward_survive_torch_compile(params: ParameterFile) -> None:
    """The graph is captured whole; 'aot_eager' needs no compiler. Pulses change weights in place and are seen."""
    model, optimizer = build(params, None, lr=100)
    compiled = torch.compile(model, backend="aot_eager", fullgraph=True)
    x = torch.randn(16, 12, generator=torch.Generator().manual_seed(0))
    for _ in range(3):
        model.eval()
        assert torch.equal(compiled(x), model(x))
        model.train()
        optimizer.zero_grad()
        compiled(x).square().sum().backward()
        before = model[0].weight.detach().clone()
        optimizer.step()
    assert not torch.equal(before, model[0].weight.detach())


RANK = """
import hashlib, sys, torch, torch.distributed as dist
from torch import nn
from weakreset.simulation import BinaryLinear, PulseOptimizer
dist.init_process_group("gloo")
torch.set_num_threads(1)
model = nn.Sequential(
    BinaryLinear(12, 30, params="majumdar2021", seed=1), nn.BatchNorm1d(30), nn.Hardtanh(),
    BinaryLinear(30, 5, params="majumdar2021", seed=1),
)
parallel = nn.parallel.DistributedDataParallel(model, broadcast_buffers=False)
optimizer = PulseOptimizer(model.parameters(), lr=50)
generator = torch.Generator().manual_seed(dist.get_rank())
for _ in range(5):
    x, y = torch.randn(16, 12, generator=generator), torch.randint(0, 5, (16,), generator=generator)
    optimizer.zero_grad()
    nn.functional.cross_entropy(parallel(x), y).backward()
    optimizer.step()
state = {name: value for name, value in model.state_dict().items() if "running" not in name}
digest = hashlib.sha256(b"".join(value.numpy().tobytes() for value in state.values())).hexdigest()
pulses = int(model[0].pair.array.pulse_count.sum())
open(sys.argv[1] + str(dist.get_rank()), "w").write(f"{digest} {float(x.sum())} {pulses}")
dist.barrier()  # nobody leaves while another still talks
dist.destroy_process_group()
"""


def test_ranks_of_data_parallel_training_hold_the_same_chip(tmp_path: Path) -> None:
    """Two processes, different images, 5 steps: every bit of weights and devices agrees.

    Buffers are not broadcast, which would hide a difference (and send the whole chip at every step).
    """
    (tmp_path / "rank.py").write_text(RANK)
    environment = {**here(), "OMP_NUM_THREADS": "1"}
    command = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "rank.py", "out"]
    done = subprocess.run(
        [sys.executable, *command], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr[-2000:]
    (first, data, pulses), (second, other_data, _) = ((tmp_path / f"out{k}").read_text().split() for k in (0, 1))
    assert first == second
    assert data != other_data
    assert int(pulses) > 0
