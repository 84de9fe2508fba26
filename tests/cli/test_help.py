"""Help comes at once: nothing is loaded that only a command needs. benchmarks/help_time.py has its time."""

from __future__ import annotations

import subprocess
import sys

import pytest


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
