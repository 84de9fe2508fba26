"""A drift shape as an expression of another language: the tree that numpy works out, with text in place of numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from weakreset.model import DriftShape

__all__ = ["expression"]

_INFIX = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/"}
_CALLS = {"minimum": "min", "maximum": "max", "exp": "exp", "log": "ln", "power": "pow"}


def expression(shape: DriftShape, names: Mapping[str, str]) -> str:
    """ln(R/R0) after t >= 1 pulses, in the notation that SPICE and Verilog-A share; `names` of t and of each number."""
    operations: dict[str, Callable[..., str]] = {name: _infix(sign) for name, sign in _INFIX.items()}
    operations |= {name: _call(function) for name, function in _CALLS.items()}
    operations |= {
        "negative": lambda x: f"(-{x})",
        # neither language has expm1 or log1p: digits that are lost for tiny x lie below 1e-15 of ln R
        "expm1": lambda x: f"(exp({x}) - 1.0)",
        "log1p": lambda x: f"ln(1.0 + {x})",
    }
    return str(shape.formula.evaluate(operations, names, lambda value: f"({float(value)!r})"))


def _infix(sign: str) -> Callable[..., str]:
    return lambda x, y: f"({x} {sign} {y})"


def _call(function: str) -> Callable[..., str]:
    return lambda *parts: f"{function}({', '.join(parts)})"
