"""Files: drop them, see what was understood, put it right by clicking."""

from __future__ import annotations

from typing import Any

from nicegui import events, ui

from weakreset.app.desk import Desk
from weakreset.app.widgets import data_table, heading, mark, notes, start
from weakreset.errors import WeakResetError
from weakreset.traces.column_map import ROLES

__all__ = ["files_tab", "listed", "understood"]

_UNITS = {
    "resistance": ("ohm", "kohm", "Mohm"), "conductance": ("S", "mS", "uS", "nS"), "current": ("A", "mA", "uA", "nA"),
    "read_voltage": ("V", "mV"),
}
_PROBLEMS_SHOWN = 20
_SHOWN: dict[str, int] = {"file": 0}


def files_tab(desk: Desk) -> None:
    """Upload on the left, what came of it below."""
    _upload(desk)
    listed(desk)
    understood(desk)


def _upload(desk: Desk) -> None:
    limits = desk.workshop.limits

    async def taken(event: events.UploadEventArguments) -> None:
        try:
            place = desk.workshop.place_for(event.file.name, event.file.size())
            await event.file.save(place)
        except WeakResetError as error:
            desk.refuse(error)
            return
        start(desk.take_files())

    def rejected() -> None:
        most = f"{limits.file_bytes >> 20} MB each and {limits.n_files} files"
        desk.refuse(f"a file was not taken: {most} are the limits. Larger ones: `weakreset fit`, or --max-mb")

    box = ui.upload(
        label="Drop trace files or parameter files here, or press +", multiple=True, auto_upload=True,
        max_file_size=limits.file_bytes, max_files=limits.n_files, on_upload=taken, on_rejected=rejected,
    )
    mark(box.props("flat bordered").classes("upload"), "upload")


@ui.refreshable
def listed(desk: Desk) -> None:
    """The uploads, each with a way to remove it."""
    names = desk.workshop.names()
    if not names:
        notes(["Nothing leaves this machine; what you drop is deleted when the window is closed."], "soft")
        return

    async def remove(name: str) -> None:
        desk.workshop.remove(name)
        await desk.take_files()

    with ui.row().classes("chips"):
        for name in names:
            chip = ui.chip(name, removable=True, icon="description").props("outline square")
            chip.on_value_change(lambda _, name=name: start(remove(name)))


@ui.refreshable
def understood(desk: Desk) -> None:
    """What the files are taken for."""
    found = desk.inspection
    if found is None:
        return
    heading("What was understood")
    if found["sentence"]:
        mark(ui.label(found["sentence"]).classes("verdict"), "lot-sentence")
    with mark(ui.column().classes("problems"), "problem"):
        notes([found["problem"], *(item["problem"] for item in found["files"][:_PROBLEMS_SHOWN])], "bad")
    notes(found["notes"])
    _reading(desk)
    files = found["files"]
    _SHOWN["file"] = min(_SHOWN["file"], len(files) - 1)
    if len(files) > 1:
        names = {number: item["path"] for number, item in enumerate(files)}
        ui.select(names, value=_SHOWN["file"], label="file", on_change=lambda e: _look_at(e.value)).classes("wide")
    _detail(desk, files[_SHOWN["file"]])


def _look_at(number: int) -> None:
    _SHOWN["file"] = number
    understood.refresh()


