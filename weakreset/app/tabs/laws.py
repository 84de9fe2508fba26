"""Laws and noise of the population, and what was excluded."""

from __future__ import annotations

from nicegui import ui

from weakreset.app.desk import Desk
from weakreset.app.widgets import data_table, heading, notes, pictures

__all__ = ["laws_tab"]


@ui.refreshable
def laws_tab(desk: Desk) -> None:
    """Tables and pictures of the fit."""
    fit = desk.fit
    if fit is None:
        notes(["Fit first."], "soft")
        return
    if fit["why_not"]:
        notes([f"No parameter file: {fit['why_not']}"], "bad")
    heading("Device-to-device laws")
    data_table(fit["laws"]["columns"], fit["laws"]["rows"], "laws")
    notes([fit["caveat"]], "bad")
    heading("Noise")
    data_table(("number", "value"), fit["noise"], "noise")
    heading("Pictures")
    pictures(desk, fit)
    if fit["excluded"]["rows"]:
        heading("Excluded, and why")
        data_table(fit["excluded"]["columns"], fit["excluded"]["rows"], "excluded", rows_a_page=50)
        if fit["excluded"]["omitted"]:
            notes([f"{fit['excluded']['omitted']} more are in the table of the export"], "soft")
