"""Validation: does a parameter file reproduce the traces?"""

from __future__ import annotations

from nicegui import ui

from weakreset.app.desk import Desk
from weakreset.app.widgets import (
    assumption,
    button,
    data_table,
    heading,
    mark,
    notes,
    number,
    parameter_choice,
    pictures,
)

__all__ = ["validated", "validation_tab"]


def validation_tab(desk: Desk) -> None:
    """A choice, a button, a verdict."""
    with ui.row().classes("baseline"):
        parameter_choice(desk, "parameter file", "validate-params")
        number(desk, "replicas", "replicas", 1)
        number(desk, "seed", "validate-seed")
        assumption(desk)
        unseen = ui.checkbox("it was fitted to other devices").bind_value(desk.form, "unseen")
        unseen.tooltip("lets the standard errors of its numbers count; slower")
        button(desk, "Validate", "validate-button", desk.run_validate, lambda: bool(desk.recipe.files))
    validated(desk)


@ui.refreshable
def validated(desk: Desk) -> None:
    """Sentence, checks, pictures."""
    verdict = desk.verdict
    if verdict is None:
        return
    kind = "verdict" if verdict["passed"] else "verdict failed"
    mark(ui.label(verdict["sentence"]).classes(kind), "verdict")
    data_table(verdict["columns"], verdict["rows"], "checks")
    notes([f"Not checked: {reason}" for reason in verdict["skipped"]], "soft")
    heading("Pictures")
    pictures(desk, verdict)
