"""How long a click takes in the window with 5,000 devices, in headless Chromium.

    python benchmarks/app_response.py [DEVICES]

Traces are simulated, 100 pulses a device. A click on a device is timed inside the page, from the click to the next
frame that the browser has drawn; a click on a tab or a button from the click until its content is there.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.app.chromium import Page, at, browser
from weakreset.traces import write_hdf5
from weakreset.twin import simulate_traces

ROWS = "document.querySelectorAll('table.devices tbody tr')"
TIMED = """new Promise((done) => {{ const begin = performance.now(); {action};
  requestAnimationFrame(() => setTimeout(() => done((performance.now() - begin) / 1000))); }})"""


def timed(page: Page, action: str, frame: str | None = None) -> float:
    return float(page.run(TIMED.format(action=action), frame))


def until(page: Page, script: str, seconds: float = 60.0) -> float:
    begin = time.perf_counter()
    page.wait(script, seconds)
    return time.perf_counter() - begin


def devices(page: Page, n_devices: int) -> dict[str, float]:
    frame = page.frame("devices.html")
    page.wait(f"{ROWS}.length === {n_devices}", 60, frame)
    page.run(f"void {at('devices')}.scrollIntoView()")  # what is out of sight is not drawn
    page.run("void document.querySelector('table.devices').scrollIntoView()", frame)
    time.sleep(1)
    plot = "document.getElementById('map-plot').getBoundingClientRect()"
    click = f"new MouseEvent('click', {{ clientX: {plot}.x + 300, clientY: {plot}.y + 150, bubbles: true }})"
    axis, change = "document.getElementById('map-x')", "new Event('change')"
    box = "document.getElementById('device-filter')"
    return {
        "a row of the table": max(timed(page, f"{ROWS}[{i}].click()", frame) for i in (3, 70, 140)),
        "next device": timed(page, "document.getElementById('device-next').click()", frame),
        "a point of the map": timed(page, f"document.getElementById('map-plot').dispatchEvent({click})", frame),
        "sorting a column": timed(page, "document.querySelectorAll('th button')[3].click()", frame),
        "sorting it the other way": timed(page, "document.querySelectorAll('th button')[3].click()", frame),
        "showing more rows": timed(page, "document.querySelector('#device-more button').click()", frame),
        "another axis of the map": timed(page, f"{axis}.selectedIndex = 2; {axis}.dispatchEvent({change})", frame),
        "finding a name": timed(page, f"{box}.value = '4321'; {box}.dispatchEvent(new Event('input'))", frame),
    }


def tabs(page: Page, fitted: bool) -> dict[str, float]:
    shown = {**({"laws": "laws"} if fitted else {}), "validation": "validate-button",
             "compare": "compare-button", "export": "commands", "files": "lot-sentence", "fit": "fit-button"}
    found = {}
    for tab, content in shown.items():
        page.run(f"{at('tab-' + tab)}.click()")
        found[f"tab {tab}"] = until(page, f"{at(content)} !== null && {at(content)}.offsetParent !== null")
    return found


def main(n_devices: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        traces = simulate_traces("majumdar2021", n_devices, 100, seed=1)
        path = write_hdf5(traces, Path(folder) / "many.h5")
        command = [sys.executable, "-m", "weakreset", "app", "--no-browser"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            with browser(Path(folder)) as page:
                page.open(process.stdout.readline().strip())
                page.drop([path])
                page.text("lot-sentence", 120)
                page.idle()
                page.click("tab-fit")
                page.click("fit-button")
                begin = time.perf_counter()
                page.wait(f"{at('cancel')}.offsetParent !== null")
                busy = {f"while it fits: {name}": value for name, value in tabs(page, False).items()}
                page.text("fit-counted", 3600)
                print(f"fit of {n_devices} devices: {time.perf_counter() - begin:.0f} s")
                found = busy | devices(page, n_devices) | tabs(page, True)
                print("\n".join(f"{name:40s} {value:6.2f} s" for name, value in found.items()))
                print(f"slowest: {max(found.values()):.2f} s; console: {page.console or 'silent'}")
        finally:
            process.terminate()
            process.wait(30)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5000)
