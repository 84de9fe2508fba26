"""Every error weakreset raises on purpose, and every warning it gives.

A message says what is wrong, where (file, line, device, pulse), the offending value, and what to do.
"""

from __future__ import annotations

import importlib.util
from types import UnionType

__all__ = [
    "DatasetError",
    "FitError",
    "MissingExtraError",
    "OutputError",
    "ParameterFileError",
    "SimulationError",
    "TraceError",
    "TraceFormatError",
    "UsageError",
    "WeakResetError",
    "WeakResetWarning",
    "expect",
    "require",
]


class WeakResetError(Exception):
    """Base of all errors a user can cause and mend; the command line turns it into exit code 2."""


class UsageError(WeakResetError):
    """An option, argument or combination of them that makes no sense."""


class TraceError(WeakResetError):
    """Traces that were read but cannot be used as asked (no devices left, mixed amplitudes, ...)."""


class TraceFormatError(TraceError):
    """A file that cannot be read as pulse traces; names the file and the place in it."""


class ParameterFileError(WeakResetError):
    """A parameter file with mistakes; lists every one of them."""


class FitError(WeakResetError):
    """A fit that cannot be attempted with the data at hand."""


class SimulationError(WeakResetError):
    """A simulated device, layer or optimizer used outside what it can do."""


class DatasetError(WeakResetError):
    """An image data set that is absent, incomplete or not what its name says."""


class OutputError(WeakResetError):
    """A file that cannot be written where it was asked for; says what was kept, and where."""


class MissingExtraError(WeakResetError):
    """An optional package is absent; the message holds the exact install command."""


class WeakResetWarning(UserWarning):
    """Something the user should know that does not stop the work."""


def require(package: str, extra: str, what: str) -> None:
    """Check that an optional package is there.

    Raises
    ------
    MissingExtraError
        It is not installed; the message holds the line that installs it.
    """
    if importlib.util.find_spec(package) is None:
        raise MissingExtraError(
            f"{what} need the package {package}, which is not installed: pip install 'weakreset[{extra}]'"
        )


def expect(value: object, kind: type | UnionType, way: str, wanted: str = "") -> None:
    """Check that a public function was handed the object that it works on, and not a path or another stage's result.

    Parameters
    ----------
    value : object
    kind : type
    way : str
        The line that makes the right thing.
    wanted : str
        What people call it; the name of the class unless given.

    Raises
    ------
    UsageError
        It was something else; the message ends with the line that makes the right thing.
    """
    if not isinstance(value, kind):
        name = wanted or getattr(kind, "__name__", str(kind))
        shown = " ".join(repr(value).split())  # a table's own text has lines
        raise UsageError(f"{name} wanted, {type(value).__name__} given ({shown:.60}): {way}")
