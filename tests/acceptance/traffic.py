"""A shop's traffic, a second of it at a time: some twenty messages of both sources, and what else comes by.

Every message has an id of its own; every third batch is sent once more. What is sent is always the same.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

import msgspec

SEGMENT, MPARTICLE = "/webhooks/segment", "/webhooks/mparticle"
#: Names of Segment's events by turn; each batch has one checkout, in which a discount may be earned.
_EVENTS = ("Product Viewed", "Product Viewed", "Product Added", "Cart Viewed", "Checkout Started",
           "Order Completed", "Product Viewed", "Some Event Of Ours")  # fmt: skip
_PRODUCT = {"product_id": "p1", "sku": "TEE-001", "name": "Organic tee", "price": 50.0, "quantity": 1}
_BAD = (
    b"<event/>",
    b'{"type": "track", "event',
    b'[{"type": "track"}]',
    b"[" * 2_000,
    b'{"type": "heartbeat"}',
)


class Line:
    """One connection that is kept, spoken to as HTTP/1.1; a hundred times cheaper than a client's."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()
        await self._writer.wait_closed()

    async def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        """Return the answer's status and body."""
        head = f"{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: {len(body)}\r\n\r\n"
        self._writer.write(head.encode() + body)
        lines = (await self._reader.readuntil(b"\r\n\r\n")).decode().lower().split("\r\n")
        length = next(int(line[15:]) for line in lines if line.startswith("content-length:"))
        return int(lines[0].split()[1]), await self._reader.readexactly(length)


class Traffic:
    """Sends seconds of traffic through `lines` connections, and remembers what it was told.

    With many connections a server takes more messages into each transaction, and the run is cheaper.

    `messages` counts what was sent, `answers` the statuses by what was asked, `acknowledged` the ids of
    Segment's events, `codes` those of discounts.
    """

    def __init__(self, port: int, lines: int = 32) -> None:
        self._port = port
        self._lines = lines
        self._second = 0
        self.messages = 0
        self.answers: Counter[tuple[str, int]] = Counter()
        self.acknowledged: set[str] = set()
        self.codes: list[str] = []

    async def fill(self) -> None:
        """Write and read 70 MB of events, so that caches of that size are full."""
        async with Line(self._port) as line:
            for owner in range(200):
                calls = [_track(f"f{owner}-{n}", 10**7 + owner, 0) for n in range(10)]
                for call in calls:
                    call["properties"]["text"] = "x" * 35_000
                await self._send(line, SEGMENT, calls)
                await self._ask(line, "fill", "GET", f"/v1/customers/shopper-{10**7 + owner}/events")

    async def run(self, seconds: int) -> None:
        """Send so many seconds of traffic, as fast as it is taken."""
        last = self._second + seconds
        turns = iter(range(self._second, last))
        async with asyncio.TaskGroup() as group:
            for _ in range(self._lines):
                group.create_task(self._line(turns))
        self._second = last

    async def _line(self, turns: Iterator[int]) -> None:
        async with Line(self._port) as line:
            for turn in turns:
                await self._play(line, turn)

    async def _play(self, line: Line, turn: int) -> None:
        for again in (turn, turn - self._lines)[: 1 + (turn % 3 == 0 and turn >= self._lines)]:
            await self._send(line, SEGMENT, [_track(f"s{again}-{n}", again, n) for n in range(10)])
        await self._send(line, SEGMENT, _identify(turn))
        await self._send(line, SEGMENT, _track(f"s{turn}-checkout", turn + 10**6, 4))
        await self._send(line, MPARTICLE, _batch(turn))
        await self._ask(line, "bad", "POST", (SEGMENT, MPARTICLE)[turn % 2], _BAD[turn % len(_BAD)])
        await self._read(line, turn)
        await self._move(line, turn)
        if turn % 50 == 0:
            await self._ask(line, "operations", "GET", "/metrics")
            await self._ask(line, "operations", "GET", "/health/ready")

    async def _send(self, line: Line, path: str, body: Any) -> None:
        answer = await self._ask(line, "message", "POST", path, msgspec.json.encode(body))
        calls = body if isinstance(body, list) else body.get("events", [body])
        self.messages += len(calls)
        self.acknowledged.update(call["messageId"] for call in calls if call.get("type") == "track")
        for result in msgspec.json.decode(answer)["results"]:
            if result["outcome"] == "processed":
                self.codes += [discount["code"] for discount in result.get("discounts", ())]

    async def _read(self, line: Line, turn: int) -> None:
        path = (
            f"/v1/customers/shopper-{turn}/discounts",
            f"/v1/decisions?source_id=rider-{turn}",
            f"/v1/discounts/NONE-{turn}",
            f"/v1/nothing-{turn}/here",
        )[turn % 4]
        await self._ask(line, "read", "GET", path)

    async def _move(self, line: Line, turn: int) -> None:
        """Take a discount through the checkout, now and then twice."""
        if turn < len(self.codes):
            for verb in (("apply", "redeem"), ("apply", "release"), ("redeem", "apply"))[turn % 3]:
                await self._ask(line, verb, "POST", f"/v1/discounts/{self.codes[turn]}/{verb}")

    async def _ask(self, line: Line, kind: str, method: str, path: str, body: bytes = b"") -> bytes:
        status, answer = await line.ask(method, path, body)
        self.answers[kind, status] += 1
        return answer


