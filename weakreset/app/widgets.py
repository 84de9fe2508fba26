"""Pieces that several tabs share. Text from files goes into labels and cells only, which show it as text."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from nicegui import background_tasks, ui

from weakreset.app.desk import Desk

__all__ = [
    "assumption", "button", "data_table", "heading", "mark", "notes", "number", "parameter_choice", "pictures", "start",
]


def mark(element: Any, name: str) -> Any:
    """A name for tests and for who writes a style sheet."""
    return element.props(f"data-test={name}")


def start(work: Awaitable[None]) -> None:
    """Let something go on whether or not the page stays open."""
    background_tasks.create(work)  # kept by nicegui: a task that nobody holds may be collected


def heading(text: str) -> None:
    ui.label(text).classes("heading").props("role=heading aria-level=2")


def button(
    desk: Desk, text: str, name: str, work: Callable[[], Awaitable[None]], possible: Callable[[], bool] = lambda: True
) -> None:
    """A button that is off while the bench is at work."""
    made = mark(ui.button(text, on_click=lambda: start(work())).props("no-caps unelevated"), name)
    made.bind_enabled_from(desk, "job", backward=lambda job: job is None and possible())


def number(desk: Desk, label: str, name: str, least: int = 0) -> None:
    """A field for a whole number."""
    box = ui.number(label, min=least, precision=0).bind_value(desk.form, name).classes("field")
    mark(box, name)


def assumption(desk: Desk) -> None:
    """A field for what the traces could not tell."""
    box = ui.input("assume", placeholder="t_star=500,m2=0").bind_value(desk.form, "assume").classes("field")
    mark(box.tooltip("numbers for what is not identifiable in the file"), "assume")


def notes(lines: Sequence[str], kind: str = "note") -> None:
    """A label a line; empty ones are left out."""
    for line in lines:
        if line:
            ui.label(line).classes(kind)


def data_table(columns: Sequence[str], rows: Sequence[Sequence[Any]], name: str, rows_a_page: int = 0) -> None:
    """A table of text; of many rows a page at a time."""
    heads = [
        {"name": str(i), "label": label, "field": str(i), "align": "left", "sortable": True}
        for i, label in enumerate(columns)
    ]
    lines = [{"key": key, **{str(i): cell for i, cell in enumerate(row)}} for key, row in enumerate(rows)]
    table = ui.table(columns=heads, rows=lines, row_key="key", pagination=rows_a_page or 0)
    mark(table.props("flat dense bordered wrap-cells").classes("data"), name)
    if not rows_a_page:
        table.props("hide-pagination")


def pictures(desk: Desk, answer: dict[str, Any]) -> None:
    """Pictures of an answer, each drawn when it is looked at.

    The number in the address is that of the answer: a picture of another answer has the same name.
    """
    with ui.element("div").classes("pictures"):
        for picture in answer["pictures"]:
            with ui.element("figure"):
                shown = ui.element("img").props("loading=lazy")
                shown.props["src"] = f"drawn/{picture['name']}?{answer['number']}"
                shown.props["alt"] = picture["alt"]
                mark(shown, f"picture-{picture['name']}")
                ui.label(picture["caption"]).classes("caption")


@ui.refreshable
def parameter_choice(desk: Desk, label: str, name: str, first: bool = True) -> None:
    """A choice of a parameter file: the fit, uploads, presets."""
    known = desk.parameter_files
    if desk.form[name] not in known:
        desk.form[name] = known[0 if first else -1]
    mark(ui.select(known, value=desk.form[name], label=label).bind_value(desk.form, name).classes("wide"), name)
