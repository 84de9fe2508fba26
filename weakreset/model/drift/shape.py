"""What a drift shape is, and the registry of those there are.

A shape is one file, and all that is known of it: fitting, population, parameter file, traces, PyTorch devices and
compiled code ask it for numbers and flags, never for its name. See `two_slope.py` for one with everything,
`power_law.py` for a short one.
"""

from __future__ import annotations

import importlib
import inspect
import keyword
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weakreset.errors import UsageError
from weakreset.model.drift.formula import NUMPY, Formula, trace

__all__ = ["DIRECTIONS", "SHAPES", "DriftNumber", "DriftScan", "DriftShape", "register_shape"]

Array = NDArray[np.float64]

DIRECTIONS = ("reset", "set")
"""R rises with pulses, or falls."""

_RESERVED = frozenset({"t", "r0_ohm", "log_r0", "offset"})
_TRIED = ((1.0, 0.3), (10.0, 0.7), (400.0, 1.1))


@dataclass(frozen=True)
class DriftNumber:
    """A number of a drift shape.

    Attributes
    ----------
    name : str
        As in parameter files and tables.
    unit : str
        "1", "pulse" or "1/pulse".
    bounds : (float, float)
        Where it may lie from device to device: what the D2D law is truncated to unless told otherwise.
    family : str
        Usual family of its D2D law, where the choice of families begins.
    symbol : str
        For the axes of plots; the name unless given.
    """

    name: str
    unit: str
    bounds: tuple[float, float] = (0.0, math.inf)
    family: str = "lognorm"
    symbol: str = ""

    @property
    def scale(self) -> str:
        """Of its spread from cycle to cycle: `ln` of a positive number, `linear` where it may be negative."""
        return "ln" if self.bounds[0] >= 0 else "linear"


