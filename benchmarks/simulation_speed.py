"""Speed and size of the simulation engine, as ratios measured side by side in one process.

    make bench        (about three minutes)       python benchmarks/simulation_speed.py --large for 36 M weights

784 x 3000 weights, all imperfections on. Prints a table and writes bench-out/simulation_speed.json. The two sides of
a ratio take turns and the least time of each counts: other work on the machine can only add to it.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from published_step import PublishedLayer
from torch.nn import functional

from weakreset.simulation import BinaryLinear, DeviceArray, LatentOptimizer, PulseOptimizer, convert
from weakreset.training import build_network
from weakreset.training.ideal import binarize, clip_latent_weights, latent_weights

SHAPE = (3000, 784)
WEIGHTS = SHAPE[0] * SHAPE[1]
LEAST_BYTES = {"gradient": 4, "moments": 16, "weight": 8, "traits": 20, "moving row": 32, "log_r of the other": 4}
"""Bytes one weight update reads and writes: everything it needs, once."""

RECIPES: tuple[tuple[str, Any, dict[str, Any]], ...] = (
    ("published", PulseOptimizer, {"lr": 100.0}),
    ("device-aware", PulseOptimizer, {"lr": 6.0, "only_disagreeing": True}),
    ("latent", LatentOptimizer, {}),
    ("latent-byte", LatentOptimizer, {"latent_bits": 8}),
)

FIRST_STEP = """
import time
start = time.perf_counter()
import torch
torch.set_num_threads(1)
from weakreset.simulation import BinaryLinear, PulseOptimizer
imported = time.perf_counter()
layer = BinaryLinear(784, 3000, params="majumdar2021")
optimizer = PulseOptimizer(layer.parameters(), lr=100)
layer.weight.grad = torch.ones_like(layer.weight)
optimizer.step()
print(time.perf_counter() - imported)
"""


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def side_by_side(first: Callable[[], object], second: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Least seconds of two pieces of work that take turns, after one warm-up each."""
    first(), second()
    times = [(seconds(first), seconds(second)) for _ in range(rounds)]
    return min(t[0] for t in times), min(t[1] for t in times)


def layer_steps(found: dict[str, Any], rounds: int, threads: int) -> None:
    """Our step beside the published one, every weight pulsed and 2 % pulsed, both with `threads` threads."""
    torch.set_num_threads(threads)
    generator = torch.Generator().manual_seed(1)
    published, layer = PublishedLayer(SHAPE), BinaryLinear(784, 3000, params="majumdar2021")
    gradient = 1e-3 * torch.randn(SHAPE, generator=generator)
    sparse = gradient * (torch.rand(SHAPE, generator=generator) < 0.02)
    for name, g in (("all", gradient), ("2 %", sparse)):
        optimizer = PulseOptimizer(layer.parameters(), lr=100)
        layer.weight.grad = g
        ours, theirs = side_by_side(optimizer.step, lambda g=g: published.step(g), rounds)
        share = optimizer.last_step.devices / WEIGHTS
        found[f"step_{name}_{threads}"] = {
            "share_pulsed": share, "weights_per_s": WEIGHTS / ours, "published_weights_per_s": WEIGHTS / theirs,
            "ratio": theirs / ours,
        }
    state = layer.pair.state_dict().values()
    found["bytes_per_weight"] = sum(value.numel() * value.element_size() for value in state) / WEIGHTS
    found["published_bytes_per_weight"] = published.bytes_per_weight()


def burst_length(found: dict[str, Any], rounds: int) -> None:
    array = DeviceArray((WEIGHTS,), "majumdar2021", seed=2)
    short, long = side_by_side(lambda: array.pulse(1), lambda: array.pulse(126), rounds)
    found["cost_126_over_1"] = long / short


def roofline(found: dict[str, Any]) -> None:
    """How much of the copy bandwidth an update of every weight uses."""
    source = torch.ones(30_000_000)
    target = torch.empty_like(source)
    target.copy_(source)
    copy = min(seconds(lambda: target.copy_(source)) for _ in range(5))
    bandwidth = 2 * source.numel() * 4 / copy
    least = sum(LEAST_BYTES.values())
    found["roofline"] = {
        "copy_bytes_per_s": bandwidth, "least_bytes_per_update": least,
        "share_of_copy_bandwidth": least * found["step_all_1"]["weights_per_s"] / bandwidth,
    }


def network_steps(found: dict[str, Any], rounds: int) -> None:
    """A training step of 784-3000-10, batch 1000, on synthetic images: devices beside ideal weights."""
    mlp = build_network("mlp", (1, 28, 28), 10, hidden=3000)
    beside_ideal(found, "mnist", mlp, (1000, 1, 28, 28), rounds)
    vgg = build_network("vgg", (3, 16, 16), 10, width=1 / 12)
    beside_ideal(found, "cifar", vgg, (50, 3, 16, 16), 8 * rounds)


