"""The sample files of instrument formats and their writers, from the committed generator."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

DATA = Path(__file__).parents[2] / "data"


def _generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_formats", DATA / "generate_formats.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


generator = _generator()
SAMPLES = generator.SAMPLES
Run = generator.Run
