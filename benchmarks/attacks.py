"""The attacks of benchmarks/attack.py: what one sender does beside honest ones, as a process of its own.

Each is bounded in count and in time, and sends to the server under test alone. `PREPARED` has what must be in
the store before an attack begins. What the server acknowledges is written down (benchmarks/acknowledged.py).
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import httpx

from benchmarks.acknowledged import write_down

#: Just under the largest body that the server takes by default.
BODY = 4_900_000
#: A rule that reads what no history has kept before; @WINDOW@ differs with every edit.
EDITED = """\
name: attacked
trigger: cart_viewed
conditions:
  all:
    - history.count("product_viewed", "@WINDOW@m") == 0
    - history.sum("product_viewed", "price", "@WINDOW@m") > 5
action: {type: percentage_off, value: 10, expires_in_hours: 24}
"""
_CUSTOMERS = 20
#: Seconds after which a request is under way, whether or not it is answered.
_UNDER_WAY = 0.1
#: The calls in a body, by what stands in it for `@ID@`.
Said = Callable[[str], Iterable[dict[str, Any]]]


class Target:
    """The server under attack: its url, the folder of its rules, and for how long it may go on.

    `begun` is called when the first request is under way: to make large bodies takes a while.
    """

    def __init__(
        self, url: str, rules: Path, seconds: float, begun: Callable[[], None] = lambda: None
    ) -> None:
        self.url = url
        self.rules = rules
        self._end = time.monotonic() + seconds
        self._begun = begun
        self._sending = False
        self.client = httpx.AsyncClient(base_url=url, timeout=60, limits=httpx.Limits(max_connections=200))

    def open(self) -> bool:
        """Say whether the attack may go on."""
        return time.monotonic() < self._end

    def begun(self) -> None:
        """Note that a request is being sent."""
        if not self._sending:
            self._sending = True
            asyncio.get_running_loop().call_later(_UNDER_WAY, self._begun)

    async def post(self, path: str, body: bytes, said: Callable[[], Iterable[dict[str, Any]]]) -> int:
        """Send a body that says these calls; returns the status, 0 for none; pauses after a refusal."""
        self.begun()
        try:
            status = (await self.client.post(path, content=body)).status_code
        except httpx.HTTPError:
            status = 0
        if status == 200:
            write_down(self.rules.parent, said())
        else:
            await asyncio.sleep(0.05)
        return status

    async def send(self, path: str, calls: list[dict[str, Any]]) -> int:
        """Send calls: a batch of the tracking API, a list of a webhook, else the only one."""
        said: Any = {"batch": calls} if path == "/v1/batch" else calls if "webhooks" in path else calls[0]
        body = json.dumps(said, separators=(",", ":")).encode()
        return await self.post(path, body, lambda: calls)

    async def get(self, path: str) -> int:
        """Ask for a page; returns the status likewise."""
        self.begun()
        try:
            return (await self.client.get(path)).status_code
        except httpx.HTTPError:
            await asyncio.sleep(0.05)
            return 0


Strike = Callable[[Target], Coroutine[Any, Any, None]]


def strike(name: str, url: str, rules: str, seconds: float, begun: Event) -> None:
    """Attack a server until the time is over; the entry of a process."""
    with suppress(KeyboardInterrupt):
        asyncio.run(STRIKES[name](Target(url, Path(rules), seconds, begun.set)))


def call(kind: str, message: str, user: str, **more: Any) -> dict[str, Any]:
    """Return a Segment call of now."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"type": kind, "messageId": message, "userId": user, "timestamp": now, **more}


async def _together(count: int, once: Callable[[int], Awaitable[None]], target: Target) -> None:
    """Do something in so many loops at a time, while the target is open."""

    async def again(number: int) -> None:
        while target.open():
            await once(number)

    await asyncio.gather(*(again(number) for number in range(count)))


async def _aliases(target: Target) -> None:
    """Batches of 4,000 aliases x0→x1→x2…, each chain of new names."""
    for number in range(50):
        if not target.open():
            return
        names = [f"chain-{time.time_ns()}-{place}" for place in range(4_001)]
        calls = [
            call("alias", f"{names[place]}-m", names[place + 1], previousId=names[place])
            for place in range(4_000)
        ]
        await target.send("/v1/batch", calls)
        await asyncio.sleep(0.01 * number)


