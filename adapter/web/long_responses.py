"""Answers that are long: what slow readers have not taken yet is bounded for all of them together."""

from __future__ import annotations

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from adapter.web.admission import LARGE, Room

#: Bytes that are sent at a time; the next ones wait until the reader has taken most of them.
_PIECE = 65_536


class Answering(Response):
    """A JSON answer; a long one holds `room` until its reader has taken it."""

    def __init__(self, body: bytes, room: Room) -> None:
        """Raise Unavailable when there is no room."""
        super().__init__(body, media_type="application/json")
        self._room = room
        self._held = len(body) if len(body) >= LARGE else 0
        room.take(self._held)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, a long one piece by piece."""
        try:
            if not self._held:
                await super().__call__(scope, receive, send)
                return
            await send(
                {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
            )
            body = memoryview(self.body)
            for start in range(0, len(body), _PIECE):
                more = start + _PIECE < len(body)
                piece = bytes(body[start : start + _PIECE])
                await send({"type": "http.response.body", "body": piece, "more_body": more})
        finally:
            self._room.give(self._held)
