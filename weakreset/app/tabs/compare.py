"""Two parameter files side by side."""

from __future__ import annotations

from nicegui import ui

from weakreset.app.desk import Desk
from weakreset.app.widgets import button, data_table, mark, notes, parameter_choice, pictures

__all__ = ["compare_tab", "compared"]


def compare_tab(desk: Desk) -> None:
    """Two choices, a button, a table of differences."""
    with ui.row().classes("baseline"):
        parameter_choice(desk, "A", "compare-a")
        parameter_choice(desk, "B", "compare-b", first=False)
        button(desk, "Compare", "compare-button", desk.run_compare)
    notes(["Drop a colleague's parameter file on the first tab to have it here."], "soft")
    compared(desk)


@ui.refreshable
def compared(desk: Desk) -> None:
    """Sentence, differences, laws."""
    shown = desk.comparison
    if shown is None:
        return
    mark(ui.label(shown["sentence"]).classes("verdict"), "comparison")
    data_table(shown["columns"], shown["rows"], "differences")
    notes(shown["notes"], "soft")
    pictures(desk, shown)
    ui.link("As a page of its own", f"made/comparison.html?{desk.version}", new_tab=True)
