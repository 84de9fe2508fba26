"""The whole road through the window, in a real browser, as a person goes it."""

from __future__ import annotations

import html
import importlib.util
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.app.chromium import CHROMIUM, at, browser
from tests.builders import HOSTILE
from weakreset.parameter_file import load_parameters
from weakreset.twin import simulate_traces

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium here (Debian: apt-get install chromium)"),
    pytest.mark.skipif(importlib.util.find_spec("nicegui") is None, reason="pip install 'weakreset[app]'"),
]


@pytest.fixture
def window(tmp_path):
    """The address of a window that runs with warnings as errors, and the folder where it keeps uploads."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    command = [sys.executable, "-W", "error", "-m", "weakreset", "app", "--no-browser"]
    # the framework behaves otherwise where it sees pytest
    alone = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=alone | {"TMPDIR": str(temporary)}
    )
    address = process.stdout.readline().strip()
    assert address.startswith("http://127.0.0.1:"), process.communicate(timeout=20)
    yield address, temporary
    process.terminate()
    _, errors = process.communicate(timeout=90)
    assert errors == ""
    assert list(temporary.iterdir()) == []  # nothing that was dropped is left


def measured(folder: Path) -> Path:
    """Readings in kohm under a header that does not say so; the first device has a hostile name. Simulated."""
    traces = simulate_traces("majumdar2021", 30, 500, seed=5)
    names = [HOSTILE.replace('"', ""), *(trace.device for trace in traces.traces[1:])]
    path = folder / "lab.csv"
    lines = ["cell;pulse;R"]
    for name, trace in zip(names, traces, strict=True):
        reads = zip(trace.pulses, trace.resistance_ohm, strict=True)
        lines += [f"{name};{pulse};{ohm / 1000:.6f}" for pulse, ohm in reads]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_the_whole_road(window, tmp_path):
    address, _ = window
    lab = measured(tmp_path)
    with browser(tmp_path) as page:
        page.open(address)
        page.drop([lab])
        assert "unit" in page.text("problem")  # refused, because nothing says the unit
        assert "resistance" in page.text("columns")  # and still to be clicked
        page.choose("unit-2", "kohm")
        assert "30 devices" in page.text("lot-sentence")
        assert page.text("map-line") == "--map device=0,pulse=1,resistance=2[kohm]"
        page.click("tab-fit")
        page.fill("name", "lab one")
        page.click("fit-button")
        assert "30 devices" in page.text("fit-counted")
        frame = page.frame("devices.html")
        rows = "document.querySelectorAll('table.devices tbody tr')"
        assert page.wait(f"{rows}.length === 30", frame=frame)  # on a busy machine rows come one after the other
        page.run(f"{rows}[0].click()", frame)
        assert page.wait("document.getElementById('device-name').textContent", frame=frame) == HOSTILE.replace('"', "")
        page.click("tab-laws")
        assert "m1" in page.text("laws")
        page.click("tab-validation")
        page.click("validate-button")
        assert "lab one" in page.text("verdict", 120)
        page.click("tab-compare")
        page.click("compare-button")
        assert page.text("comparison")
        assert "m1" in page.text("differences")
        page.click("tab-simulate")
        page.click("simulate-button")
        page.wait(f"{at('picture-twin')}?.naturalWidth > 0")
        page.click("tab-export")
        assert "weakreset fit lab.csv" in page.text("commands")
        page.click("export-everything")
        archive = page.downloaded("lab one.zip")
        page.click("picture-button")
        assert page.downloaded("all_traces_single.pdf").read_bytes().startswith(b"%PDF")
        assert page.console == []
        assert page.run("document.title") == "weakreset"
    exported(archive, tmp_path / "again", lab)


def exported(archive: Path, folder: Path, lab: Path) -> None:
    """The commands, run beside the file, give the same laws."""
    folder.mkdir()
    with zipfile.ZipFile(archive) as content:
        names = set(content.namelist())
        content.extractall(folder)
    wanted = ("json", "devices.csv", "laws.csv", "excluded.csv", "html", "sh", "ipynb")
    assert {f"lab one.{kind}" for kind in wanted} <= names
    assert html.escape(HOSTILE.replace('"', "")) in (folder / "lab one.html").read_text().replace("&#39;", "&#x27;")
    window = load_parameters(folder / "lab one.json")
    assert window.provenance.inputs[0].file == "lab.csv"
    assert json.loads((folder / "lab one.ipynb").read_text())["nbformat"] == 4
    (folder / "lab one.json").unlink()
    (folder / "lab.csv").write_bytes(lab.read_bytes())
    fit = (folder / "lab one.sh").read_text().splitlines()[3].replace("--report 'lab one.html'", "")  # the slow part
    assert fit.startswith("weakreset fit lab.csv -o 'lab one.json'")
    line = f"{sys.executable} -m {fit}"
    done = subprocess.run(["sh", "-c", line], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    again = load_parameters(folder / "lab one.json")
    for name, law in window.parameters.items():
        assert again.parameters[name].params == law.params, name
    assert again.provenance.command == window.provenance.command.replace(" --report 'lab one.html'", "")
