"""The page: a line of state above, tabs below."""

from __future__ import annotations

from collections.abc import Callable

from nicegui import ui

from weakreset.app.desk import Desk
from weakreset.app.tabs.compare import compare_tab, compared
from weakreset.app.tabs.export import export_tab
from weakreset.app.tabs.files import files_tab, listed, understood
from weakreset.app.tabs.fit import fit_tab, fitted, outdated
from weakreset.app.tabs.laws import laws_tab
from weakreset.app.tabs.simulate import simulate_tab, simulated
from weakreset.app.tabs.validation import validated, validation_tab
from weakreset.app.widgets import mark, parameter_choice
from weakreset.version import __version__

__all__ = ["build_page", "refresh"]

_REFRESH_S = 0.25
_TABS: dict[str, Callable[[Desk], object]] = {
    "Files": files_tab, "Fit": fit_tab, "Laws and noise": laws_tab, "Validation": validation_tab,
    "Compare": compare_tab, "Simulate": simulate_tab, "Export": export_tab,
}


def refresh(part: str) -> None:
    """Build anew what shows a part of the desk, on every page that is open."""
    parts = {
        "files": (listed, understood, outdated, parameter_choice, export_tab),
        "fit": (fitted, outdated, laws_tab, parameter_choice, export_tab),
        "verdict": (validated, export_tab), "comparison": (compared, export_tab), "twin": (simulated, export_tab),
        "state": (_state,),
    }
    for shown in parts[part]:
        shown.refresh()


def build_page(desk: Desk) -> None:
    """One page of a browser."""
    ui.colors(primary="#0072b2", secondary="#009e73", negative="#d55e00")
    with ui.header().classes("top"):
        ui.label("weakreset").classes("brand").props("role=heading aria-level=1")
        ui.label(f"{__version__}, on this machine only").classes("soft")
        _progress(desk)
    _state(desk)
    with ui.tabs().props("no-caps inline-label align=left") as tabs:
        for name in _TABS:
            mark(ui.tab(name), f"tab-{name.split()[0].lower()}")
    with ui.tab_panels(tabs, value="Files").classes("panels").props("animated=false"):
        for name, build in _TABS.items():
            with ui.tab_panel(name):
                build(desk)


def _progress(desk: Desk) -> None:
    """A bar that follows the job without the page being built anew."""
    with ui.row().classes("job") as row:
        mark(row, "job")
        words = ui.label()
        bar = ui.linear_progress(0, show_value=False).props("instant-feedback color=white").classes("bar")
        stop = mark(ui.button("Cancel", on_click=desk.cancel).props("no-caps outline dense color=white"), "cancel")

    def follow() -> None:
        job = desk.job
        row.set_visibility(job is not None)
        if job is not None:
            stage = f": {job.what}, {job.done} of {job.total}" if job.total > 1 else f": {job.what}" if job.what else ""
            words.set_text(f"{job.title}{stage}{' (stopping)' if job.stopping else ''}")
            bar.set_value(job.share)
            stop.set_enabled(not job.stopping)

    follow()
    ui.timer(_REFRESH_S, follow)


@ui.refreshable
def _state(desk: Desk) -> None:
    if desk.error:
        mark(ui.label(desk.error).classes("bad").props("role=alert"), "error")
    if desk.message:
        mark(ui.label(desk.message).classes("note").props("role=status"), "message")
