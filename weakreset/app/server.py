"""Start and end of the window: the address, the guard, the files that are handed out."""

from __future__ import annotations

import logging
import secrets
import socket
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import quote

from nicegui import Client, app, ui
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response

from weakreset.app import page
from weakreset.app.bench_client import BenchClient, Cancelled, Ended, Refused
from weakreset.app.desk import Desk
from weakreset.app.guard import Guard
from weakreset.app.workshop import Limits, Workshop
from weakreset.errors import UsageError

__all__ = ["serve"]

_LOOPBACK = "127.0.0.1"
_STYLE = Path(__file__).with_name("style.css")


def serve(port: int, limits: Limits, ready: Callable[[str], None]) -> None:
    """Serve the page until this process is told to end; then delete every upload.

    Parameters
    ----------
    port : int
        0 for one that is free.
    limits : Limits
    ready : callable
        Called with the address, token included, when the page can be opened.

    Raises
    ------
    UsageError
        The port is taken.
    """
    chosen = _free_port(port)
    token = secrets.token_urlsafe(24)
    Workshop.sweep()
    workshop = Workshop(limits)
    tempfile.tempdir = str(workshop.arriving)  # a large upload arrives there, not where others could see its name
    try:
        bench = BenchClient(workshop.path)
        desk = Desk(workshop, bench)
        desk.listeners.append(page.refresh)
        desk.downloads.append(_download)
        app.add_middleware(Guard, token=token, port=chosen, most_bytes=limits.file_bytes)
        app.add_route("/made/{name}", _hand_out(workshop))
        app.add_route("/drawn/{name}", _draw(desk))
        app.on_startup(lambda: ready(f"http://{_LOOPBACK}:{chosen}/?token={token}"))

        async def end() -> None:
            logging.getLogger("nicegui").setLevel(logging.CRITICAL)  # it counts the pages that are still open
            await bench.stop()
            workshop.close()  # here, too: uvicorn ends the process by the signal that it got

        app.on_shutdown(end)
        ui.add_css(_STYLE.read_text(), shared=True)

        @ui.page("/", title="weakreset")
        def _page() -> None:
            page.build_page(desk)

        logging.getLogger("nicegui").setLevel(logging.ERROR)  # it warns of every slow moment of the machine
        ui.run(
            host=_LOOPBACK, port=chosen, show=False, reload=False, show_welcome_message=False, tailwind=False,
            dark=None, title="weakreset", reconnect_timeout=30.0, favicon=_STYLE.with_name("icon.svg"),
        )
    finally:
        workshop.close()


def _free_port(port: int) -> int:
    with socket.socket() as probe:
        # a port that was closed a moment ago is free
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_LOOPBACK, port))
        except OSError as error:
            why = f"port {port} cannot be used ({error.strerror})"
            raise UsageError(f"{why}; leave --port out for a free one") from None
        return int(probe.getsockname()[1])


def _download(name: str) -> None:
    """On every page that is open."""
    for client in list(Client.instances.values()):
        if client.has_socket_connection:
            client.download(f"made/{quote(name)}?download", name)


def _draw(desk: Desk) -> Callable[[Request], Awaitable[Response]]:
    """Pictures, drawn when a browser asks for them, which keeps them."""

    async def answer(request: Request) -> Response:
        try:
            file = await desk.draw(request.path_params["name"])
        except (Refused, Cancelled, Ended) as error:
            return PlainTextResponse(str(error) or "cancelled", 404)
        return FileResponse(desk.workshop.made / file, headers={"cache-control": "private, max-age=3600"})

    return answer


def _hand_out(workshop: Workshop) -> Callable[[Request], Response]:
    """Files that the bench made, by name; nothing else of this machine."""

    def answer(request: Request) -> Response:
        name = request.path_params["name"]
        path = workshop.made / name
        if "/" in name or "\\" in name or path.parent != workshop.made or not path.is_file():
            return PlainTextResponse("no such file", 404)
        # an SVG opened by itself could run scripts in the name of this page: it is downloaded
        inline = path.suffix in (".png", ".html") and "download" not in request.query_params
        where = "inline" if inline else "attachment"
        return FileResponse(path, filename=name, content_disposition_type=where, headers={"cache-control": "no-store"})

    return answer