@dataclass(frozen=True)
class DriftScan:
    """How a shape is fitted: one number is scanned, the model is linear in all others.

        drift(t) = base(t) . b + d * profile(t, k),     numbers = transform @ (b, d)

    k is the scanned number, (b, d) are coefficients, and the numbers come in the order: offset, others, `column`. At
    most one number is scanned for each device. A further one that is not linear is `shared`: all devices of a set have
    the same, the likeliest for all of them together.

    Attributes
    ----------
    number : str
        The scanned number; "" where the shape is linear in all of them.
    column : str
        The number whose derivative is the profile.
    grid : callable
        Read pulses (ascending), shared numbers by name -> candidates of the scanned number (ascending).
    base : callable, optional
        t -> (n, p) columns, the first constant; unless given the derivatives by the numbers besides `column`.
    transform : nested tuple, optional
        The matrix; numbers and coefficients are the same unless given.
    sign : int
        Required sign of the profile's coefficient; 0 where either may be.
    knee : bool
        Whether the scanned number is a pulse at which the drift bends.
    beyond : tuple of str
        Where the knee may lie beyond the trace: the numbers that are seen all the same. Needs `nonnegative`.
    nonnegative : str
        The number that is never negative and often too small to be seen: its estimate is that of the posterior, and an
        upper limit where it does not stand out.
    without : DriftShape, optional
        What is left without the profile (same `base`): fitted where the profile does not stand out.
    shared : mapping of str to (float, float)
        Numbers that all devices share, and between which limits (above 0) each is searched.
    """

    number: str = ""
    column: str = ""
    grid: Callable[..., Array] | None = None
    base: Callable[[Array], Array] | None = None
    transform: tuple[tuple[float, ...], ...] = ()
    sign: int = 0
    knee: bool = False
    beyond: tuple[str, ...] = ()
    nonnegative: str = ""
    without: DriftShape | None = None
    shared: Mapping[str, tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class DriftShape:
    """A closed form for the mean of ln(R/R0) after `t` >= 1 pulses.

    Attributes
    ----------
    name : str
        Key used by `--drift` and by `model` in the parameter file.
    numbers : tuple of DriftNumber
        In the order of the arguments of `closed_form` after `xp` and `t`.
    closed_form : callable
        (xp, t, *numbers) -> ln(R/R0), by + - * / ** and the functions of `xp`: minimum, maximum, exp, expm1, log,
        log1p, power. It is called once, with symbols; numpy, torch and compiled code work out the formula it returns.
    offset : str
        The number that is added to all the rest.
    scan : DriftScan, optional
        How it is fitted; without, it can be simulated only.
    trend : str
        The slope whose mean over all devices must stand out above zero, or there was no drift; "" for no such test.
    words : callable, optional
        Numbers by name -> what the device does, to follow "starts at 7000 ohm, ".

    Raises
    ------
    UsageError
        For a closed form that does more than arithmetic, or numbers that do not go with it.
    """

    name: str
    numbers: tuple[DriftNumber, ...]
    closed_form: Callable[..., Any]
    offset: str
    scan: DriftScan | None = None
    trend: str = ""
    words: Callable[[Mapping[str, float]], str] | None = None
    formula: Formula = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._check_names()
        try:
            formula = trace(self.closed_form, ("t", *self.parameters))
        except Exception as error:  # a stranger's function may raise anything
            self._refuse(f"its closed form cannot be written down as a formula ({error})")
        object.__setattr__(self, "formula", formula)
        for t, number in _TRIED:
            with np.errstate(all="ignore"):
                slope = formula.derivative(dict.fromkeys(self.parameters, number) | {"t": t}, self.offset)
            # fits, SET and halved traits add c1 by itself: a shape where it is not simply added would be wrong there
            if slope != 1.0:
                self._refuse(f"{self.offset} is its offset, but is not simply added: the derivative is {slope}")

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the numbers."""
        return tuple(number.name for number in self.numbers)

    @property
    def units(self) -> dict[str, str]:
        """Unit of each number."""
        return {number.name: number.unit for number in self.numbers}

    @property
    def knee(self) -> str:
        """The number that is a pulse at which the drift bends, or ""."""
        return self.scan.number if self.scan is not None and self.scan.knee else ""

    @property
    def nonnegative(self) -> str:
        """The number of which there may be no more than an upper limit, or ""."""
        return self.scan.nonnegative if self.scan is not None else ""

    @property
    def shared(self) -> tuple[str, ...]:
        """Numbers that all devices of a set share."""
        return tuple(self.scan.shared) if self.scan is not None else ()

    @property
    def slopes(self) -> tuple[str, ...]:
        """Numbers with the sign of the drift: negative where R falls. Files hold their sizes and the direction."""
        if self.scan is None:
            return ()
        # the drift is linear in what is left: of falling devices these have the other sign, pulses and c1 do not
        others = {self.offset, self.scan.number, *self.scan.shared}
        return tuple(name for name in self.parameters if name not in others)

    def sign(self, name: str, direction: str) -> int:
        """What turns the size of a number into the number: -1 for slopes of devices that fall ("set")."""
        return -1 if direction == "set" and name in self.slopes else 1

    def __getitem__(self, name: str) -> DriftNumber:
        return self.numbers[self.parameters.index(name)]

    def value(self, t: ArrayLike, *numbers: ArrayLike) -> Array:
        """ln(R/R0); numbers broadcast against `t`."""
        return np.asarray(self.formula.evaluate(NUMPY, self._named(t, numbers)))

    def derivative(self, by: str, t: ArrayLike, *numbers: ArrayLike) -> Array:
        """Derivative of `value` by one number, shape of the broadcast of all arguments."""
        named = self._named(t, numbers)
        slope = self.formula.derivative(named, by)
        return np.broadcast_to(slope, np.broadcast_shapes(*(value.shape for value in named.values())))

    def jacobian(self, t: ArrayLike, *numbers: ArrayLike) -> Array:
        """Derivative of `value` by each number, stacked on a new last axis."""
        return np.stack([self.derivative(name, t, *numbers) for name in self.parameters], axis=-1)

    def _named(self, t: ArrayLike, numbers: Sequence[ArrayLike]) -> dict[str, Array]:
        values = (np.asarray(value, dtype=np.float64) for value in (t, *numbers))
        return dict(zip(("t", *self.parameters), values, strict=True))

    def _check_names(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", self.name) or self.name == "auto":
            self._refuse("a name is small letters, digits and single hyphens, and not auto")
        if self.offset not in self.parameters or len(set(self.parameters)) != len(self.parameters):
            self._refuse(f"offset must be one of its numbers, each with a name of its own; they are {self.parameters}")
        for name in self.parameters:
            good = re.fullmatch(r"[a-z][a-z0-9_]*", name) and not keyword.iskeyword(name)
            if not good or name in _RESERVED or name.startswith("rtn_"):
                self._refuse(f"no number can be called {name!r}")
        given = tuple(inspect.signature(self.closed_form).parameters)[2:]
        if given != self.parameters:
            self._refuse(f"its closed form takes {given} after xp and t, its numbers are {self.parameters}")

    def _refuse(self, reason: str) -> NoReturn:
        raise UsageError(f"drift shape {self.name!r}: {reason}")

    def __deepcopy__(self, memo: object) -> DriftShape:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """By name: the functions of a shape need not be such that can be sent to another process."""
        return _registered, (self.name, self.closed_form.__module__)


SHAPES: dict[str, DriftShape] = {}
"""Every drift shape by name: those of this package, and those that were registered."""


def register_shape(shape: DriftShape) -> DriftShape:
    """Make a shape known to fits, parameter files, simulations and training; returns it.

    Do so where a module is imported: processes that are started afresh import it again.

    Raises
    ------
    UsageError
        Another shape has this name.

    Examples
    --------
    >>> import numpy as np
    >>> from weakreset.model import DriftNumber, DriftScan, DriftShape, register_shape
    >>> def closed_form(xp, t, a, tau, c1):
    ...     return c1 + a * xp.log1p(t / tau)
    >>> logarithmic = DriftShape(
    ...     name="logarithmic",
    ...     numbers=(
    ...         DriftNumber("a", "1"), DriftNumber("tau", "pulse"), DriftNumber("c1", "1", (-np.inf, np.inf), "norm"),
    ...     ),
    ...     closed_form=closed_form,
    ...     offset="c1",
    ...     scan=DriftScan("tau", column="a", grid=lambda pulses: np.geomspace(3.0, 3.0 * pulses[-1], 160)),
    ... )
    >>> register_shape(logarithmic)   # doctest: +SKIP
    """
    if SHAPES.setdefault(shape.name, shape) is not shape:  # the same again is no error: modules are reloaded
        raise UsageError(f"drift shape {shape.name!r}: there is one of this name already; choose another")
    return shape


def _registered(name: str, module: str) -> DriftShape:
    """The shape of this name, in a process that may not have imported the module that registers it."""
    if name not in SHAPES:
        importlib.import_module(module)
    if name not in SHAPES:
        raise UsageError(
            f"drift shape {name!r} is not known in this process: register it where {module} is imported, or use jobs=1"
        )
    return SHAPES[name]
