"""Who may speak to the window. No browser and no framework here: the guard is plain ASGI."""

from __future__ import annotations

import asyncio

import pytest

from weakreset.app import Guard

PORT, TOKEN = 8123, "right-token"
HOST = f"127.0.0.1:{PORT}"


async def application(scope, receive, send):
    """Reads a whole body, and answers with its length."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        return
    size, more = 0, True
    while more:
        message = await receive()
        size, more = size + len(message.get("body", b"")), message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(size).encode()})


def ask(kind="http", query=f"token={TOKEN}", client="127.0.0.1", body=(b"",), most_bytes=1 << 20, **headers):
    """Messages of the answer to one request; headers with _ for -, Host as it should be unless given."""
    given = {"host": HOST} | headers
    scope = {
        "type": kind, "query_string": query.encode(), "client": (client, 5000),
        "headers": [(key.replace("_", "-").encode(), value.encode()) for key, value in given.items()],
    }  # fmt: skip
    sent, waiting = [], list(body)

    async def receive():
        part = waiting.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(waiting)}

    async def send(message):
        sent.append(message)

    asyncio.run(Guard(application, TOKEN, PORT, most_bytes)(scope, receive, send))
    return sent


def status(**request) -> int:
    return ask(**request)[0]["status"]


def test_with_the_token_in_the_address_the_page_comes_and_a_cookie_keeps_it():
    start = ask()[0]
    assert start["status"] == 200
    headers = dict(start["headers"])
    assert headers[b"referrer-policy"] == b"no-referrer"
    cookie = headers[b"set-cookie"].decode()
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert status(query="", cookie=cookie.split(";")[0]) == 200


@pytest.mark.parametrize(
    "request_",
    [
        {"query": ""}, {"query": "token=wrong"}, {"query": "token="}, {"query": "", "cookie": "weakreset-8123=wrong"},
        {"query": "", "cookie": f"weakreset-9999={TOKEN}"}, {"query": "", "cookie": "\x00;;="},
        {"query": "token=%C3%A9"},
    ],
    ids=str,
)  # fmt: skip
def test_without_the_token_nothing_comes(request_):
    assert status(**request_) == 403
    assert ask(kind="websocket", origin=f"http://{HOST}", **request_)[0]["type"] == "websocket.close"


@pytest.mark.parametrize("host", ["evil.example", f"evil.example:{PORT}", "127.0.0.1", "127.0.0.1:1", "", "0.0.0.0:80"])
def test_a_foreign_name_that_points_here_is_refused(host):
    assert status(host=host) == 403


def test_localhost_is_this_machine():
    assert status(host=f"localhost:{PORT}") == 200


def test_other_machines_are_refused():
    assert status(client="192.168.0.7") == 403


@pytest.mark.parametrize("origin", ["http://evil.example", "null", f"https://{HOST}", "http://127.0.0.1:1"])
def test_what_another_page_causes_is_refused(origin):
    assert status(origin=origin) == 403
    assert ask(kind="websocket", origin=origin)[0]["type"] == "websocket.close"


def test_a_websocket_says_where_it_comes_from():
    assert ask(kind="websocket")[0]["type"] == "websocket.close"
    assert ask(kind="websocket", origin=f"http://{HOST}")[0]["type"] == "websocket.accept"


def test_a_body_is_refused_by_its_length_or_while_it_arrives():
    parts = [b"x" * 100_000] * 30
    assert status(content_length="3000000", body=parts) == 413
    assert status(body=parts) == 413
    assert status(body=parts, most_bytes=3 << 20) == 200
    assert status(content_length="nonsense", body=parts) == 413
