"""The commands that `faults.py` breaks off, run small, and what their files have to be.

A command runs in a fork of this process, which has loaded everything that commands load: what is broken off is work,
not the seconds of importing, in which nothing is written.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import re
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py

from weakreset.cli import main

TEMPORARY = (".part", ".lock")
_VOLATILE = {"seconds", "created", "command", "parameter_file_sha256"}  # differ between two runs that nobody disturbed
_TIMES = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?[^\s<\"]*|\d{4}-\d\d-\d\d")


@dataclass(frozen=True)
class Verb:
    """A command; `{out}` in it is the folder of its results, `{traces}` the traces."""

    words: tuple[str, ...]
    code: int = 0

    def arguments(self, out: Path, traces: Path) -> list[str]:
        return [word.format(out=out, traces=traces) for word in self.words]


def _verb(line: str) -> Verb:
    return Verb(tuple(part.replace("_", " ") for part in line.split()))


_FIT = "fit {traces} -o {out}/lot.json --report {out}/fit.html --jobs 2"
_SMALL = "--hidden 8 --epochs 3 --batch-size 200"
VERBS = {
    "fit": _verb(_FIT),
    "fit --stream": _verb(f"{_FIT} --stream"),
    "train": _verb(f"train majumdar2021 -o {{out}} --resume {_SMALL}"),
    "ablate": _verb(f"ablate majumdar2021 -o {{out}} --jobs 1 --seeds 2 --only ideal,without_rtn {_SMALL}"),
    "ablate --jobs 2": _verb(f"ablate majumdar2021 -o {{out}} --jobs 2 --seeds 2 --only ideal,without_rtn {_SMALL}"),
    "demo": _verb("demo -o {out}"),
    "simulate": _verb("simulate majumdar2021 -o {out}/made.csv --devices 60 --pulses 2000"),
    "export": _verb("export majumdar2021 --to devices -o {out}/devices.csv --devices 4000"),
    "report": _verb("show majumdar2021 --report {out}/page.html"),
}
WEIGHTS = {"ablate --jobs 2": 0.3, "demo": 0.6}  # the slow ones are broken off less often


def small_demo() -> None:
    """The demo on one of its three files, with a small network."""
    import weakreset.demo as demo

    demo.DEMO_TRACES, demo._EPOCHS, demo._HIDDEN = ("lot_c.h5",), 2, 8


def start(verb: Verb, out: Path, traces: Path, said: Path, before: Callable[[], None] | None = None) -> int:
    """Fork a child, in a session of its own, that runs the command; its process number."""
    process = os.fork()
    if process:
        return process
    code = 70
    try:
        os.setsid()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
        words = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.dup2(words, 2)
        if before is not None:
            before()
        sys.argv = ["weakreset", *verb.arguments(out, traces)]
        code = main(sys.argv[1:])
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def finish(process: int) -> int:
    """Wait; the exit code, or minus the signal."""
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def left_of(session: int) -> list[int]:
    """Living processes of a session."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(fields[3]) == session and fields[0] != "Z":
                found.append(int(entry.name))
    return found


def damaged(folder: Path) -> list[str]:
    """Files under a final name that are not whole."""
    wrong = []
    for path in files_in(folder):
        try:
            _content(path)
        except Exception as error:  # whatever a reader says of half a file
            wrong.append(f"{path.name}: {type(error).__name__}: {error}")
    return wrong


def temporary(folder: Path) -> list[str]:
    return [str(path.relative_to(folder)) for path in folder.rglob("*") if path.name.endswith(TEMPORARY)]


def files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(TEMPORARY))


def digests(folder: Path) -> dict[str, str]:
    """Of every file what two undisturbed runs share: all but times and the command as typed."""
    return {str(path.relative_to(folder)): _content(path, folder) for path in files_in(folder)}


def _content(path: Path, folder: Path | None = None) -> str:
    data = path.read_bytes()
    if path.suffix == ".json":
        data = json.dumps(_steady(json.loads(data))).encode()
    elif path.suffix == ".jsonl":
        data = json.dumps([_steady(json.loads(line)) for line in data.decode().splitlines()]).encode()
        _check(path.read_bytes().endswith(b"\n"), "its last line has no end")
    elif path.suffix == ".csv":
        rows = [row for row in csv.reader(data.decode().splitlines()) if row and not row[0].startswith("#")]
        _check(data.endswith(b"\n") and len({len(row) for row in rows}) == 1, "its last line is short")
    elif path.suffix == ".html":
        _check(data.rstrip().endswith(b"</html>"), "it ends too early")
        data = _TIMES.sub("", data.decode()).encode()
    elif path.suffix == ".png":
        _check(data.endswith(b"IEND\xaeB`\x82"), "it ends too early")
    elif path.suffix == ".safetensors":
        data = _checkpoint(path)
    elif path.suffix == ".h5":
        with h5py.File(path) as root:
            data = repr(sorted(root)).encode()
    else:
        raise ValueError("nobody writes such a file")
    if folder is not None:
        data = data.replace(os.fsencode(folder), b"OUT")
    return hashlib.sha256(data).hexdigest()


def _checkpoint(path: Path) -> bytes:
    from safetensors import safe_open

    with safe_open(path, framework="np") as file:
        notes = _steady(json.loads(file.metadata()["weakreset"]))
        tensors = {name: file.get_tensor(name).tobytes() for name in sorted(file.keys())}
    whole = hashlib.sha256(json.dumps(notes).encode())
    for name, values in tensors.items():
        whole.update(name.encode() + values)
    return whole.digest()


def _steady(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _steady(inner) for key, inner in value.items() if key not in _VOLATILE}
    return [_steady(inner) for inner in value] if isinstance(value, list) else value


def _check(holds: bool, otherwise: str) -> None:
    if not holds:
        raise ValueError(otherwise)
