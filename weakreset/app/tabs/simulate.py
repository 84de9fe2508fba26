"""Traces of the model beside those that were given."""

from __future__ import annotations

from nicegui import ui

from weakreset.app.desk import Desk
from weakreset.app.widgets import assumption, button, mark, notes, number, parameter_choice, pictures
from weakreset.model import imperfections

__all__ = ["simulate_tab", "simulated"]


def simulate_tab(desk: Desk) -> None:
    """Choices, a button, two panels."""
    with ui.row().classes("baseline"):
        parameter_choice(desk, "parameter file", "simulate-params")
        number(desk, "devices", "devices", 1)
        number(desk, "pulses", "pulses", 1)
        number(desk, "seed", "simulate-seed")
        assumption(desk)
        switches = [row.name for row in imperfections().values()]
        ui.select(switches, multiple=True, label="without").bind_value(desk.form, "without").classes("field")
        button(desk, "Simulate", "simulate-button", desk.run_simulate)
    simulated(desk)


@ui.refreshable
def simulated(desk: Desk) -> None:
    """Notes, the picture, the file."""
    if desk.twin is None:
        return
    notes(desk.twin["notes"])
    pictures(desk, desk.twin)
    mark(ui.link("Simulated traces (CSV)", f"made/simulated.csv?{desk.version}"), "simulated-csv")
