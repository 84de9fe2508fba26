"""The targets there are."""

from __future__ import annotations

from weakreset.errors import UsageError
from weakreset.exports.aihwkit import AIHWKIT
from weakreset.exports.neurosim import NEUROSIM
from weakreset.exports.ngspice import NGSPICE
from weakreset.exports.target import Target
from weakreset.exports.verilog_a import VERILOG_A

__all__ = ["TARGETS", "target_named"]

TARGETS = {target.name: target for target in (NGSPICE, VERILOG_A, AIHWKIT, NEUROSIM)}


def target_named(name: str, ending: str) -> Target:
    """The target, if its files may end so.

    Raises
    ------
    UsageError
        No such target, or another ending.
    """
    if name not in TARGETS:
        raise UsageError(f"--to {name!r}: choose laws, devices, {', '.join(TARGETS)}, or onnx, weights")
    target = TARGETS[name]
    if ending not in target.endings:
        raise UsageError(f"--to {name}: the file must end in {' or '.join(target.endings)}, not {ending!r}")
    return target
