"""Senders that repeat each message until it is acknowledged."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from datetime import UTC, datetime
from typing import Any, NamedTuple

#: Seconds from an acknowledgement to a sender's next message, and before a message is sent once more. Without
#: a pause the senders take the processor from the servers that they test.
PAUSE = 0.02
#: Messages that are sent at least, however slow the machine is: with these the cap of the rules is passed.
LEAST = 400


class Answer(NamedTuple):
    """An HTTP response; names of headers are in small letters."""

    status: int
    headers: dict[str, str]
    body: bytes


class Load:
    """Senders that remember what was acknowledged, and with which codes.

    `turned_away` counts the 503s, `longest` is how many seconds the slowest answer took.
    Every request goes to the next of the urls, on a connection of its own, so that each may reach another
    process. Each shopper sends four messages, which may be on their way at once.
    """

    def __init__(self, *urls: str, senders: int = 16) -> None:
        self._ports = itertools.cycle([int(url.rsplit(":", 1)[1]) for url in urls])
        self.acknowledged: dict[str, list[str]] = {}
        self.turned_away = 0
        self.longest = 0.0
        self.stopping = False
        self._senders = senders
        self._sent = 0

    @property
    def customers(self) -> int:
        """How many shoppers have sent something."""
        return -(-self._sent // 4)

    async def run(self) -> None:
        """Send until `stopping`, and `LEAST` at least, and then until what was sent is acknowledged."""
        await asyncio.gather(*(self._sender() for _ in range(self._senders)))

    async def _sender(self) -> None:
        while not self.stopping or self._sent < LEAST:
            self._sent += 1
            await self._deliver(self._message(self._sent))
            await asyncio.sleep(PAUSE)

    async def _deliver(self, message: dict[str, Any]) -> None:
        body = json.dumps(message).encode()
        while (answer := await self._ask(body)) is None or answer.status != 200:
            if answer is not None:
                assert answer.status == 503, answer.body
                assert int(answer.headers["retry-after"]) >= 1
                self.turned_away += 1
            await asyncio.sleep(PAUSE)
        [result] = json.loads(answer.body)["results"]
        codes = [each["code"] for each in result.get("discounts", [])]
        self.acknowledged[message["messageId"]] = codes

    async def _ask(self, body: bytes) -> Answer | None:
        """Return the answer, or None where the connection broke."""
        asked = time.monotonic()
        try:
            async with asyncio.timeout(30):
                answer = await post(next(self._ports), "/webhooks/segment", body)
        except (OSError, EOFError):
            return None
        self.longest = max(self.longest, time.monotonic() - asked)
        return answer

    def _message(self, number: int) -> dict[str, Any]:
        return {
            "type": "track",
            "event": "Checkout Started",
            "messageId": f"m{number}",
            "userId": f"shopper-{(number - 1) // 4}",
            "timestamp": datetime.now(UTC).isoformat(),
            "properties": {"value": 150, "currency": "USD"},
        }


async def post(port: int, path: str, body: bytes) -> Answer:
    """Send a request on a connection of its own. Raises OSError or EOFError where that breaks."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        head = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n"
        writer.write(
            f"{head}content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body
        )
        start, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().rstrip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        return Answer(
            int(start.split(" ")[1]), headers, await reader.readexactly(int(headers["content-length"]))
        )
    finally:
        writer.close()
