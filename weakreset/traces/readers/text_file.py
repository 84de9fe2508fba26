"""Text files decoded and unpacked, never more than we can hold."""

from __future__ import annotations

import gzip
import hashlib
import re
import zlib
from pathlib import Path

from weakreset.errors import TraceFormatError
from weakreset.traces.units import parse_unit, split_name
from weakreset.traces.vocabulary import role_of

__all__ = ["read_text_file", "unpack_head", "wide_encoding"]

_LARGEST_BYTES = 4 << 30
_LARGEST_UNPACKED = 384 << 20
_LARGEST_RATIO = 200
_RATIO_FROM = 64 << 20
_LONGEST_LINE = 32 << 20
"""Half a million cells, the widest table that is read, take less."""
_BLANK_FROM = 16 << 20
_BLOCK = 1 << 20
_WIDE_SHARE = 0.4  # of the bytes on one side, zero: a few letters beyond Latin may be among them
_ENCODINGS = {
    "cp1252": "Windows-1252", "gb18030": "GB 18030", "shift_jis": "Shift JIS", "euc_kr": "EUC-KR", "big5": "Big5",
    "cp1251": "Windows-1251", "mac_roman": "Mac Roman",
}  # fmt: skip
_GZIP = b"\x1f\x8b"
_MOST_MEMBERS = 20_000  # bgzip makes one for 64 kB


def unpack_head(head: bytes) -> bytes:
    """The beginning of a gzip file unpacked, any other as it is; b'' where it is broken."""
    if not head.startswith(_GZIP):
        return head
    try:
        return zlib.decompressobj(wbits=31).decompress(head, 1 << 16)
    except zlib.error:
        return b""


def read_text_file(path: Path, file: str, most_bytes: int | None = None) -> tuple[bytes, list[str], str]:
    """All text of `path` as UTF-8 without byte order mark, lines ended by LF; notes on how it was decoded; and the
    sha256 of the bytes that were read, whatever happens to the file afterwards.

    Parameters
    ----------
    path : Path
    file : str
        Its name for messages.
    most_bytes : int, optional
        The longest text that the caller can hold as objects.

    Raises
    ------
    TraceFormatError
        Empty, too large, a broken or absurdly packed gzip, or binary content.
    """
    size = path.stat().st_size
    if size == 0:
        raise TraceFormatError(f"{file}: the file is empty")
    if size > _LARGEST_BYTES:
        raise TraceFormatError(f"{file}: {size / 2**30:.1f} GiB of text is more than we hold in memory; use HDF5")
    with open(path, "rb") as stream:
        packed = stream.read(len(_GZIP)) == _GZIP
    try:
        if packed:
            _refuse_many_members(path, file)
        if packed or size > _LONGEST_LINE:
            _refuse_absurd(path, size, file, packed)
        raw = path.read_bytes()
        digest = hashlib.sha256(raw).hexdigest()
        raw = gzip.decompress(raw) if packed else raw
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise TraceFormatError(f"{file}: broken gzip file ({error})") from error
    notes = ["gzip"] if packed else []
    text = _to_utf8(raw, file, notes)
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if text.endswith(b"\x00"):  # room that a program reserved and did not fill, or a power cut
        text = text.rstrip(b"\x00")
        notes.append("zero bytes at the end skipped")
    if not text.strip():
        raise TraceFormatError(f"{file}: the file is empty")
    if b"\x00" in text:
        line = text.count(b"\n", 0, text.index(b"\x00")) + 1
        raise TraceFormatError(
            f"{file}, line {line}: binary content (a zero byte) in what should be a text file. If it is a text that "
            "was damaged while it was written, this leaves out the lines with such bytes: python -c \"import pathlib; "
            "lines = pathlib.Path('FILE').read_bytes().split(b'\\n'); pathlib.Path('FILE.csv').write_bytes("
            "b'\\n'.join(line for line in lines if bytes(1) not in line))\""
        )
    if most_bytes is not None and len(text) > most_bytes:
        raise TraceFormatError(f"{file}: {len(text) >> 20} MiB; more than {most_bytes >> 20} MiB are not read")
    return text, notes, digest


