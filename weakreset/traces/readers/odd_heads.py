"""Beginnings of texts that are not lines of cells: headers of LabVIEW, names of columns that run over several lines."""

from __future__ import annotations

import re

__all__ = ["with_plain_head"]

_HEAD_BYTES = 1 << 16  # 64 kB: headers are shorter
_RULED_BYTES = 1 << 12  # 4 kB: the names of columns and what stands above them
_END_OF_HEADER = b"***End_of_Header***"
_RULING = re.compile(rb"(?m)^[ \t|+:]*[-=_]{3}[-=_ \t|+:]{2,}$")
_MOST_JOINED = 5  # lines of one cell: more is a quote that nobody closed


def with_plain_head(text: bytes) -> bytes:
    """The text (UTF-8, LF) with such beginnings as comments and as single lines; no later line changes its number."""
    return _without_rulings(_names_in_one_line(_labview_as_comments(text)))


def _without_rulings(text: bytes) -> bytes:
    """Lines of dashes below the names of columns become empty."""
    head, rest = text[:_RULED_BYTES], text[_RULED_BYTES:]
    return _RULING.sub(b"", head) + rest if b"---" in head or b"===" in head or b"___" in head else text


def _labview_as_comments(text: bytes) -> bytes:
    """A `.lvm` file says much of itself in lines of key, tab, value, up to the last end of a header."""
    end = text.rfind(_END_OF_HEADER, 0, _HEAD_BYTES)
    if end < 0 or not text.startswith(b"LabVIEW"):
        return text
    end = text.find(b"\n", end) + 1 or len(text)
    lines = []
    for line in text[:end].split(b"\n")[:-1]:
        key, _, value = line.strip().partition(b"\t")
        key = b"unit" if key == b"Y_Unit_Label" else key
        values = b" | ".join(dict.fromkeys(filter(None, value.split(b"\t"))))
        lines.append(b"# " + key + (b": " + values if values else b""))
    return b"\n".join(lines) + b"\n" + text[end:]


def _names_in_one_line(text: bytes) -> bytes:
    """Cells in quotes that hold a line end, `"Pulse\\nnumber"`, hold a blank instead; empty lines follow theirs."""
    if b'"' not in text[:_HEAD_BYTES]:
        return text
    head, rest = text[:_HEAD_BYTES], text[_HEAD_BYTES:]
    lines = head.split(b"\n")
    last = lines.pop()  # may be cut here
    found: list[bytes] = []
    i = 0
    while i < len(lines):
        n = next((n for n in range(1, _MOST_JOINED + 1) if b"".join(lines[i : i + n]).count(b'"') % 2 == 0), 1)
        n = min(n, len(lines) - i)
        found += [b" ".join(lines[i : i + n]), *[b""] * (n - 1)]
        i += n
    return b"\n".join([*found, last]) + rest
