"""What a kind of noise says of itself; everything else in the package goes through this, kind by kind."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Generated", "NoiseKind", "NoiseRun", "Number", "OwnNumber", "Statistic", "TorchNoise"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Number:
    """A number in the block of a kind of noise, the same for all devices.

    Attributes
    ----------
    name, unit, description : str
    low, high, below : float, optional
        Bounds: low <= value <= high, value < below.
    default : float, optional
        Of a block that does not name it; None: it must be named.
    off : float, optional
        What it is when the kind is switched off; None: what it was. A kind whose numbers are all off is silent.
    known_as : str
        Its name where the numbers of all kinds stand side by side (`DeviceNoise`, fitted noise); KIND_NAME if empty.
    words : str
        What a report calls it; "name of label" if empty.
    uncertain : "stderr", "events" or None
        How well it is known: by NAME_stderr beside it; "events" is a rate, drawn on a logarithmic scale, and without
        NAME_stderr known as well as that many events as devices inform the block.
    within : tuple of float
        Range that draws within its error are cut to.
    signed : bool
        Two of them are compared by their difference and not by their ratio.
    """

    name: str
    unit: str
    description: str = ""
    low: float | None = None
    high: float | None = None
    below: float | None = None
    default: float | None = None
    off: float | None = None
    known_as: str = ""
    words: str = ""
    uncertain: Literal["stderr", "events"] | None = None
    within: tuple[float, float] = (0.0, math.inf)
    signed: bool = False


@dataclass(frozen=True)
class OwnNumber:
    """A number that every device has for itself: the block holds its law, or null where it was not seen.

    Attributes
    ----------
    name, unit, description : str
        Beside other numbers of a device it is called KIND_NAME.
    share : Number, optional
        Number of the block that says which share of the devices has it at all; it is zero in the others.
    streams : tuple of int, optional
        Place of its two random streams among those that were there before there was a registry; others go by name.
    measured : bool
        Whether the rows of `empirical` hold it; else it is drawn from its law there too.
    """

    name: str
    unit: str
    description: str = ""
    share: Number | None = None
    streams: tuple[int, int] | None = None
    measured: bool = False


@dataclass(frozen=True)
class Statistic:
    """How large an imperfection is in simulated devices: `of` gives a number a device (torch), `how` sums them up.

    `of` is given an object with `spread` (ln R0 against the first device), `pink`, `high` and `rtn_amplitude` of the
    compiled kinds, and `parts[name]`, the present part in ln R, of every other kind.
    """

    name: str
    words: str
    how: Literal["mean", "root mean square", "standard deviation"]
    of: Callable[[Any], Any]


@dataclass(frozen=True)
class NoiseRun:
    """What a generator is asked for: `n_pulses` reads of each of `n_devices` fresh devices, one after every pulse.

    Attributes
    ----------
    rng : numpy.random.Generator
        The kind's own: what it draws moves no other noise.
    numbers : mapping of str to float
        Of the block.
    own : mapping of str to ndarray, shape (n_devices,)
        Numbers of the devices, by name.
    drift : ndarray, shape (n_devices, n_pulses)
        ln(R/R0) of the drift alone.
    quick : bool
        Whether speed counts and a seed need not give the noise that it always gave.
    """

    rng: np.random.Generator
    n_devices: int
    n_pulses: int
    numbers: Mapping[str, float]
    own: Mapping[str, Array]
    drift: Array
    quick: bool = False


@dataclass(frozen=True)
class Generated:
    """A kind's part of ln(R/R0), shape (n_devices, n_pulses), and its hidden state if it has one to show."""

    log_ratio: Array
    state: NDArray[Any] | None = None


class TorchNoise(Protocol):
    """A kind of noise on simulated devices, in torch, for kinds that the compiled kernel does not know.

    Both methods get a `weakreset.simulation.other_noise.Moved`: numbers, own numbers, states, pulses and random words
    of some devices, a row each.
    """

    def begin(self, moved: Any) -> dict[str, Any]:
        """States of freshly SET devices by name, tensors of shape (n_devices,), drawn from their stationary law."""

    def pulse(self, moved: Any) -> Any:
        """Advance `moved.state` by `moved.n` >= 1 pulses each, in place; the part of ln R as read then."""


@dataclass(frozen=True, eq=False)
class NoiseKind:
    """One kind of noise.

    Attributes
    ----------
    name : str
        Key of its block (`noise.NAME`), and its switch.
    label : str
        In sentences: "RTN".
    description : str
        What the block is, for the JSON Schema.
    numbers : tuple of Number
    generate : callable
        NoiseRun -> Generated, in numpy.
    own : tuple of OwnNumber
    torch : TorchNoise, optional
        Without it the layers refuse a file in which the kind is on.
    estimate : callable, optional
        FitSet -> block (a mapping) or None where it is not identifiable; called at the end of a fit.
    export : callable, optional
        Population -> block or None; what `estimate` found unless given.
    activity : tuple of Statistic, optional
        What is logged beside accuracy; the root mean square of its part unless given.
    enabled : bool
        Whether a block that does not say so is on.
    counts : tuple of str
        Which of n_devices and n_informative its block has.
    note : bool
        Whether its block has a note.
    in_all : bool
        Whether `without="all"` names it too.
    instead_of : str
        Kind in whose place it stands where that is off: switching off that one alone would leave the noise on.

    Only of the kinds that this package brings: `block`, the name of the block in the JSON Schema; `in_every_file`;
    `in_kernel`, known to the compiled kernel; `stream`, place among the random streams of the twin that were there
    before there was a registry (all others go by name).
    """

    name: str
    label: str
    description: str
    numbers: tuple[Number, ...]
    generate: Callable[[NoiseRun], Generated]
    own: tuple[OwnNumber, ...] = ()
    torch: TorchNoise | None = None
    estimate: Callable[[Any], Mapping[str, Any] | None] | None = None
    export: Callable[[Any], Mapping[str, Any] | None] | None = None
    activity: tuple[Statistic, ...] | None = None
    enabled: bool = True
    counts: tuple[str, ...] = ("n_devices", "n_informative")
    note: bool = True
    in_all: bool = True
    instead_of: str = ""
    block: str = ""
    in_every_file: bool = False
    in_kernel: bool = False
    stream: int | None = None
    columns: Mapping[str, OwnNumber] = field(init=False, repr=False)
    """Own numbers by the name they have beside other numbers of a device."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", {f"{self.name}_{own.name}": own for own in self.own})
        if self.activity is None:
            usual = Statistic(
                self.name, f"root mean square of {self.label}", "root mean square", lambda seen: seen.parts[self.name]
            )
            object.__setattr__(self, "activity", (usual,))

    def known_as(self, number: Number) -> str:
        """Name of a number beside those of other kinds."""
        return number.known_as or f"{self.name}_{number.name}"

    def words(self, number: Number) -> str:
        """What a report calls a number."""
        return number.words or f"{number.name} of {self.label}"

    def silent(self, numbers: Mapping[str, float]) -> bool:
        """Whether numbers like these make no noise."""
        switches = [number for number in self.numbers if number.off is not None]
        return bool(switches) and all(numbers[number.name] == number.off for number in switches)

    def switched_off(self, numbers: Mapping[str, float]) -> dict[str, float]:
        """The numbers of the kind without the noise."""
        kept = {number.name: number.off for number in self.numbers}
        return {name: value if (off := kept[name]) is None else off for name, value in numbers.items()}

    def __deepcopy__(self, memo: Any) -> NoiseKind:
        return self
