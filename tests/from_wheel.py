"""`make test-wheel`: a wheel in an empty environment, and every command of the README from another folder.

Builds wheel and sdist, makes a virtual environment, installs the wheel with the pins of constraints.txt, and works in a
folder that is not the checkout, with a `lab/` of simulated traces. Prints the time of each command; stops at the first
that does not end as it should. Minutes, most of them the download of PyTorch; so it is no part of `make test`.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LEFT_OUT = {
    "weakreset app": "a window that stays open",
    "--data mnist": "needs MNIST",
    "weakreset ablate": "minutes each",
}


def commands_of(readme: str) -> list[str]:
    """Commands of the README that a reader can type, in their order."""
    lines = re.findall(r"^    (weakreset .*?)\s*(?:# .*)?$", readme, re.MULTILINE)
    return [line for line in lines if not any(part in line for part in LEFT_OUT)]


def pieces_of(readme: str) -> str:
    """The pieces of Python, one after the other."""
    return "\n".join(re.findall(r"^```python\n(.*?)^```", readme, re.MULTILINE | re.DOTALL))


def build(folder: Path) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    (wheel,), (_,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return wheel


def install(wheel: Path, environment: Path) -> Path:
    """An environment with the wheel and nothing else; the folder of its programs."""
    venv.create(environment, with_pip=True)
    programs = environment / ("Scripts" if os.name == "nt" else "bin")
    pip = [str(programs / "python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    subprocess.run([*pip, "-c", str(ROOT / "constraints.txt"), str(wheel)], check=True)
    return programs


def prepare(run: Step) -> None:
    """What the README takes for granted: traces of one's own, with pulse settings; a paper's table; two lots."""
    lab = run.folder / "lab"
    lab.mkdir()
    run("weakreset simulate majumdar2021 -o twin.csv --devices 120 --pulses 800 --seed 1")
    header, *rows = (run.folder / "twin.csv").read_text("utf-8").splitlines()
    label, header, rows = (header, rows[0], rows[1:]) if header.startswith("#") else ("", header, [*rows])
    wide = [f"{header},v_sl,cycle", *(f"{row},0.9,1" for row in rows)]
    (lab / "mine.csv").write_text("\n".join([*([label] if label else []), *wide]) + "\n", encoding="utf-8")
    run("weakreset new --example -o paper.toml")
    run("weakreset fit lab/mine.csv -o lot-a.json --devices devices.csv")
    (run.folder / "lot-b.json").write_bytes((run.folder / "lot-a.json").read_bytes())


class Step:
    """Runs commands in a folder, with the programs of the new environment alone."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self.folder, self.programs = folder, programs
        self.environment = {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "COLUMNS": "100"}
        self.environment.pop("PYTHONPATH", None)

    def __call__(self, command: str, allowed: tuple[int, ...] = (0,)) -> None:
        self.run(shlex.split(_expanded(command, self.folder)), command, allowed)

    def run(self, words: list[str], shown: str, allowed: tuple[int, ...] = (0,)) -> None:
        start = time.perf_counter()
        words = [str(self.programs / words[0]), *words[1:]]
        done = subprocess.run(words, cwd=self.folder, env=self.environment, capture_output=True, text=True)
        print(f"{time.perf_counter() - start:6.1f} s  exit {done.returncode}  {shown}", flush=True)
        if done.returncode not in allowed:
            sys.exit(f"{done.stdout}\n{done.stderr}")


def _expanded(command: str, folder: Path) -> str:
    """As a shell would: `lab/*.csv`."""
    found = " ".join(str(path.relative_to(folder)) for path in sorted((folder / "lab").glob("*.csv")))
    return command.replace("lab/*.csv", found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--environment", type=Path, help="one that has the wheel already")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        if chosen.environment is None:
            start = time.perf_counter()
            programs = install(build(place / "dist"), place / "environment")
            print(f"{time.perf_counter() - start:6.1f} s  wheel built and installed")
        else:
            programs = chosen.environment / "bin"
        folder = place / "elsewhere"
        folder.mkdir()
        run = Step(folder, programs)
        run("weakreset --version --verbose")
        run("weakreset doctor")
        prepare(run)
        readme = (ROOT / "README.md").read_text("utf-8")
        for command in commands_of(readme):
            judged = (0, 1) if command.startswith("weakreset validate") else (0,)
            run(command, judged)
        run.run(["python", "-W", "error", "-c", pieces_of(readme)], "the pieces of Python")
        for part, why in LEFT_OUT.items():
            print(f"    not run: {part} ({why})")


if __name__ == "__main__":
    main()
