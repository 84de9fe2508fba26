"""`weakreset app`: the window in the browser."""

from __future__ import annotations

from typing import Annotated

import typer

from weakreset.cli.common import console_for

__all__ = ["app_command"]


def app_command(
    port: Annotated[int, typer.Option(min=0, max=65535, help="port on this machine; 0 takes a free one")] = 0,
    browser: Annotated[bool, typer.Option(help="open the browser, or only print the address")] = True,
    max_mb: Annotated[int, typer.Option(min=1, help="largest file that can be dropped, in MB")] = 200,
) -> None:
    """A window for all of this: drop files, fit, look, export. On this machine only; Ctrl-C ends it."""
    from weakreset.errors import require

    require("nicegui", "app", "windows in the browser")
    from weakreset.app.server import serve
    from weakreset.app.workshop import Limits

    console = console_for(False)

    def ready(address: str) -> None:
        console.print(address, markup=False)
        console.print("The token in the address opens it; Ctrl-C ends it and deletes what was dropped.", markup=False)
        if browser:
            import webbrowser

            webbrowser.open(address)

    limits = Limits(file_bytes=max_mb << 20, all_bytes=max(Limits.all_bytes, 2 * max_mb << 20))
    try:
        serve(port, limits, ready)
    except KeyboardInterrupt:
        console.print("closed; what was dropped is deleted", markup=False)
