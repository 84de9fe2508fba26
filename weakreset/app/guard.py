"""Who may speak to the page: browsers of this machine that know the token, and no page from elsewhere."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

__all__ = ["Guard"]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_LOOPBACK = ("127.0.0.1", "::1")
_ENVELOPE_BYTES = 64 << 10  # names and borders of a form around a file
_HEADERS = (
    (b"referrer-policy", b"no-referrer"),  # the address holds the token
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"SAMEORIGIN"),
)


class _TooLarge(Exception):
    """A body that goes on beyond the limit."""


class Guard:
    """ASGI middleware in front of everything, websockets included.

    - Only from this machine, and only under a loopback name: a foreign name that was made to point here (DNS
      rebinding) is refused by its Host header.
    - Only with the token: in the address at first, in a cookie of this port afterwards.
    - A request that a page caused says its origin; it must be ours. A websocket without one is refused.
    - A body that is larger than `most_bytes` is refused, by its length or while it arrives.

    Parameters
    ----------
    app : ASGI application
    token : str
    port : int
    most_bytes : int
        Of one file.
    """

    def __init__(self, app: Callable[..., Awaitable[None]], token: str, port: int, most_bytes: int) -> None:
        self.app, self.token = app, token
        self.hosts = tuple(f"{name}:{port}" for name in ("127.0.0.1", "localhost"))
        self.cookie = f"weakreset-{port}"
        self.most_bytes = most_bytes + _ENVELOPE_BYTES

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in scope["headers"]}
        why = self._refusal(scope, headers)
        if why:
            await _refuse(scope, send, 403, why)
        elif _length(headers) > self.most_bytes:
            await _refuse(scope, send, 413, "the file is larger than this window takes")
        else:
            await self._pass_on(scope, receive, send)

    def _refusal(self, scope: Scope, headers: MutableMapping[str, str]) -> str:
        """Why a request is not answered; '' where it is."""
        client, host, origin = scope.get("client"), headers.get("host", ""), headers.get("origin", "")
        if client is not None and client[0] not in _LOOPBACK:
            return "this window serves this machine only"
        if host not in self.hosts:  # DNS rebinding: a foreign name that points here has its own Host
            return f"this window answers to {self.hosts[0]} only"
        if (origin or scope["type"] == "websocket") and origin != f"http://{host}":
            return "the request comes from another page"
        given = (_token_of(scope), self._cookie_of(headers))
        # in constant time: how long a refusal takes tells nothing of the token
        if not any(secrets.compare_digest(item.encode(), self.token.encode()) for item in given):
            return "the address lacks its token: use the one that `weakreset app` printed"
        return ""

    def _cookie_of(self, headers: MutableMapping[str, str]) -> str:
        try:
            found = SimpleCookie(headers.get("cookie", "")).get(self.cookie)
        except CookieError:
            return ""
        return "" if found is None else found.value

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        taken, answering = 0, False

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            # a length in the header may be missing, or a lie: counted as it comes
            taken += len(message.get("body", b"")) if message["type"] == "http.request" else 0
            if taken > self.most_bytes:
                raise _TooLarge
            return message

        async def with_headers(message: Message) -> None:
            nonlocal answering
            if message["type"] == "http.response.start":
                answering = True
                more = [*_HEADERS, (b"set-cookie", self._keep())] if _token_of(scope) else list(_HEADERS)
                message["headers"] = [*message.get("headers", []), *more]
            await send(message)

        try:
            await self.app(scope, counted, with_headers)
        except _TooLarge:
            if not answering:
                await _refuse(scope, send, 413, "the file is larger than this window takes")

    def _keep(self) -> bytes:
        # HttpOnly: no script reads it; Strict: no other site sends it
        return f"{self.cookie}={self.token}; Path=/; HttpOnly; SameSite=Strict".encode()


def _token_of(scope: Scope) -> str:
    query: bytes = scope.get("query_string", b"")
    return parse_qs(query.decode("latin-1")).get("token", [""])[0]


def _length(headers: MutableMapping[str, str]) -> int:
    text = headers.get("content-length", "0")
    return int(text) if text.isascii() and text.isdigit() else 0


async def _refuse(scope: Scope, send: Send, status: int, why: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": why})  # before it is accepted: 403
        return
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close"), *_HEADERS]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": f"weakreset: {why}\n".encode()})
