"""Requests that wait for `100 Continue` before their body (RFC 9110, 10.1.1)."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send


def expecting(app: ASGIApp) -> ASGIApp:
    """Return the application for a request that waits to be told to go on.

    An answer that comes before the body was asked for is the connection's last: nobody can tell whether what
    follows is that body, or the next request.
    """

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        asked = False

        async def receiving() -> Message:
            nonlocal asked
            asked = True
            return await receive()

        async def sending(message: Message) -> None:
            if not asked and message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), (b"connection", b"close")]}
            await send(message)

        await app(scope, receiving, sending)

    return serve
