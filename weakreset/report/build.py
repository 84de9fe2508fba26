"""Put the parts together: jinja2 with autoescape, one HTML file, no network."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from weakreset.report.content import ReportInput
from weakreset.report.device_data import device_lines
from weakreset.report.findings import found, trusted
from weakreset.report.pictures import pictures
from weakreset.report.tables import device_table, exclusion_table, law_table, noise_rows, training_rows
from weakreset.version import __version__

__all__ = ["build_report"]

_SCRIPTS = ("table.js", "plot.js", "device.js", "map.js", "panel.js")


def build_report(content: ReportInput) -> str:
    """One self-contained HTML page: pictures, styles and script inside, nothing loaded from anywhere.

    A content security policy forbids the page to load or run anything that is not in it.

    Parameters
    ----------
    content : ReportInput

    Returns
    -------
    str
        The page; write it with `weakreset.resources.write_atomically`.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    loader = PackageLoader("weakreset.report")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    # the scripts are ours and fixed, so they may go into the page as they are
    hashes = [_policy_hash(environment.get_template(name).render()) for name in _SCRIPTS]
    policy = Markup(" ".join(f"'{item}'" for item in hashes))
    return environment.get_template("report.html").render(**_context(content), script_hashes=policy, scripts=_SCRIPTS)


def _policy_hash(script: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")


def _context(content: ReportInput) -> dict[str, Any]:
    fits = content.fit_set
    traces = content.trace_set
    return {
        "title": content.title,
        "simulated": content.simulated,
        "version": __version__,
        "found": found(content),
        "trusted": trusted(content),
        "caveat": fits.caveat if fits is not None else "",
        "method": fits.method if fits is not None else "",
        "pictures": pictures(content),
        "devices": device_table(fits) if fits is not None else None,
        "device_lines": device_lines(fits) if fits is not None else "",
        "exclusions": exclusion_table(content),
        "noise": noise_rows(content),
        "laws": law_table(content),
        "verdict": content.verdict,
        "training": training_rows(content),
        "provenance": content.params.provenance if content.params is not None else None,
        "sources": traces.sources if traces is not None else (),
        "commands": content.commands,
    }
