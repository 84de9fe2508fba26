"""Processor time of help, least of five processes: `make bench`. A user waits for it before anything else."""

from __future__ import annotations

import os
import subprocess
import sys


def processor_time(arguments: list[str]) -> float:
    """User and system time of `weakreset ...` in a process of its own."""
    process = subprocess.Popen([sys.executable, "-m", "weakreset", *arguments], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    for arguments in (["--help"], ["fit", "--help"], ["show", "majumdar2021"]):
        least = min(processor_time(arguments) for _ in range(5))
        print(f"weakreset {' '.join(arguments):<20} {least:6.2f} s  (bar 0.5)")


if __name__ == "__main__":
    main()
