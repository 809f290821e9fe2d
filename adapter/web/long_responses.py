"""Long responses: the bytes that slow readers have not read yet are limited for all of them together."""

from __future__ import annotations

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from adapter.web.admission import LARGE, MemoryBudget

#: Bytes sent at a time; the next ones are sent once the client has read most of them.
_CHUNK = 65_536


class BudgetedResponse(Response):
    """A JSON response; a long one reserves its size in a budget until the client has read it."""

    def __init__(self, body: bytes, budget: MemoryBudget) -> None:
        """Raise Unavailable where the budget is used up."""
        super().__init__(body, media_type="application/json")
        self._budget = budget
        self._reserved = len(body) if len(body) >= LARGE else 0
        budget.reserve(self._reserved)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response, a long one in chunks."""
        try:
            if not self._reserved:
                await super().__call__(scope, receive, send)
                return
            await send(
                {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
            )
            body = memoryview(self.body)
            for start in range(0, len(body), _CHUNK):
                more = start + _CHUNK < len(body)
                chunk = bytes(body[start : start + _CHUNK])
                await send({"type": "http.response.body", "body": chunk, "more_body": more})
        finally:
            self._budget.release(self._reserved)
