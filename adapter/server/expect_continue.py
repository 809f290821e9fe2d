"""Requests that wait for `100 Continue` before they send their body (RFC 9110, 10.1.1)."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send


def expect_continue(app: ASGIApp) -> ASGIApp:
    """Return the application for a request that waits for `100 Continue`.

    A response that starts before the body was read closes the connection: the next bytes could be that body
    or another request.
    """

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        body_read = False

        async def receiving() -> Message:
            nonlocal body_read
            body_read = True
            return await receive()

        async def sending(message: Message) -> None:
            if not body_read and message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), (b"connection", b"close")]}
            await send(message)

        await app(scope, receiving, sending)

    return serve
