"""One lab file (or a few) with what is right for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.lab_files.lot import Key, Readings


@dataclass
class Case:
    """What was written, and what a reader may make of it.

    Parameters
    ----------
    sources : path or list of paths
    readings : dict or None
        The right readings; None for a file that must be refused.
    left_out : dict of key to words
        Readings that must not be used, each named among the exclusions for a reason that matches these words.
    may_miss : set of keys
        Readings that may be used (with the right value) or be left out by name.
    whole_device : dict of device to words
        Devices that may be left out as a whole, by name, for a reason that matches.
    optional : set of key
        Readings that nobody can ask for (of a line that was cut), but whose value must be right where they are used.
    must_refuse : words
        The file must be refused with a message that matches; '' where it may be read.
    refusal : words
        A refusal must match these; '' for any.
    says : words
        Where the file is read, `inspect` must say this.
    ways : list of readings
        What an option printed by the refusal may give; the readings themselves by default.
    no_way : words
        What a refusal must not print.
    names_file : bool
        Whether a refusal must name the file.
    rtol : float
        Largest relative difference of a reading.
    look : callable
        Instead of `readings`: given the traces, what is wrong with them, or ''.
    """

    sources: Path | list[Path]
    readings: Readings | None
    left_out: dict[Key, str] = field(default_factory=dict)
    may_miss: set[Key] = field(default_factory=set)
    whole_device: dict[str, str] = field(default_factory=dict)
    optional: set[Key] = field(default_factory=set)
    must_refuse: str = ""
    refusal: str = ""
    says: str = ""
    ways: list[Readings] | None = None
    no_way: str = ""
    names_file: bool = True
    rtol: float = 1e-4
    look: Callable[[Any], str] | None = None

    @property
    def paths(self) -> list[Path]:
        return self.sources if isinstance(self.sources, list) else [self.sources]
