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
        """The number in the world of `operations`, where `constant` makes numbers of Python's."""
        return self._value(operations, names, constant, {})

    def _value(
        self, operations: Mapping[str, Operation], names: Mapping[str, Any], constant: Operation, known: dict[int, Any]
    ) -> Any:
        if self.operation == "name":
            return names[self.parts[0]]
        if id(self) not in known:  # no part is worked out twice
            known[id(self)] = operations[self.operation](*(
                part._value(operations, names, constant, known) if isinstance(part, Formula) else constant(part)
                for part in self.parts
            ))
        return known[id(self)]

    def derivative(self, names: Mapping[str, Any], by: str) -> Any:
        """Derivative by the name `by` at numpy values of all names; a scalar 0.0 where nothing depends on it."""
        known: dict[int, Any] = {}

        def value(part: Any) -> Any:
            return part._value(NUMPY, names, float, known) if isinstance(part, Formula) else float(part)

        slope = self._slope(by, value, {})
        return 0.0 if slope is None else slope

    def _slope(self, by: str, value: Operation, known: dict[int, Any]) -> Any:
        """Derivative, or None where there is none; works out only the values that it needs."""
        if self.operation == "name":
            return 1.0 if self.parts[0] == by else None
        if id(self) not in known:
            terms = [
                partial(value, self, *self.parts) * slope  # the chain rule
                for partial, part in zip(_SLOPES[self.operation], self.parts, strict=True)
                if isinstance(part, Formula) and (slope := part._slope(by, value, known)) is not None
            ]
            known[id(self)] = sum(terms[1:], terms[0]) if terms else None
        return known[id(self)]

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
    "add": (lambda v, r, x, y: 1.0, lambda v, r, x, y: 1.0),
    "subtract": (lambda v, r, x, y: 1.0, lambda v, r, x, y: -1.0),
    "multiply": (lambda v, r, x, y: v(y), lambda v, r, x, y: v(x)),
    "divide": (lambda v, r, x, y: 1.0 / v(y), lambda v, r, x, y: -v(r) / v(y)),
    "negative": (lambda v, r, x: -1.0,),
    # at a tie one of the two counts, not half of each: slopes of both sides of a knee are never mixed
    "minimum": (lambda v, r, x, y: 1.0 * (v(x) <= v(y)), lambda v, r, x, y: 1.0 * (v(x) > v(y))),
    "maximum": (lambda v, r, x, y: 1.0 * (v(x) > v(y)), lambda v, r, x, y: 1.0 * (v(x) <= v(y))),
    "exp": (lambda v, r, x: v(r),),
    "expm1": (lambda v, r, x: np.exp(v(x)),),  # not r + 1, which loses digits where x << 0
    "log": (lambda v, r, x: 1.0 / v(x),),
    "log1p": (lambda v, r, x: 1.0 / (1.0 + v(x)),),
    "power": (
        lambda v, r, x, y: v(y) * v(x) ** (v(y) - 1.0),
        lambda v, r, x, y: v(r) * np.log(np.where(v(x) > 0, v(x), 1.0)),  # x^y ln x, and 0 at x = 0
    ),
}
"""Derivative of each operation by each of its parts x, y; v(part) is a value, r the operation itself."""


def _node(operation: str, *parts: Any) -> Any:
    for part in parts:
        if not isinstance(part, (Formula, int, float, np.floating, np.integer)):
            raise TypeError(f"{operation} of a {type(part).__name__}")
    if not any(isinstance(part, Formula) for part in parts):  # of constants alone: worked out here, once
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
