import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from tests.processes import here
from weakreset.errors import SimulationError
from weakreset.simulation import BinaryLinear, PulseOptimizer, convert, load_checkpoint, save_checkpoint
from weakreset.simulation.checkpoint import read_checkpoint

PROGRAM = """
import sys, torch
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from test_checkpoint import build, steps
from weakreset.simulation import load_checkpoint, save_checkpoint
torch.set_num_threads(int(sys.argv[4]))
model, optimizer, generator = build(seed=99)
notes = load_checkpoint(sys.argv[2], model, optimizer, generators={"data": generator})
steps(model, optimizer, generator, 5)
save_checkpoint(sys.argv[3], model, optimizer, generators={"data": generator}, notes=notes)
"""


def build(seed: int) -> tuple[nn.Sequential, PulseOptimizer, torch.Generator]:
    model = nn.Sequential(
        BinaryLinear(20, 40, params="majumdar2021", seed=seed), nn.BatchNorm1d(40), nn.Hardtanh(),
        BinaryLinear(40, 5, params="majumdar2021", seed=seed),
    )
    return model, PulseOptimizer(model.parameters(), lr=20 + seed), torch.Generator().manual_seed(seed)


def steps(model: nn.Module, optimizer: PulseOptimizer, generator: torch.Generator, n: int) -> None:
    for _ in range(n):
        x = torch.randn(16, 20, generator=generator)
        loss = nn.functional.cross_entropy(model(x), torch.randint(0, 5, (16,), generator=generator))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def test_ten_steps_equal_five_a_new_process_and_five_bit_for_bit(tmp_path: Path) -> None:
    """With one number of threads: devices do not mind it, but torch's own batch norm sums in another order."""
    model, optimizer, generator = build(seed=1)
    steps(model, optimizer, generator, 5)
    save_checkpoint(tmp_path / "half", model, optimizer, generators={"data": generator}, notes={"epoch": 2})
    steps(model, optimizer, generator, 5)
    save_checkpoint(tmp_path / "whole", model, optimizer, generators={"data": generator}, notes={"epoch": 2})
    folder = str(Path(__file__).parent)
    subprocess.run(
        [sys.executable, "-c", PROGRAM, folder, str(tmp_path / "half"), str(tmp_path / "resumed"),
         str(torch.get_num_threads())],
        check=True, timeout=120, env=here(),
    )
    assert (tmp_path / "whole").read_bytes() == (tmp_path / "resumed").read_bytes()
    assert (tmp_path / "whole").read_bytes() != (tmp_path / "half").read_bytes()


def test_a_failed_write_leaves_the_last_good_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, optimizer, generator = build(seed=2)
    path = save_checkpoint(tmp_path / "c.safetensors", model, optimizer)
    good = path.read_bytes()
    steps(model, optimizer, generator, 1)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint(path, model, optimizer)
    assert path.read_bytes() == good
    assert [p.name for p in tmp_path.iterdir()] == ["c.safetensors"]


KILLED = """
import sys, torch
from torch import nn
from weakreset.simulation import save_checkpoint
model = nn.ParameterList([torch.zeros(2_000_000)])
number = 0
while True:
    number += 1
    with torch.no_grad():
        model[0].fill_(number)
    save_checkpoint(sys.argv[1], model, notes={"number": number})
    if number == 3:
        print("writing", flush=True)
"""


def test_a_process_killed_while_writing_leaves_a_whole_checkpoint(tmp_path: Path) -> None:
    """SIGKILL in a loop that does nothing but write: weights and notes are of one and the same moment."""
    path = tmp_path / "c.safetensors"
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, env=here())
    assert process.stdout is not None
    with process.stdout:
        process.stdout.readline()
        time.sleep(0.0137)
        process.kill()
        process.wait()
    holder = nn.ParameterList([torch.empty(2_000_000)])
    number = load_checkpoint(path, holder)["number"]
    assert number >= 3
    assert holder[0].unique().tolist() == [number]


def test_any_torch_optimizer_can_be_saved(tmp_path: Path) -> None:
    def run(n: int, path: Path | None) -> torch.Tensor:
        p = nn.Parameter(torch.ones(3))
        optimizer = torch.optim.SGD([p], lr=0.1, momentum=0.9)
        holder = nn.ParameterList([p])
        if path is not None and path.exists():
            load_checkpoint(path, holder, optimizer)
        for _ in range(n):
            p.grad = p.detach().clone()
            optimizer.step()
        if path is not None:
            save_checkpoint(path, holder, optimizer)
        return p.detach()

    run(2, tmp_path / "sgd")
    assert torch.equal(run(2, tmp_path / "sgd"), run(4, None))


def test_what_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    model, optimizer, generator = build(seed=3)
    with pytest.raises(SimulationError, match="no checkpoint"):
        load_checkpoint(tmp_path / "absent", model)
    (tmp_path / "text").write_text(json.dumps({"a": 1}))
    with pytest.raises(SimulationError, match="not a readable checkpoint"):
        load_checkpoint(tmp_path / "text", model)
    path = save_checkpoint(tmp_path / "model-only", model)
    (tmp_path / "cut").write_bytes(path.read_bytes()[:-100])
    with pytest.raises(SimulationError, match="not a readable checkpoint"):
        load_checkpoint(tmp_path / "cut", model)
    with pytest.raises(SimulationError, match="without an optimizer"):
        load_checkpoint(path, model, optimizer)
    with pytest.raises(SimulationError, match="no generator 'data'"):
        load_checkpoint(path, model, generators={"data": generator})
    with pytest.raises(SimulationError, match="another network"):
        load_checkpoint(path, nn.Sequential(BinaryLinear(3, 3, params="majumdar2021")))
    save_file({"x": torch.zeros(1)}, tmp_path / "other")
    with pytest.raises(SimulationError, match="format"):
        load_checkpoint(tmp_path / "other", model)


def test_tied_layers_are_saved_and_come_back(tmp_path: Path) -> None:
    def tied() -> nn.Module:
        first, second = nn.Linear(6, 6), nn.Linear(6, 6)
        second.weight = first.weight
        return convert(nn.Sequential(first, second), "majumdar2021")

    with torch.random.fork_rng():
        model, other = tied(), tied()
    model[0].pair.pulse(torch.full((6, 6), 9), model[0].weight)
    load_checkpoint(save_checkpoint(tmp_path / "tied", model), other)
    assert other[0].weight is other[1].weight
    assert other[0].pair is other[1].pair
    assert torch.equal(other[1].pair.array.log_r, model[0].pair.array.log_r)
    assert torch.equal(other[1].weight, model[0].weight)


def test_a_damaged_generator_is_named(tmp_path: Path) -> None:
    model, generator = nn.BatchNorm1d(2), torch.Generator()
    path = save_checkpoint(tmp_path / "file", model, generators={"data": generator})
    tensors, header = read_checkpoint(path)
    del header["crc32"]
    save_file(tensors | {"generator/data": torch.zeros(3, dtype=torch.uint8)}, path, {"weakreset": json.dumps(header)})
    with pytest.raises(SimulationError, match="generator 'data' is damaged"):
        load_checkpoint(path, model, generators={"data": generator})
