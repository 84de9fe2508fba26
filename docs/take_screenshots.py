"""Take the pictures of the window again, in headless Chromium, from bundled (simulated) traces: `make pictures`."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.app.chromium import Page, at, browser
from weakreset.resources import bundled

PICTURES = Path(__file__).parent / "app"
SIZE = {"width": 1180, "height": 860, "deviceScaleFactor": 1, "mobile": False}
TRACES = ("lot_a.csv", "lot_b_wide.csv")


def take(page: Page, name: str) -> None:
    time.sleep(1.5)  # what moves has come to rest
    page.picture(PICTURES / f"{name}.png")


def road(page: Page) -> None:
    page.drop([bundled("data") / name for name in TRACES])
    page.wait(f"{at('lot-sentence')}?.innerText.includes('97 devices')", 120)
    take(page, "files")
    page.click("tab-fit")
    page.fill("name", "two lots")
    page.click("fit-button")
    page.text("fit-counted", 600)
    frame = page.frame("devices.html")
    row = "document.querySelectorAll('table.devices tbody tr')[2]"
    page.wait(f"!!{row}", 60, frame)
    page.run(f"{row}.click()", frame)
    page.run(f"void {at('devices')}.scrollIntoView()")
    page.wait("!document.getElementById('device').hidden && !!document.querySelector('#device-plots svg')", 60, frame)
    page.run("window.scrollTo(0, document.getElementById('device').offsetTop)", frame)
    take(page, "device")
    page.click("tab-validation")
    page.click("validate-button")
    page.text("verdict", 600)
    page.idle(600)
    take(page, "validation")
    page.click("tab-simulate")
    page.click("simulate-button")
    page.wait(f"{at('picture-twin')}?.naturalWidth > 0", 120)
    take(page, "simulate")
    page.click("tab-export")
    page.text("commands")
    take(page, "export")


def main() -> None:
    command = [sys.executable, "-m", "weakreset", "app", "--no-browser"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        with tempfile.TemporaryDirectory() as folder, browser(Path(folder)) as page:
            page.send("Emulation.setDeviceMetricsOverride", **SIZE)
            page.open(process.stdout.readline().strip())
            road(page)
    finally:
        process.terminate()
        process.wait(30)


if __name__ == "__main__":
    main()