def _reading(desk: Desk) -> None:
    """How files are read: the same words as on the command line."""
    recipe = desk.recipe
    shown = f"--map {recipe.column_map}" if recipe.column_map else "none: everything as guessed"
    with ui.row().classes("baseline"):
        ui.label("Map:")
        mark(ui.label(shown).classes("code"), "map-line")
        if recipe.column_map:
            ui.button("as guessed", on_click=lambda: start(desk.choose(column_map=""))).props("flat no-caps dense")
    with ui.expansion("Read it otherwise: map, selection, limits, pulses").classes("wide"), ui.row():
        fields = {
            "column_map": ("--map", "device=0,pulse=1,resistance=2[kohm]"),
            "where": ("--where", "v_sl==0.9 and cycle<3"),
            "limits": ("--limits", "open_ohm=1e8,min_reads=20"), "pulses": ("--pulses", "0:400"),
            "format": ("--format", "smu-csv"),
        }
        boxes = {
            key: mark(ui.input(label, value=getattr(recipe, key), placeholder=example).classes("field"), f"read-{key}")
            for key, (label, example) in fields.items()
        }
        skip = ui.number("--skip (lines)", value=recipe.skip, min=0, precision=0).classes("field")
        voltage = ui.number("--read-voltage (V)", value=recipe.read_voltage_v).classes("field")

        def apply() -> None:
            given = {key: (box.value or "").strip() for key, box in boxes.items()}
            start(desk.choose(**given, skip=int(skip.value or 0), read_voltage_v=voltage.value or None))

        mark(ui.button("Read again", on_click=apply).props("no-caps unelevated"), "read-again")


def _detail(desk: Desk, item: dict[str, Any]) -> None:
    simulated = " (simulated)" if item["simulated"] else ""
    ui.label(f"{item['path']}{simulated}: {item['format']}; {item['why']}; {item['layout']}").classes("strong")
    _columns(desk, item)
    if item["problem"]:
        return
    names = ", ".join(item["devices"][:6]) + (", ..." if item["n_devices"] > 6 else "")
    parts = [f"{item['n_devices']} devices to use ({names})", f"{item['n_reads']} reads"]
    if item["pulse_range"]:
        parts.append(f"pulses {item['pulse_range'][0]} to {item['pulse_range'][1]}")
    if item["resistance_range_ohm"]:
        parts.append("{:.4g} to {:.4g} ohm".format(*item["resistance_range_ohm"]))
    ui.label("; ".join(parts))
    ui.label(f"ln R of {item['typical_device']}: {item['sparkline']}").classes("code")
    notes([f"pulses counted by {item['counted_by']}", *item["notes"]], "soft")
    for column, counts in item["pulse_settings"].items():
        notes([f"pulse setting {column}: {', '.join(f'{value} ({reads} reads)' for value, reads in counts.items())}"])
    if item["excluded"]:
        heading("Excluded")
        data_table(("reason", "how many"), item["excluded"], "left-out")
        notes(item["examples"], "soft")


def _columns(desk: Desk, item: dict[str, Any]) -> None:
    """A row a run of alike columns; its role and its unit are choices."""
    file = _SHOWN["file"]
    with mark(ui.element("table").classes("columns"), "columns"):
        with ui.element("tr"):
            for text in ("column", "name", "taken for", "unit", "sure", "why"):
                with ui.element("th"):
                    ui.label(text)
        for run in item["runs"]:
            _run(desk, file, run)
    if item["n_runs"] > len(item["runs"]):
        more = item["n_runs"] - len(item["runs"])
        notes([f"{more} more runs of columns are not shown: name them in the map"], "soft")


def _run(desk: Desk, file: int, run: dict[str, Any]) -> None:
    first, last = run["columns"][0], run["columns"][-1]
    several = f"{first} to {last}" if last != first else str(first)
    name = f"{run['name'] or '(none)'}" + (f" to {run['last'] or '(none)'}" if last != first else "")
    roles = list(ROLES) if run["role"] in ROLES else [run["role"], *ROLES]
    units = ["", *_UNITS.get(run["role"], ())]
    units += [run["unit"]] if run["unit"] not in units else []

    def take(role: str, unit: str) -> None:
        start(desk.take_column_for(file, run["columns"], role, unit))

    with ui.element("tr"):
        for text in (several, name):
            with ui.element("td"):
                ui.label(text)
        with ui.element("td"):
            box = ui.select(roles, value=run["role"], on_change=lambda e: take(e.value, "")).props("dense borderless")
            mark(box, f"role-{first}")
        with ui.element("td"):
            if len(units) > 1:
                box = ui.select(units, value=run["unit"], on_change=lambda e: take(run["role"], e.value))
                mark(box.props("dense borderless"), f"unit-{first}")
        for text in (f"{run['sure']} %", run["why"]):
            with ui.element("td"):
                ui.label(text)
