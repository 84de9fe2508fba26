"""What can be taken away: files, pictures for a paper, and how to do it all again without this window."""

from __future__ import annotations

from functools import partial

from nicegui import ui

from weakreset.app.desk import Desk
from weakreset.app.exports import EXPORTS
from weakreset.app.widgets import button, heading, mark, notes

__all__ = ["export_tab"]


@ui.refreshable
def export_tab(desk: Desk) -> None:
    """Buttons for files, choices for pictures, the commands to copy."""
    if desk.fit is None:
        notes(["Fit first."], "soft")
    else:
        _files(desk, bool(desk.fit["parameter_file"]))
    _pictures(desk)
    if desk.story.files:
        heading("The same from a terminal, in the folder of the files")
        mark(ui.label("\n".join(desk.story.commands())).classes("commands"), "commands")


def _files(desk: Desk, laws: bool) -> None:
    heading("Files")
    with ui.row():
        for name, export in EXPORTS.items():
            if laws or not export.needs_laws:
                button(desk, export.label, f"export-{name}", partial(desk.run_export, name))


def _pictures(desk: Desk) -> None:
    answers = (desk.fit, desk.verdict, desk.comparison, desk.twin)
    known = {item["name"]: item["alt"] for answer in answers if answer for item in answer["pictures"]}
    if not known:
        return
    heading("Pictures for a paper")
    with ui.row().classes("baseline"):
        name = mark(ui.select(known, value=next(iter(known)), label="picture").classes("wide"), "picture-name")
        kind = mark(ui.select(["pdf", "svg", "png"], value="pdf", label="as").classes("field"), "picture-kind")
        widths = {"single": "one column (89 mm)", "double": "two columns (183 mm)"}
        width = ui.select(widths, value="single", label="width").classes("wide")

        async def draw() -> None:
            await desk.run_picture(name.value, kind.value, width.value)

        button(desk, "Draw", "picture-button", draw)
