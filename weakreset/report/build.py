"""Put the parts of the report together: one HTML file, no network."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from weakreset.fitting import FitSet
from weakreset.progress import Progress
from weakreset.report.content import ReportInput
from weakreset.report.device_data import device_lines
from weakreset.report.exclusions import exclusion_table
from weakreset.report.findings import found, trusted
from weakreset.report.pictures import pictures
from weakreset.report.rendering import render
from weakreset.report.splits import split_tables
from weakreset.report.tables import device_table, law_table, noise_rows, training_rows

__all__ = ["build_devices", "build_report"]

_SCRIPTS = ("table.js", "plot.js", "device.js", "map.js", "panel.js")


def build_report(content: ReportInput, progress: Progress | None = None) -> str:
    """One self-contained HTML page: pictures, styles and script inside, nothing loaded from anywhere.

    A content security policy forbids the page to load or run anything that is not in it.

    Parameters
    ----------
    content : ReportInput
    progress : callable, optional
        Called as progress(done, total, what) with the number of pictures that are drawn.

    Returns
    -------
    str
        The page; write it with `weakreset.resources.write_atomically`.
    """
    return _render("report.html", _context(content, progress))


def build_devices(fits: FitSet, title: str) -> str:
    """A page of its own with the map, the table and every device in full; thousands of devices open in a moment.

    The section on devices of `build_report`, without the pictures, which take the time there.
    """
    simulated = fits.traces.simulated
    return _render("devices_page.html", {"title": title, "simulated": simulated, **_devices(fits)})


def _render(template: str, context: dict[str, Any]) -> str:
    from markupsafe import Markup

    # the scripts are ours and fixed, so they may go into the page as they are
    policy = Markup(" ".join(f"'{_policy_hash(render(name))}'" for name in _SCRIPTS))
    return render(template, **context, script_hashes=policy, scripts=_SCRIPTS)


def _policy_hash(script: str) -> str:
    # a content security policy names scripts by their hashes: none that a file brought in can run
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")


def _context(content: ReportInput, progress: Progress | None) -> dict[str, Any]:
    fits = content.fit_set
    traces = content.trace_set
    return {
        "title": content.title,
        "simulated": content.simulated,
        "found": found(content),
        "trusted": trusted(content),
        **_devices(fits),
        "pictures": pictures(content, progress),
        "exclusions": exclusion_table(content),
        "splits": split_tables(fits) if fits is not None else [],
        "noise": noise_rows(content),
        "laws": law_table(content),
        "verdict": content.verdict,
        "training": training_rows(content),
        "provenance": content.params.provenance if content.params is not None else None,
        "sources": traces.sources if traces is not None else (),
        "commands": content.commands,
    }


def _devices(fits: FitSet | None) -> dict[str, Any]:
    if fits is None:
        return {"caveat": "", "method": "", "devices": None, "device_lines": ""}
    lines, table = device_lines(fits), device_table(fits)
    return {"caveat": fits.caveat, "method": fits.method, "devices": table, "device_lines": lines}