def _track(id_: str, turn: int, number: int) -> dict[str, Any]:
    return {
        "type": "track", "event": _EVENTS[number % len(_EVENTS)], "messageId": id_,
        "userId": f"shopper-{turn}", "anonymousId": f"visitor-{turn}", "timestamp": _now().isoformat(),
        "context": {"page": {"url": f"https://shop.example/{turn}"}, "userAgent": "Mozilla/5.0 " * 4},
        "properties": {"value": 150, "currency": "USD", "order_id": f"O-{id_}", "products": [_PRODUCT],
                       f"extra-{turn % 1000}": turn},
    }  # fmt: skip


def _identify(turn: int) -> dict[str, Any]:
    traits = {"email": f"shopper-{turn}@shop.example", "plan": "premium", f"trait-{turn % 1000}": turn}
    return {
        "type": "identify", "messageId": f"i{turn}", "userId": f"shopper-{turn}",
        "anonymousId": f"visitor-{turn}", "timestamp": _now().isoformat(), "traits": traits,
    }  # fmt: skip


def _batch(turn: int) -> dict[str, Any]:
    """Return an mParticle batch: two commerce events, two of the shop's own, and a profile."""
    moment = int(_now().timestamp() * 1000)

    def event(kind: str, number: int, **data: Any) -> dict[str, Any]:
        marks = {"source_message_id": f"p{turn}-{number}", "timestamp_unixtime_ms": moment}
        return {"event_type": kind, "data": marks | data}

    def commerce(number: int, action: str) -> dict[str, Any]:
        products = [{"id": "p1", "name": "Organic tee", "price": 50.0, "quantity": 1}]
        taken = {"action": action, "transaction_id": f"O-{turn}", "total_amount": 150.0, "products": products}
        return event("commerce_event", number, product_action=taken, currency_code="USD")

    return {
        "environment": "production", "mpid": str(10**18 + turn), "source_request_id": f"r{turn}",
        "user_identities": {"customer_id": f"rider-{turn}", "email": f"rider-{turn}@shop.example"},
        "user_attributes": {"tier": "gold", f"attribute-{turn % 1000}": str(turn)},
        "events": [commerce(0, "checkout"), commerce(1, "purchase"),
                   event("custom_event", 2, event_name=f"Own {turn % 500}", custom_event_type="other"),
                   event("screen_view", 3, screen_name=f"Screen {turn}")],
    }  # fmt: skip


def _now() -> datetime:
    return datetime.now(UTC)
