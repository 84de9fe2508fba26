"""The command line: `weakreset VERB`; exit 0 fine, 1 a negative verdict, 2 bad usage or bad input, 3 a defect."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code when called with `arguments`."""
    try:
        from weakreset.cli.app import run

        code = run(sys.argv[1:] if arguments is None else arguments)
    except KeyboardInterrupt as stop:  # before `run` could answer it, or after
        sys.stderr.write("interrupted; what was written is whole\n")
        code = getattr(stop, "code", 130)
    if arguments is None:
        sys.exit(code)
    return code
