"""A closed form as a tree of operations: written once as a function, worked out by numpy, torch and compiled code.

`trace` calls the function with symbols in place of numbers, so what it returns is the tree. A function that does more
than arithmetic (branches, calls numpy) cannot be traced, and is refused before it could mean two things in two worlds.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["NUMPY", "OPERATIONS", "Formula", "trace"]

Array = NDArray[np.float64]
Operation = Callable[..., Any]


class Formula:
    """A number of a closed form: a name, or an operation on other numbers (formulas and constants)."""

    __slots__ = ("operation", "parts")
    __array_ufunc__ = None  # numpy's functions refuse symbols instead of making arrays of them

    def __init__(self, operation: str, *parts: Any) -> None:
        self.operation = operation
        self.parts = parts

    def evaluate(
        self, operations: Mapping[str, Operation], names: Mapping[str, Any], constant: Operation = float
    ) -> Any:
        """The number in the world of `operations`, where `constant` makes numbers of Python's; no part twice."""
        known: dict[int, Any] = {}

        def value(part: Any) -> Any:
            if not isinstance(part, Formula):
                return constant(part)
            if part.operation == "name":
                return names[part.parts[0]]
            if id(part) not in known:
                known[id(part)] = operations[part.operation](*map(value, part.parts))
            return known[id(part)]

        return value(self)

    def derivative(self, names: Mapping[str, Any], by: str) -> Any:
        """Derivative by the name `by` at numpy values of all names; a scalar 0.0 where nothing depends on it."""
        pairs = {name: (value, 1.0 if name == by else None) for name, value in names.items()}
        slope = self.evaluate(_WITH_SLOPE, pairs, lambda value: (float(value), None))[1]
        return 0.0 if slope is None else slope

    def __str__(self) -> str:
        if self.operation == "name":
            return str(self.parts[0])
        shown = [str(part) if isinstance(part, Formula) else repr(part) for part in self.parts]
        if self.operation in _SIGNS:
            return "(" + f" {_SIGNS[self.operation]} ".join(shown) + ")"
        return f"{self.operation}({', '.join(shown)})"

    def __bool__(self) -> bool:
        raise TypeError("a closed form cannot branch on its numbers; use xp.minimum and xp.maximum")

    def __add__(self, other: Any) -> Any:
        return _node("add", self, other)

    def __radd__(self, other: Any) -> Any:
        return _node("add", other, self)

    def __sub__(self, other: Any) -> Any:
        return _node("subtract", self, other)

    def __rsub__(self, other: Any) -> Any:
        return _node("subtract", other, self)

    def __mul__(self, other: Any) -> Any:
        return _node("multiply", self, other)

    def __rmul__(self, other: Any) -> Any:
        return _node("multiply", other, self)

    def __truediv__(self, other: Any) -> Any:
        return _node("divide", self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return _node("divide", other, self)

    def __pow__(self, other: Any) -> Any:
        return _node("power", self, other)

    def __rpow__(self, other: Any) -> Any:
        return _node("power", other, self)

    def __neg__(self) -> Any:
        return _node("negative", self)


class _Functions:
    """What a closed form may call besides + - * / and **: minimum, maximum, exp, expm1, log, log1p, power."""

    def __getattr__(self, name: str) -> Operation:
        if name not in _CALLED:
            raise TypeError(f"xp has no {name}; there are {', '.join(_CALLED)}")
        return lambda *parts: _node(name, *parts)


_SIGNS = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/"}
_CALLED = ("minimum", "maximum", "exp", "expm1", "log", "log1p", "power")
OPERATIONS = (*_SIGNS, "negative", *_CALLED)
"""All there are: what a world must be able to do."""

# operator.pow: `x ** 0.5` of numpy is a root, which np.power is not in every version
NUMPY: Mapping[str, Operation] = {name: getattr(np, name) for name in OPERATIONS} | {"power": operator.pow}

_SLOPES: Mapping[str, tuple[Operation, ...]] = {
    "add": (lambda r, x, y: 1.0, lambda r, x, y: 1.0),
    "subtract": (lambda r, x, y: 1.0, lambda r, x, y: -1.0),
    "multiply": (lambda r, x, y: y, lambda r, x, y: x),
    "divide": (lambda r, x, y: 1.0 / y, lambda r, x, y: -r / y),
    "negative": (lambda r, x: -1.0,),
    "minimum": (lambda r, x, y: np.where(x <= y, 1.0, 0.0), lambda r, x, y: np.where(x <= y, 0.0, 1.0)),
    "maximum": (lambda r, x, y: np.where(x > y, 1.0, 0.0), lambda r, x, y: np.where(x > y, 0.0, 1.0)),
    "exp": (lambda r, x: r,),
    "expm1": (lambda r, x: np.exp(x),),
    "log": (lambda r, x: 1.0 / x,),
    "log1p": (lambda r, x: 1.0 / (1.0 + x),),
    "power": (lambda r, x, y: y * x ** (y - 1.0), lambda r, x, y: r * np.log(np.where(x > 0, x, 1.0))),
}
"""Derivative of each operation by each of its parts, from its result and them."""


def _with_slope(operation: str) -> Operation:
    def apply(*pairs: tuple[Any, Any]) -> tuple[Any, Any]:
        values = [value for value, _ in pairs]
        result = NUMPY[operation](*values)
        terms = [
            partial(result, *values) * slope
            for partial, (_, slope) in zip(_SLOPES[operation], pairs, strict=True) if slope is not None
        ]
        return result, sum(terms[1:], terms[0]) if terms else None

    return apply


_WITH_SLOPE = {name: _with_slope(name) for name in OPERATIONS}


def _node(operation: str, *parts: Any) -> Any:
    for part in parts:
        if not isinstance(part, (Formula, int, float, np.floating, np.integer)):
            raise TypeError(f"{operation} of a {type(part).__name__}")
    if not any(isinstance(part, Formula) for part in parts):
        return float(NUMPY[operation](*map(float, parts)))
    return Formula(operation, *(part if isinstance(part, Formula) else float(part) for part in parts))


def trace(function: Callable[..., Any], names: Sequence[str]) -> Formula:
    """The tree of `function(xp, *names)`.

    Raises
    ------
    TypeError, and whatever else the function raises when it is given symbols.
    """
    result = function(_Functions(), *(Formula("name", name) for name in names))
    if not isinstance(result, Formula):
        raise TypeError(f"it returns {result!r}, whatever its numbers are")
    return result