def beside_ideal(found: dict[str, Any], name: str, stock: torch.nn.Module, shape: tuple[int, ...], rounds: int) -> None:
    generator = torch.Generator().manual_seed(3)
    images = torch.rand(shape, generator=generator)
    labels = torch.randint(0, 10, shape[:1], generator=generator)
    ideal = binarize(stock, generator)
    adam, latent = torch.optim.Adam(ideal.parameters(), lr=1e-3), latent_weights(ideal)

    def step(model: torch.nn.Module, optimizer: torch.optim.Optimizer) -> None:
        optimizer.zero_grad()
        functional.cross_entropy(model(images), labels).backward()
        optimizer.step()

    def ideal_step() -> None:
        step(ideal, adam)
        clip_latent_weights(latent)

    for recipe, kind, options in RECIPES:
        chip = convert(stock, "majumdar2021", seed=4)
        optimizer = kind(chip.parameters(), **options)
        ours, theirs = side_by_side(lambda c=chip, o=optimizer: step(c, o), ideal_step, rounds)
        found[f"{name}_{recipe}"] = {"seconds": ours, "ideal_seconds": theirs, "ratio": ours / theirs}


def first_step(found: dict[str, Any]) -> None:
    """A new process, without and with compiled code of an earlier one: construction and one step."""
    with tempfile.TemporaryDirectory() as cache:
        for name in ("nothing_compiled_before", "compiled_before"):
            environment = {**os.environ, "NUMBA_CACHE_DIR": cache}
            done = subprocess.run(
                [sys.executable, "-c", FIRST_STEP], env=environment, capture_output=True, text=True, check=True
            )
            found[f"first_step_s_{name}"] = float(done.stdout)


def large(found: dict[str, Any]) -> None:
    """36 M weights in one layer: the paper's CIFAR-10 network in size."""
    layer = BinaryLinear(6000, 6000, bias=False, params="majumdar2021")
    optimizer = PulseOptimizer(layer.parameters(), lr=100)
    layer.weight.grad = 1e-3 * torch.randn(6000, 6000, generator=torch.Generator().manual_seed(5))
    optimizer.step()
    found["large"] = {
        "weights": layer.weight.numel(), "seconds_per_step": min(seconds(optimizer.step) for _ in range(3)),
        "peak_memory_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
    }


def table(found: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Figure, value, bar."""
    roof, rows = found["roofline"], []
    for threads in found["threads"]:
        every, few = found[f"step_all_{threads}"], found[f"step_2 %_{threads}"]
        head = f"{threads} thread" + ("s" if threads > 1 else "")
        rows += [
            (f"{head}: updates / published, {every['share_pulsed']:.0%} pulsed", f"{every['ratio']:.0f} x", ">= 60 x"),
            (f"{head}: the same, {few['share_pulsed']:.1%} pulsed", f"{few['ratio']:.0f} x", ">= 300 x"),
            (f"{head}: weight updates a second", f"{every['weights_per_s'] / 1e6:.0f} M", ""),
            (f"{head}: published step", f"{every['published_weights_per_s'] / 1e6:.2f} M", ""),
        ]
    rows += [
        ("device state, bytes a weight", f"{found['bytes_per_weight']:.0f}", "<= 110"),
        ("published step, bytes a weight", f"{found['published_bytes_per_weight']:.0f}", ""),
        ("update at 126 pulses / at 1 pulse", f"{found['cost_126_over_1']:.2f}", "<= 1.1"),
        ("MNIST step / ideal, device-aware", f"{found['mnist_device-aware']['ratio']:.2f}", "<= 1.6"),
        ("MNIST step / ideal, latent", f"{found['mnist_latent']['ratio']:.2f}", "<= 1.3"),
        ("the same, one byte a weight", f"{found['mnist_latent-byte']['ratio']:.2f}", "<= 1.3"),
        ("CIFAR step of 50 / ideal, latent", f"{found['cifar_latent']['ratio']:.2f}", "<= 1.5"),
        ("the same, one byte a weight", f"{found['cifar_latent-byte']['ratio']:.2f}", "<= 1.5"),
        ("CIFAR step of 50 / ideal, device-aware", f"{found['cifar_device-aware']['ratio']:.2f}", ""),
        ("MNIST step / ideal, published recipe", f"{found['mnist_published']['ratio']:.2f}", "<= 1.6"),
        ("first step, nothing compiled before, s", f"{found['first_step_s_nothing_compiled_before']:.1f}", "<= 5"),
        ("first step, compiled before, s", f"{found['first_step_s_compiled_before']:.1f}", "<= 5"),
        ("share of copy bandwidth", f"{roof['share_of_copy_bandwidth']:.0%}", ""),
    ]
    if "large" in found:
        big = found["large"]
        rows.append(("36 M weights: peak memory, GB", f"{big['peak_memory_gb']:.1f}", "<= 8"))
        rows.append(("36 M weights: s/step", f"{big['seconds_per_step']:.2f}", "reported"))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="for the first two ratios; else 1")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--large", action="store_true", help="36 M weights too: 6 GB of memory")
    options = parser.parse_args()
    torch.set_num_threads(1)
    threads = sorted({1, *options.threads})
    found: dict[str, Any] = {"threads": threads, "torch": torch.__version__, "rounds": options.rounds}
    if options.large:
        large(found)  # first: the peak of the memory is its own
    first_step(found)
    for count in threads:
        layer_steps(found, options.rounds, count)
    torch.set_num_threads(1)
    burst_length(found, options.rounds)
    roofline(found)
    network_steps(found, options.rounds)
    for figure, value, bar in table(found):
        print(f"{figure:45} {value:>10}  {bar}")
    target = Path("bench-out/simulation_speed.json")
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
