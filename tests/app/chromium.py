"""A headless Chromium that a test can click in, through its debugging protocol."""

from __future__ import annotations

import base64
import itertools
import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((path for name in NAMES if (path := shutil.which(name))), None)
QUIET = [
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--remote-debugging-port=0",
    "--window-size=1400,1000",
    "--disable-features=IsolateSandboxedIframes",  # in the same process, where one line reaches them
]


class Page:
    """One page: what it says on its console is kept in `console`."""

    def __init__(self, line: Any, downloads: Path) -> None:
        self.line, self.downloads = line, downloads
        self.numbers = itertools.count(1)
        self.console: list[str] = []
        self.contexts: dict[str, int] = {}
        for domain in ("Page", "Runtime", "Log", "DOM", "Network"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self.numbers)
        self.line.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            said = json.loads(self.line.recv(timeout=60))
            if said.get("id") == number:
                assert "error" not in said, f"{method}: {said.get('error')}"
                return said["result"]
            self.heard(said)

    def heard(self, said: dict[str, Any]) -> None:
        method, content = said.get("method", ""), said.get("params", {})
        if method == "Runtime.consoleAPICalled" and content["type"] in ("error", "warning", "assert"):
            self.console.append(" ".join(str(item.get("value", item)) for item in content["args"]))
        elif method == "Runtime.exceptionThrown":
            self.console.append(json.dumps(content["exceptionDetails"])[:500])
        elif method == "Log.entryAdded" and content["entry"]["level"] in ("error", "warning"):
            self.console.append(f"{content['entry']['text']} {content['entry'].get('url', '')}")
        elif method == "Runtime.executionContextCreated":
            context = content["context"]
            self.contexts[context.get("auxData", {}).get("frameId", "")] = context["id"]

    def open(self, address: str) -> None:
        self.send("Page.navigate", url=address)

    def run(self, script: str, frame: str | None = None) -> Any:
        """The value of a script in the page, or in a frame of it by its number."""
        where = {} if frame is None else {"contextId": self.contexts[frame]}
        said = self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True, **where)
        assert "exceptionDetails" not in said, f"{script}: {said['exceptionDetails']}"
        return said["result"].get("value")

    def frame(self, part: str) -> str:
        """The frame whose address holds `part`, when it is loaded."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            tree = self.send("Page.getFrameTree")["frameTree"]
            for child in tree.get("childFrames", ()):
                number = child["frame"]["id"]
                if part in child["frame"]["url"] and number in self.contexts:
                    return number
            time.sleep(0.05)
        raise AssertionError(f"no frame {part}")

    def wait(self, script: str, seconds: float = 60.0, frame: str | None = None) -> Any:
        """The value of a script when it is true at last."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if value := self.run(script, frame):
                return value
            time.sleep(0.04)
        raise AssertionError(f"not within {seconds} s: {script}\n{self.run('document.body.innerText')}")

    def click(self, name: str) -> None:
        """A press on what has the name, when it is there and not switched off."""
        self.wait(f"(() => {{ const e = {at(name)}; return e && !e.disabled && e.offsetParent !== null; }})()")
        self.run(f"{at(name)}.click()")

    def text(self, name: str, seconds: float = 60.0) -> str:
        return str(self.wait(f"{at(name)}?.innerText", seconds))

    def idle(self, seconds: float = 60.0) -> None:
        """Wait until the bench has nothing to do."""
        self.wait(f"{at('job')} && {at('job')}.offsetParent === null", seconds)

    def fill(self, name: str, value: str) -> None:
        """Type into a field."""
        self.wait(f"!!{at(name)}")
        self.run(
            f"(() => {{ const e = {at(name)}; const box = e.matches('input') ? e : e.querySelector('input');"
            f"box.focus(); box.select(); document.execCommand('insertText', false, {json.dumps(value)});"
            "box.dispatchEvent(new Event('change', {bubbles: true})); box.blur(); })()"
        )

    def choose(self, name: str, label: str) -> None:
        """Pick from a list, as a person does: open it, press the line."""
        self.wait(f"!!{at(name)}")
        self.run(f"void {at(name)}.scrollIntoView({{block: 'center'}})")
        place = self.run(f"{at(name)}.getBoundingClientRect().toJSON()")
        where = {"x": place["x"] + place["width"] / 2, "y": place["y"] + place["height"] / 2}
        for kind in ("mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **where)
        lines = "[...document.querySelectorAll('.q-menu .q-item')]"
        picked = f"{lines}.find((line) => line.innerText.trim() === {json.dumps(label)})"
        self.wait(f"!!({picked})")
        self.run(f"{picked}.click()")
        self.wait("!document.querySelector('.q-menu')")

    def drop(self, files: list[Path]) -> None:
        """Files into the field of the upload, as the file chooser gives them."""
        self.wait("!!document.querySelector('.q-uploader input[type=file]')")
        root = self.send("DOM.getDocument")["root"]["nodeId"]
        node = self.send("DOM.querySelector", nodeId=root, selector=".q-uploader input[type=file]")["nodeId"]
        self.send("DOM.setFileInputFiles", nodeId=node, files=[str(path) for path in files])

    def downloaded(self, name: str, seconds: float = 60.0) -> Path:
        """A file that the page handed out, when it is whole."""
        end = time.monotonic() + seconds
        while not (self.downloads / name).exists():
            found = [path.name for path in self.downloads.iterdir()]
            assert time.monotonic() < end, f"{name} was not downloaded, but {found}\n{self.text('tab-export')}"
            self.run("1")  # hears what the page has to say
            time.sleep(0.05)
        return self.downloads / name

    def picture(self, path: Path, whole: bool = False) -> None:
        data = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"]
        path.write_bytes(base64.b64decode(data))


def at(name: str) -> str:
    """What the page calls `data-test=name`; of a Quasar field the part that takes clicks."""
    return f"document.querySelector('[data-test=\"{name}\"]')"


@contextmanager
def browser(folder: Path) -> Iterator[Page]:
    """Chromium with one empty page; what it downloads goes to `folder`/downloads."""
    from websockets.sync.client import connect

    downloads = folder / "downloads"
    downloads.mkdir(exist_ok=True)
    command = [str(CHROMIUM), *QUIET, f"--user-data-dir={folder / 'profile'}", "about:blank"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        found = None
        while found is None:
            line = process.stderr.readline()
            assert line, "Chromium did not start"
            found = re.search(r"DevTools listening on (ws://([^/]+)/\S+)", line)
        with urlopen(f"http://{found[2]}/json/list", timeout=10) as answer:
            pages = json.load(answer)
        address = next(item["webSocketDebuggerUrl"] for item in pages if item["type"] == "page")
        with connect(address, max_size=None) as line:
            page = Page(line, downloads)
            page.send("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(downloads))
            yield page
    finally:
        process.terminate()
        process.communicate(timeout=20)
