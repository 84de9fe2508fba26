"""Help comes at once: nothing is loaded that only a command needs."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

ALLOWED_S = 0.5


def processor_time(arguments: list[str]) -> float:
    """User and system time of `weakreset ...` in a process of its own."""
    process = subprocess.Popen([sys.executable, "-m", "weakreset", *arguments], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_utime + usage.ru_stime


@pytest.mark.parametrize("arguments", [["--help"], ["fit", "--help"]])
def test_help_takes_less_than_half_a_second_of_processor_time(arguments):
    assert min(processor_time(arguments) for _ in range(3)) < ALLOWED_S


# train, ablate and simulate say in their help which imperfections can be switched off: those of the model's registry
@pytest.mark.parametrize("command", ["", "fit", "inspect", "validate", "compare", "show", "demo"])
def test_help_loads_neither_numbers_nor_readers(command):
    code = (
        "import sys; from weakreset.cli import main; main(sys.argv[1:]); "
        "print(*(name for name in ('numpy', 'weakreset.traces', 'weakreset.parameter_file') if name in sys.modules))"
    )
    arguments = [sys.executable, "-c", code, *filter(None, [command]), "--help"]
    out = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert out.stdout.splitlines()[-1] == ""
