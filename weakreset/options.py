"""Options by name: a misspelt one is answered with the nearest."""

from __future__ import annotations

import difflib
import functools
import inspect
from collections.abc import Callable
from typing import TypeVar

from weakreset.errors import UsageError

__all__ = ["named_options"]

_F = TypeVar("_F", bound=Callable[..., object])


def named_options(function: _F) -> _F:
    """Let a public function, or a class of settings, answer a keyword it does not have with a `UsageError`.

    The error names the keyword, the nearest one there is, and all others; Python 3.11 would name the first only.
    """
    if isinstance(function, type):
        setattr(function, "__init__", _checked(vars(function)["__init__"], function.__name__))  # noqa: B010
        return function
    return _checked(function, function.__name__)


def _checked(function: _F, name: str) -> _F:
    parameters = inspect.signature(function).parameters.values()
    known = [p.name for p in parameters if p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD) and p.name != "self"]

    @functools.wraps(function)
    def checked(*args: object, **options: object) -> object:
        for option in options:
            if option not in known:
                near = difflib.get_close_matches(option, known, n=1)
                hint = f"did you mean {near[0]!r}? " if near else ""
                raise UsageError(f"{name} has no option {option!r}; {hint}It takes {', '.join(known)}")
        return function(*args, **options)

    return checked  # type: ignore[return-value]
