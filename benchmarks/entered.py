"""How many files and functions of weakreset one call enters: what somebody who follows it in a debugger must read.

    python benchmarks/entered.py load|fit|step

`load` reads `data/lot_a.csv`, `fit` fits one device of it, `step` makes one training step with `PulseOptimizer`.
Counted by `sys.setprofile` in a fresh process, imports that the call makes included; a lambda or a comprehension that
is a code object of its own counts. The second line leaves out the bodies of modules and classes.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import weakreset as wr

ROOT = Path(__file__).parents[1]
PACKAGE = str(Path(wr.__file__).parent)
LOT = ROOT / "data" / "lot_a.csv"


def entered(call: Callable[[], Any]) -> set[CodeType]:
    """Code objects of weakreset that `call` enters."""
    found: set[CodeType] = set()

    def note(frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(PACKAGE):
            found.add(frame.f_code)

    sys.setprofile(note)
    try:
        call()
    finally:
        sys.setprofile(None)
    return found


def load() -> Callable[[], Any]:
    return lambda: wr.load_traces(LOT)


def fit() -> Callable[[], Any]:
    traces = wr.load_traces(LOT)
    one = traces.select_devices({traces.traces[0].device})
    return lambda: wr.fit_devices(one, jobs=1)


def step() -> Callable[[], Any]:
    import torch

    from weakreset.simulation import PulseOptimizer, convert

    stock = torch.nn.Sequential(torch.nn.Linear(64, 8), torch.nn.Linear(8, 4))
    model = convert(stock, wr.load_parameters("majumdar2021"), seed=0)
    optimizer = PulseOptimizer(model.parameters(), lr=100)
    generator = torch.Generator().manual_seed(0)
    cells = torch.randn(16, 64, generator=generator)

    def one() -> None:
        optimizer.zero_grad()
        model(cells).square().mean().backward()
        optimizer.step()

    one()  # the first step of an installation compiles the kernel
    return one


def main() -> None:
    modes = {"load": load, "fit": fit, "step": step}
    if len(sys.argv) != 2 or sys.argv[1] not in modes:
        sys.exit(f"usage: python benchmarks/entered.py {'|'.join(modes)}")
    codes = entered(modes[sys.argv[1]]())
    functions = {code for code in codes if code.co_flags & inspect.CO_OPTIMIZED}
    for words, chosen in (("with bodies of modules and classes", codes), ("functions only", functions)):
        files = {code.co_filename for code in chosen}
        print(f"{sys.argv[1]}, {words}: {len(files)} files, {len(chosen)} code objects")


if __name__ == "__main__":
    main()
