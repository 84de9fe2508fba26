"""All kinds of lab files; importing this fills the registry."""

from __future__ import annotations

from tests.lab_files import (  # noqa: F401
    kinds_devices,
    kinds_exports,
    kinds_headers,
    kinds_numbers,
    kinds_other,
    kinds_programs,
    kinds_readings,
    kinds_scales,
    kinds_strange,
    kinds_tables,
    kinds_typed,
    kinds_units,
    kinds_wide,
)
from tests.lab_files.bench import KINDS, Bench, Kind, make

__all__ = ["KINDS", "Bench", "Kind", "make"]