def _refuse_many_members(path: Path, file: str) -> None:
    """Raise where a gzip file is glued of very many: each costs the time of thousands of readings."""
    with open(path, "rb") as stream:
        n = sum(block.count(_GZIP + b"\x08") for block in iter(lambda: stream.read(_BLOCK), b""))
    if n > _MOST_MEMBERS:
        raise TraceFormatError(f"{file}: {n} gzip files glued together; unpack it yourself, and read that")


def _refuse_absurd(path: Path, size: int, file: str, packed: bool) -> None:
    """Read a large file once, keeping nothing: what is no table of lines must not get into memory.

    Raises
    ------
    TraceFormatError
        A line longer than any table has, nothing but blanks, or a small file that unpacks to a very large one.
    """
    total, line, filled = 0, 0, False
    with gzip.open(path) if packed else open(path, "rb") as stream:
        while block := stream.read(_BLOCK):
            end = max(block.rfind(b"\n"), block.rfind(b"\r"))
            line = line + len(block) if end < 0 else len(block) - end
            total += len(block)
            filled = filled or bool(block.strip())
            if line > _LONGEST_LINE:
                raise TraceFormatError(
                    f"{file}: a line of more than {_LONGEST_LINE >> 20} MiB; this is no table of readings in text"
                )
            if total > _BLANK_FROM and not filled:
                raise TraceFormatError(f"{file}: nothing but empty lines in the first {total >> 20} MiB")
            if packed and (total > _LARGEST_UNPACKED or (total > _RATIO_FROM and total > _LARGEST_RATIO * size)):
                raise TraceFormatError(
                    f"{file}: {size} bytes unpack to more than {total >> 20} MiB; this looks like a "
                    "decompression bomb. Unpack it yourself if you trust it"
                )


def wide_encoding(head: bytes) -> str:
    """UTF-16 without its mark: every other byte of plain text in it is zero; '' for anything else."""
    head = head[: 1 << 10]
    zeros = [head[start::2].count(0) / max(1, len(head) // 2) for start in (0, 1)]
    low, high = min(zeros), max(zeros)
    return "" if len(head) < 4 or high < _WIDE_SHARE or low > 0 else "utf-16-be" if zeros[0] == high else "utf-16-le"


def _to_utf8(raw: bytes, file: str, notes: list[str]) -> bytes:
    if wide := wide_encoding(raw):
        raw = (b"\xff\xfe" if wide == "utf-16-le" else b"\xfe\xff") + raw
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if raw.startswith(mark):
            try:
                notes.append("UTF-16")
                return raw.decode(encoding).removeprefix("\ufeff").encode()
            except UnicodeError as error:
                raise TraceFormatError(f"{file}: broken UTF-16 text ({error})") from error
    if raw.startswith(b"\xef\xbb\xbf"):
        notes.append("UTF-8 with byte order mark")
        raw = raw[3:]
    if raw.isascii():
        return raw
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        encoding, name = _guessed_encoding(raw)
        notes.append(f"not UTF-8, read as {name}")
        return raw.decode(encoding, errors="replace").encode()
    return raw


def _guessed_encoding(raw: bytes) -> tuple[str, str]:
    """The encoding in which most words of the first lines are names of columns or units, and what it is called."""
    lines = raw[: 1 << 14].split(b"\n")[:40]
    best, most = "cp1252", 0
    for encoding in _ENCODINGS:
        try:
            words = re.split(r"[,;\t\r\n]", b"\n".join(lines).decode(encoding))
        except UnicodeDecodeError:
            continue
        known = sum(2 * bool(role_of(word)) + (parse_unit(split_name(word)[1]) is not None) for word in words if word)
        if known > most:
            best, most = encoding, known
    return best, _ENCODINGS[best]
