"""The site builds without a warning, and every command and piece of Python on its pages runs as it stands there."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))
_FENCE = re.compile(r"^```(sh|python)( exit=[\d,]+)?\n(.*?)^```", re.MULTILINE | re.DOTALL)
_OWN_PIECES = {"readers.md"}
"""Pages whose pieces of Python are files of their own, each tested elsewhere."""


def _blocks(page: str) -> list[tuple[str, set[int], str]]:
    found = _FENCE.findall((DOCS / page).read_text("utf-8"))
    return [(kind, {int(n) for n in (codes or " exit=0")[6:].split(",")}, text) for kind, codes, text in found]


def _commands(text: str) -> list[str]:
    return [line for line in text.replace("\\\n", " ").splitlines() if line and not line.startswith("#")]


@pytest.fixture
def bench(tmp_path):
    """A folder with the `lab/` that the pages speak of: bundled (simulated) traces, shorter, and variants of them."""
    lab = tmp_path / "lab"
    lab.mkdir()
    for name in ("lot_a.csv", "lot_b_wide.csv"):
        (lab / name).write_text(_shorter((ROOT / "data" / name).read_text("utf-8")))
    _variants(lab)
    return tmp_path


def _shorter(text: str, last: int = 400) -> str:
    """The same traces to pulse `last`: the pages are run to see that they run."""
    lines = text.splitlines(keepends=True)
    header = next(i for i, line in enumerate(lines) if not line.startswith("#"))
    place = [name.strip() for name in lines[header].split(",")].index("pulse")
    kept = [line for line in lines[header + 1 :] if int(line.split(",")[place]) <= last]
    return "".join([*lines[: header + 1], *kept])


def _variants(lab: Path) -> None:
    rng = np.random.default_rng(20)
    pulses = np.arange(201)
    curves = {
        f"d{i:02d}": 7000.0 * np.exp(6e-4 * np.minimum(pulses, 60 + 5 * i) + 0.005 * rng.standard_normal(201))
        for i in range(24)
    }
    rows = [(name, k, r) for name, curve in curves.items() for k, r in zip(pulses, curve, strict=True)]
    (lab / "unknown.csv").write_text("a,b,c\n" + "".join(f"{n},{k},{r:.2f}\n" for n, k, r in rows))
    (lab / "no-unit.csv").write_text("device,pulse,R\n" + "".join(f"{n},{k},{r / 1e3:.5f}\n" for n, k, r in rows))
    (lab / "currents.csv").write_text(
        "device,pulse,I_read [uA]\n" + "".join(f"{n},{k},{0.1e6 / r:.4f}\n" for n, k, r in rows)
    )
    (lab / "falling.csv").write_text(
        "device,pulse,R [ohm]\n" + "".join(f"{n},{k},{7000.0**2 / r:.2f}\n" for n, k, r in rows)
    )
    (lab / "dies.csv").write_text(
        "device,die,row,col,pulse,R [ohm]\n"
        + "".join(f"{n},{int(n[1:]) % 3},{int(n[1:]) // 6},{int(n[1:]) % 6},{k},{r:.2f}\n" for n, k, r in rows)
    )


@pytest.mark.parametrize("page", [page for page in PAGES if page not in _OWN_PIECES and _blocks(page)])
def test_what_stands_on_a_page_runs(page, bench):
    environment = {**os.environ, "COLUMNS": "100", "OMP_NUM_THREADS": "1"}
    if page == "tutorial.md":  # which asks of a third of the devices what only whole traces tell
        (bench / "lab" / "lot_a.csv").write_bytes((ROOT / "data" / "lot_a.csv").read_bytes())
    pieces: list[str] = []
    for kind, codes, text in _blocks(page):
        if kind == "python":
            pieces.append(text)
            continue
        for command in _commands(text):
            words = shlex.split(command, comments=True)
            assert words[0] == "weakreset", command
            done = subprocess.run(
                [sys.executable, "-m", *words], cwd=bench, env=environment, capture_output=True, text=True,
            )
            assert done.returncode in codes, f"{command}\n{done.stdout}\n{done.stderr}"
    if pieces:  # one after the other, as a reader would paste them
        done = subprocess.run(
            [sys.executable, "-c", "\n".join(pieces)], cwd=bench, env=environment, capture_output=True, text=True,
        )
        assert done.returncode == 0, done.stderr


def test_a_command_that_fails_would_be_seen(bench):
    done = subprocess.run(
        [sys.executable, "-m", "weakreset", "inspect", "lab/absent.csv"], cwd=bench, capture_output=True, check=False,
    )
    assert done.returncode == 2


def test_the_site_builds_without_a_warning(tmp_path):
    pytest.importorskip("mkdocs", reason="needs pip install 'weakreset[docs]'")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-q", "-d", str(tmp_path / "site")]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True,
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr.strip(), done.stderr
    pages = ("index", "tutorial/index", "reference/python/index", "notebooks/01_quickstart/index")
    for page in pages:
        assert (tmp_path / "site" / f"{page}.html").stat().st_size > 5000, page


def _spoken() -> list[tuple[str, str]]:
    """Commands in sentences, in indented lines and in blocks that are not run: page and words."""
    found = []
    for page in (*PAGES, "../README.md"):
        text = (DOCS / page).read_text("utf-8")
        rest = _FENCE.sub("", text).replace("\\\n", " ")
        found += [(page, line) for line in re.findall(r"`(weakreset [^`\n]+)`", rest)]
        found += [(page, line) for line in re.findall(r"^(?: {4}| *')(weakreset .+)$", rest, re.MULTILINE)]
    return [(page, re.sub(r"\s+#.*| && .*", "", line).strip("'\" ")) for page, line in found]


def test_commands_that_no_test_runs_name_verbs_and_options_that_exist():
    """A sbatch line, say, or a word in a sentence: these are only checked for names."""
    from typer.main import get_command

    from weakreset.cli.app import application

    verbs = get_command(application()).commands
    spoken = _spoken()
    assert len(spoken) > 10
    for page, line in spoken:
        _, verb, *rest = line.split()
        assert verb in verbs or verb.isupper() or verb.startswith("-"), f"{page}: {line}"
        params = verbs[verb].params if verb in verbs else ()
        known = {name for one in params for name in (*one.opts, *one.secondary_opts)}
        strange = [word for word in rest if re.match(r"--?[a-z]", word) and word.partition("=")[0] not in known]
        assert not strange or verb.startswith("-"), f"{page}: {line}: no {strange}"
