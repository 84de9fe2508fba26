"""Words on terminals that cannot show every sign: an Ω becomes Ohm, and nothing ends a command."""

from __future__ import annotations

import codecs
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["every_sign_can_be_written"]

_PLAIN = {
    "Ω": "Ohm", "µ": "u", "μ": "u", "±": "+-", "×": "x", "·": "*", "≤": "<=", "≥": ">=", "≈": "~", "−": "-", "–": "-",
    "…": "...", "°": "deg", "→": "->", "÷": "/", "∞": "inf", "↓": "v", "●": "o", "░": ".", "└": "+", "│": "|", "─": "-",
} | dict(zip("▁▂▃▄▅▆▇█", "_.-~=+*#", strict=True))  # fmt: skip
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_POWER = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+")  # 10⁻⁴ is 10^-4, not 10-4
_HANDLER = "weakreset.plain"


def _plain(error: UnicodeError) -> tuple[str, int]:
    """For `codecs`: what stands for the signs that the encoding does not have."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    signs = _POWER.sub(lambda found: f"^{found[0].translate(_RAISED)}", error.object[error.start : error.end])
    words = (_PLAIN.get(sign) or sign.encode("ascii", errors="backslashreplace").decode() for sign in signs)
    return "".join(words), error.end


@contextmanager
def every_sign_can_be_written() -> Iterator[None]:
    """Output of this process in ASCII or another narrow encoding, and names of files that are no text."""
    codecs.register_error(_HANDLER, _plain)
    streams = [stream for stream in (sys.stdout, sys.stderr) if hasattr(stream, "reconfigure")]
    before = [stream.errors for stream in streams]
    for stream in streams:
        stream.reconfigure(errors=_HANDLER)  # only what the encoding lacks is replaced: UTF-8 stays as it is
    try:
        yield
    finally:
        for stream, errors in zip(streams, before, strict=True):
            if not stream.closed:
                stream.reconfigure(errors=errors)
