"""Senders that behave as Segment does: what is not acknowledged within 5 seconds is sent again."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import httpx
from msgspec import Struct

SENDERS = 32
PATIENCE = 5.0


class Answer(Struct, frozen=True):
    """What a sender was told, and when, in seconds; status 0 is no answer."""

    at: float
    status: int
    took: float


class Senders:
    """Many senders to several adapters, at once; each message goes to one after the other until acknowledged.

    One message in eight is sent once more after that, as networks do.
    """

    def __init__(self, urls: Sequence[str], users: int) -> None:
        self.told: dict[str, list[str]] = {}
        self.answers: list[Answer] = []
        self.faults: list[str] = []
        self._stopping = False
        self._urls = urls
        self._users = users
        self._numbers = itertools.count()
        self._sending = asyncio.create_task(self._run())

    @property
    def codes(self) -> int:
        """How many discounts the senders know of."""
        return sum(map(len, self.told.values()))

    def silence(self, since: float) -> tuple[float, float]:
        """Return the longest time without an acknowledgement since a moment: its start and its end."""
        moments = [
            since,
            *(answer.at for answer in self.answers if answer.at > since and answer.status == 200),
        ]
        return max(itertools.pairwise(moments), key=lambda pair: pair[1] - pair[0])

    async def until(self, condition: Callable[[], bool], seconds: float = 60) -> None:
        """Send until a condition holds; raises TimeoutError, and whatever stopped a sender."""
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.wait([self._sending], timeout=0.05)
                if self._sending.done():
                    self._sending.result()

    async def stop(self) -> None:
        """Return when all that was sent is acknowledged."""
        self._stopping = True
        await self._sending

    async def _run(self) -> None:
        async with httpx.AsyncClient(timeout=PATIENCE, limits=httpx.Limits(max_connections=None)) as client:
            await asyncio.gather(*(self._sender(client) for _ in range(SENDERS)))

    async def _sender(self, client: httpx.AsyncClient) -> None:
        while not self._stopping:
            message = self._message(next(self._numbers))
            name = message["messageId"]
            self.told[name] = await self._deliver(client, message)
            if random.random() < 1 / 8 and (again := await self._deliver(client, message)) != self.told[name]:
                self.faults.append(f"told {self.told[name]} and then {again}: {name}")

    async def _deliver(self, client: httpx.AsyncClient, message: dict[str, Any]) -> list[str]:
        """Return the codes that were issued for a message, once that is acknowledged."""
        for url in itertools.cycle(random.sample(self._urls, len(self._urls))):
            answer = await self._post(client, f"{url}/webhooks/segment", message)
            if answer is not None and answer.status_code == 200:
                [result] = answer.json()["results"]
                return [each["code"] for each in result.get("discounts", [])]
            await asyncio.sleep(0.2)
        raise AssertionError("the adapters are endless")

    async def _post(self, client: httpx.AsyncClient, url: str, message: Any) -> httpx.Response | None:
        start = time.monotonic()
        try:
            answer = await client.post(url, json=message)
        except httpx.TransportError:
            # No answer in time; or none at all, when the connection broke.
            answer = None
        now = time.monotonic()
        self.answers.append(Answer(now, answer.status_code if answer is not None else 0, now - start))
        if answer is not None and answer.status_code != 200:
            self._judge(answer)
        return answer

    def _judge(self, answer: httpx.Response) -> None:
        """A CDP drops what it is told 4xx of, and hammers a server that does not say when to come again."""
        if answer.status_code != 503 or not answer.headers.get("Retry-After", "").isdigit():
            self.faults.append(f"{answer.status_code} {dict(answer.headers)} {answer.text}")

    def _message(self, number: int) -> dict[str, Any]:
        return {
            "type": "track",
            "event": "Checkout Started",
            "messageId": f"m{number}",
            "userId": f"shopper-{random.randrange(self._users)}",
            "timestamp": datetime.now(UTC).isoformat(),
            "properties": {"value": 150, "currency": "USD"},
        }
