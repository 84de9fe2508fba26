"""Devices that a text names outside its columns: `# device: D07` above a table, or above each of several blocks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from weakreset.traces.column_names import says_device
from weakreset.traces.vocabulary import normalise

__all__ = ["blocks_of_devices", "device_said"]

_KEYS = frozenset(
    ("device", "device id", "device name", "device no", "device number", "dut", "dut id", "cell", "cell id",
     "cell name", "cell no", "cell number", "device under test", "zelle", "bauelement")
)  # fmt: skip
_SAID = re.compile(r"^\s*(?P<key>[^\W\d_][\w .#-]{0,30}?)\s*[:=\t]\s*(?P<value>\S.*?)\s*$")
_LONGEST = 40  # characters of a name that stands alone
_RUN_OF_COMMENTS = re.compile(rb"(?m)^[#%][^\n]*(?:\n(?:[#%][^\n]*|[ \t]*(?=\n)))*")


def device_said(comments: Iterable[str]) -> str:
    """The device that comments, or lines above a header, name: `device: D07`, or `D07` alone; '' where none does."""
    alone = []
    for comment in comments:
        match = _SAID.match(comment)
        if match and normalise(match["key"]) in _KEYS:
            return match["value"].strip("\"', ;")
        words = comment.strip().strip(",;")
        if len(words) <= _LONGEST and any(map(str.isdigit, words)) and not re.search(r"[:=,;\t(\[]", words):
            alone += [words] if says_device(words) else []
    return alone[0] if len(alone) == 1 else ""


def blocks_of_devices(body: bytes, device: str) -> Iterator[int]:
    """Where comments within the data begin that name another device than the one of the block."""
    if b"\n#" not in body and b"\n%" not in body:
        return
    for run in _RUN_OF_COMMENTS.finditer(body):
        lines = run[0].decode("utf-8", errors="replace").splitlines()
        said = device_said([line.lstrip("#% ") for line in lines])
        if said and said != device and run.start() > 0:
            yield run.start()