async def _bodies(target: Target) -> None:
    """Eight bodies of 4.9 MB at a time, of five kinds: many messages, many values, one long text …"""
    kinds = [_many_calls(), _many_values("track"), _one_text(), _batch_of_events(), _many_numbers()]

    async def once(number: int) -> None:
        path, body, said = kinds[number % len(kinds)]
        mark = str(time.time_ns() // 1_000)
        await target.post(path, body.replace(b"@ID@", mark.encode()), lambda: said(mark))

    await _together(8, once, target)


def _many_calls() -> tuple[str, bytes, Said]:
    one = json.dumps(call("track", "m-@ID@-@N@", "many-@N@", event="Product Viewed", properties={"price": 5}))
    count = BODY // (len(one) + 22)
    calls = (one.replace("@N@", str(number)) for number in range(count))
    body = f"[{','.join(calls)}]".encode()
    return (
        "/webhooks/segment",
        body,
        lambda mark: (call("track", f"m-{mark}-{number}", f"many-{number}") for number in range(count)),
    )


def _many_values(kind: str) -> tuple[str, bytes, Said]:
    values = {f"k{number}": [{}, [], "a"] for number in range(BODY // 24)}
    body = call(kind, "m-@ID@", "large", event="Product Viewed", properties=values)
    return f"/v1/{kind}", json.dumps(body, separators=(",", ":")).encode(), _one(kind)


def _one(kind: str) -> Said:
    return lambda mark: [call(kind, f"m-{mark}", "large")]


def _one_text() -> tuple[str, bytes, Said]:
    body = call("track", "m-@ID@", "large", event="Product Viewed", properties={"text": "x" * (BODY - 500)})
    return "/webhooks/segment", json.dumps(body).encode(), _one("track")


def _batch_of_events() -> tuple[str, bytes, Said]:
    attributes = {"a": "1", "b": [{}, [], 2.5], "c": "x" * 40}
    data = {"event_name": "Viewed", "custom_attributes": attributes}
    event = {"event_type": "custom_event", "data": data}
    count = BODY // (len(json.dumps(event, separators=(",", ":"))) + 1) - 2
    body = {"events": [event] * count, "mpid": "77@ID@", "batch_id": "b-@ID@"}
    said = json.dumps(body, separators=(",", ":")).encode()
    return "/v2/events", said, lambda mark: [call("custom_event", "", f"77{mark}")]


def _many_numbers() -> tuple[str, bytes, Said]:
    body = call("identify", "m-@ID@", "large", traits={"numbers": [[1]] * (BODY // 4 - 100)})
    return "/v1/batch", json.dumps({"batch": [body]}, separators=(",", ":")).encode(), _one("identify")


async def _events(target: Target) -> None:
    """Four readers at a time of one customer's large events and of all that is held of them."""

    async def once(number: int) -> None:
        await target.get(f"/v1/customers/large/{('events', 'export')[number % 2]}")

    await _together(4, once, target)


async def _quarantined(target: Target) -> None:
    """Four readers at a time of the quarantine."""

    async def once(_number: int) -> None:
        await target.get("/v1/quarantine")

    await _together(4, once, target)


async def _edits(target: Target) -> None:
    """A rule that is edited again and again, and calls of customers whose history lacks what it reads."""
    for number in range(60):
        if not target.open():
            return
        (target.rules / "attacked.yaml").write_text(EDITED.replace("@WINDOW@", str(100 + number)))
        await asyncio.sleep(0.4)
        calls = [
            call("track", f"again-{time.time_ns()}-{customer}", f"old-{customer}", event="Cart Viewed")
            for customer in range(_CUSTOMERS)
        ]
        await target.send("/v1/batch", calls)


async def _erasures(target: Target) -> None:
    """Batches of 500 erasures, half of them of customers that the same batch has made."""
    for _ in range(200):
        if not target.open():
            return
        mark = time.time_ns()
        calls = [
            call(("identify", "delete")[number % 2], f"e-{mark}-{number}", f"gone-{mark}-{number // 2}")
            for number in range(500)
        ]
        await target.send("/webhooks/segment", calls)


async def _slow(target: Target) -> None:
    """A hundred readers that take an answer by the kilobyte, and forty senders that give their bodies so."""
    readers = [_slow_reader(target, number) for number in range(100)]
    await asyncio.gather(*readers, *(_slow_sender(target) for _ in range(40)))


async def _slow_reader(target: Target, number: int) -> None:
    path = ("/openapi.json", "/v1/quarantine", "/v1/customers/large/events")[number % 3]
    with suppress(OSError, asyncio.IncompleteReadError):
        reader, writer = await _connected(target, 2_048)
        writer.write(f"GET {path} HTTP/1.1\r\nhost: a\r\n\r\n".encode() * 5)
        while target.open() and await reader.read(1_024):  # noqa: ASYNC110 - it reads slowly
            await asyncio.sleep(0.2)
        writer.close()


async def _slow_sender(target: Target) -> None:
    head = f"POST /v1/track HTTP/1.1\r\nhost: a\r\ncontent-length: {BODY}\r\n\r\n".encode()
    with suppress(OSError):
        while target.open():
            _, writer = await _connected(target, 65_536)
            writer.write(head + b" " * 2_000_000)
            while target.open() and not writer.is_closing():
                writer.write(b" " * 1_000)
                await writer.drain()
                await asyncio.sleep(0.2)
            writer.close()


async def _connected(target: Target, limit: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    target.begun()
    host, port = target.url.removeprefix("http://").split(":")
    return await asyncio.open_connection(host, int(port), limit=limit)


async def _links(target: Target) -> None:
    """Chains of aliases, one a request, each of which gives another id to a past that has grown."""

    async def once(number: int) -> None:
        mark = f"{number}-{time.time_ns()}"
        for place in range(150):
            if not target.open():
                return
            name = f"{mark}-{place}"
            await target.send("/v1/track", [call("track", f"{name}-t", name, event="Seen")])
            alias = call("alias", f"{name}-a", f"{mark}-{place + 1}", previousId=name)
            await target.send("/v1/alias", [alias])

    await _together(50, once, target)


async def _visitors(target: Target) -> None:
    """Batches of visitors with a past who turn out to be 20 customers, who turn out to be one."""

    async def once(number: int) -> None:
        mark = f"{number}-{time.time_ns()}"
        calls = []
        for place in range(200):
            visitor, user = f"a{mark}-{place}", f"u{mark}-{place % 20}"
            calls.append(call("track", f"{visitor}-t", visitor, event="Seen", anonymousId=visitor))
            calls[-1].pop("userId")
            calls.append(call("identify", f"{visitor}-i", user, anonymousId=visitor))
        users = [f"u{mark}-{place}" for place in range(20)]
        calls += [call("alias", f"{user}-m", users[0], previousId=user) for user in users[1:]]
        await target.send("/v1/batch", calls)

    await _together(8, once, target)


STRIKES: dict[str, Strike] = {
    "aliases": _aliases,
    "single_aliases": _links,
    "visitors": _visitors,
    "large_bodies": _bodies,
    "large_events": _events,
    "large_quarantine": _quarantined,
    "rule_edit": _edits,
    "erasures": _erasures,
    "slow_readers": _slow,
}


async def _large_events(target: Target) -> None:
    for number in range(20):
        text = "x" * (4_800_000 - 500)
        body = call("track", f"large-{number}", "large", event="Product Viewed", properties={"text": text})
        await target.send("/v1/track", [body])
    for number in range(100):
        text = "x" * 60_000
        body = call("track", f"medium-{number}", "large", event="Product Viewed", properties={"text": text})
        await target.send("/v1/track", [body])


async def _large_quarantine(target: Target) -> None:
    for number in range(40):
        body = json.dumps([f"{number} " + "x" * (BODY - 100)]).encode()
        await target.post("/webhooks/segment", body, list)


async def _old_customers(target: Target) -> None:
    for customer in range(_CUSTOMERS):
        for part in range(4):
            calls = [
                call("track", f"old-{customer}-{part}-{number}", f"old-{customer}", event="Product Viewed",
                     properties={"price": 3, "text": "x" * 2_000})
                for number in range(250)
            ]  # fmt: skip
            await target.send("/v1/batch", calls)


PREPARED: dict[str, Strike] = {
    "large_events": _large_events,
    "large_quarantine": _large_quarantine,
    "rule_edit": _old_customers,
    "slow_readers": _large_quarantine,
}
