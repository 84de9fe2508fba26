"""Fit: press, watch, cancel; then every device on a map, in a table, and in full."""

from __future__ import annotations

from nicegui import ui

from weakreset.app.desk import Desk
from weakreset.app.widgets import button, data_table, heading, mark, notes
from weakreset.model import SHAPES

__all__ = ["fit_tab", "fitted", "outdated"]


def fit_tab(desk: Desk) -> None:
    """Options and button, then what was fitted."""
    form = desk.form
    with ui.row().classes("baseline"):
        mark(ui.input("name of the technology").bind_value(form, "name").classes("field"), "name")
        mark(ui.select([*SHAPES, "auto"], label="drift").bind_value(form, "drift").classes("field"), "drift")
        ways = {"auto": "as most devices do", "reset": "R rises (RESET)", "set": "R falls (SET)"}
        ui.select(ways, label="direction").bind_value(form, "direction").classes("field")
        ui.checkbox("look for telegraph steps").bind_value(form, "rtn")
        ui.checkbox("fit pulses of different amplitude together").bind_value(form, "mixed")
        button(desk, "Fit", "fit-button", desk.run_fit, lambda: bool(desk.recipe.files))
    outdated(desk)
    fitted(desk)


@ui.refreshable
def outdated(desk: Desk) -> None:
    """A word on a fit that is of other files than those on the page."""
    if not desk.recipe.files:
        notes(["Drop trace files on the first tab."], "soft")
    elif desk.outdated:
        notes(["The files, or how they are read, changed since this fit: fit again to see what that makes."], "bad")


@ui.refreshable
def fitted(desk: Desk) -> None:
    """Counts and the devices; built anew for a new fit only, so that the device that is looked at stays."""
    fit = desk.fit
    if fit is None:
        return
    mark(ui.label(f"{fit['counted']}; {fit['method']}").classes("soft"), "fit-counted")
    notes([fit["caveat"]], "bad")
    data_table(("status", "how many", "what it means"), fit["statuses"], "statuses")
    notes(fit["notes"], "soft")
    heading("Devices")
    # a page of its own behind a frame that lets its scripts reach nothing: the one of the report, so that a device
    # shows the same numbers there; map, table and drawings are made by the browser, also while the bench is busy
    frame = ui.element("iframe").props('sandbox="allow-scripts" title="Devices"').classes("devices")
    frame.props["src"] = f"made/devices.html?{fit['number']}"
    mark(frame, "devices")
