"""Case D44: the core is away for a day. What the senders are told meanwhile, and what happens after that."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from yarl import URL

from adapter.destinations.contract import Manner
from adapter.destinations.core import CoreDestination
from adapter.destinations.transport import Answer, CannotConnect
from adapter.errors import Unavailable
from adapter.metrics import Metrics
from adapter.model.deliveries import Recipients
from adapter.model.events import Event, User
from adapter.model.operations import EventOccurred
from adapter.services.background.store_metrics import StoreMetrics
from adapter.services.core.answers import Answers, Forwarding, Waiting
from adapter.services.core.capacity import CoreCapacity
from adapter.services.core.forwarding import ForwardTransactions
from adapter.services.delivery.shown import sending
from adapter.services.environment import Environment
from adapter.services.ingest.commit_health import CommitHealth
from adapter.services.ingest.result import Result
from adapter.services.ingest.work_item import Work
from adapter.settings.destinations.core import Core
from adapter.store.engines import open_store
from tests.core.conftest import NOON, Instance, MakeInstance
from tests.length import length
from tests.services.outbox_doubles import Clock, relay

#: Between two requests of the senders, and the customers of each.
EVERY = timedelta(minutes=10)
CUSTOMERS = length(6, 300)
#: A day has 144 requests, of a message of each customer. The outbox has room for 20 hours of them.
ROOM = 120 * CUSTOMERS
#: The most operations a second when the core is back, and how often the relays look for more.
PER_SECOND, TICK = 150, timedelta(milliseconds=100)
RULES = """\
rules:
  - name: cart
    trigger: checkout_started
    conditions: {all: [cart_value >= 100]}
    action: {type: percentage_off, value: 15, expires_in_hours: 6}
    guardrails: {stackable: true}
"""


class Way:
    """The way to a core in the same process; while it is closed, no connection can be opened."""

    def __init__(self) -> None:
        self.core: Instance | None = None
        self.requests: list[list[str]] = []
        self.open = False

    async def request(
        self,
        method: str,
        url: str | URL,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        timeout: timedelta | None = None,  # noqa: ASYNC109 - the interface
        read_bytes: int = 0,
        read_seconds: float = 0,
    ) -> Answer:
        del method, url, headers, timeout, read_bytes, read_seconds
        self.requests.append([each["source_id"] for each in json.loads(body)["operations"]])
        if not self.open or self.core is None:
            raise CannotConnect("cannot connect: refused")
        found = await self.core.client.post("/v1/evaluate", content=body)
        return Answer(found.status_code, found.headers, found.content, whole=True)


def works(number: int, now: datetime) -> list[Work]:
    """Return a message of each customer, as a mapping yields it."""
    found = []
    for who in range(CUSTOMERS):
        key, customer = f"m{number}-{who}", f"c-{who}"
        event = Event(key, "checkout_started", now, User(customer), {"cart_value": 150}, {})
        operations = (EventOccurred(customer, event),)
        found.append(Work("segment", key, key, now, operations, document={"messageId": key}))
    return found


class Day:
    """An adapter of two processes whose time is set by hand, and its senders."""

    def __init__(self, url: str) -> None:
        self.clock, self.way, self.metrics = Clock(), Way(), Metrics()
        self.clock.now = NOON
        self.store = open_store(url)
        settings = Core(url="http://127.0.0.1:9", allow_private_addresses=True, per_second=PER_SECOND)
        destination = CoreDestination("core", settings, self.way)
        manner = Manner(
            ordered=True, concurrency=4, per_second=settings.per_second, starts_slowly=settings.starts_slowly
        )
        self.relays = [
            relay(self.store, self.clock, destination, metrics=self.metrics, manner=manner) for _ in range(2)
        ]
        transactions = ForwardTransactions(
            self.store, Environment(clock=self.clock), "core", destination.timeout,
            health=CommitHealth(lambda: 0), wake=lambda: None,
        )  # fmt: skip
        waiting = Waiting()
        destination.take = Answers(
            self.store, waiting, Recipients(), clock=self.clock, wake=lambda: None, metrics=self.metrics
        ).take
        self.capacity = CoreCapacity(self.store, ROOM)

        class Committing:
            async def submit(self, batch: Sequence[Work], size: int = 0) -> list[Result]:
                return await transactions.settle(batch)

        self.forwarding = Forwarding(Committing(), waiting, self.capacity, timedelta(0))

    async def request(self, number: int) -> int:
        """Send messages, and return the status that the sender gets."""
        try:
            results = await self.forwarding.submit(works(number, self.clock()))
        except Unavailable as refused:
            return 503 if refused.retry_after else 500
        assert {result.outcome for result in results} == {"processed"}
        return 200

    async def send(self) -> int:
        """Let both processes send what they may at this moment; return how many operations that was."""
        before = len(self.way.requests)
        for each in self.relays:
            await each.run_once(1_000)
        return sum(map(len, self.way.requests[before:]))


@pytest.mark.slow
async def test_a_core_that_is_away_for_a_day_loses_nothing(instance: MakeInstance, tmp_path: Path) -> None:
    (tmp_path / "rules" / "rules.yaml").write_text(RULES)
    day = Day(f"sqlite:///{tmp_path / 'adapter.db'}")
    await day.store.open()
    statuses = []
    for number in range(144):
        await day.capacity.count()
        statuses.append(await day.request(number))
        await day.send()
        day.clock.now += EVERY
    assert statuses == [200] * 120 + [503] * 24
    # Each time one request, made twice, finds out that the core is away; nothing was given up.
    assert len(day.way.requests) <= 2 * (144 + 4)
    assert len(await day.store.deliveries("dead")) == 0
    waiting = await day.store.deliveries("due", ROOM + 1)
    assert (len(waiting), {each.tries for each in waiting}) == (ROOM, {0})
    del waiting
    await StoreMetrics(day.store, day.metrics, clock=day.clock).read()
    assert day.metrics.registry.get_sample_value("adapter_deliveries_due") == ROOM
    assert day.metrics.registry.get_sample_value("adapter_oldest_delivery_seconds") == 86_400
    day.clock.now -= EVERY
    assert "`core` is paused until" in (await sending(day.store, day.clock)).detail
    day.clock.now += EVERY
    await _back(day, await instance(f"sqlite:///{tmp_path / 'core.db'}", clock=day.clock))
    await day.store.close()


async def _back(day: Day, core: Instance) -> None:
    """The core is back: one request finds it, and then all follow, in the order of each customer."""
    await day.send()
    day.clock.now += timedelta(seconds=15)
    day.way.core, day.way.open = core, True
    day.way.requests.clear()
    worker = day.relays[0]._workers["core"]
    await worker._lease_some()
    await worker._flush()
    assert [len(request) for request in day.way.requests] == [min(CUSTOMERS, 50)]
    await _slowly(day, min(CUSTOMERS, 50))
    assert max(map(len, day.way.requests)) <= 100
    issued = 0
    for who in range(CUSTOMERS):
        found = (await core.app.store.decisions(f"c-{who}", 1_000))[::-1]
        assert [each.event_id for each in found] == [f"m{number}-{who}" for number in range(120)]
        # Decided as of its own time: of those that waited for more than six hours the discount has ended.
        assert [each.decided_at for each in found] == [NOON + number * EVERY for number in range(120)]
        outcomes = [each.outcomes[0] for each in found]
        assert {each.guardrail for each in outcomes[:108]} == {"expires_at"}
        held = await core.app.store.discounts(f"c-{who}")
        ends = sorted(each.discount.expires_at for each in held if each.discount.expires_at)
        assert ends == [NOON + number * EVERY + timedelta(hours=6) for number in range(109, 120)]
        issued += len(held)
    assert issued == 11 * CUSTOMERS


async def _slowly(day: Day, sent: int) -> None:
    """The backlog follows: little at first, and never more than the setting, of both processes together."""
    ticks = [sent]
    while await day.store.deliveries("due", 1):
        ticks.append(await day.send())
        day.clock.now += TICK
    assert sum(ticks) == ROOM
    # At once what half a second takes. Then it grows, from a hundred a second. A lease that would take next
    # to nothing is left to the next tick.
    assert sum(ticks[:2]) <= 50
    assert 100 <= sum(ticks[2:12]) <= 120
    assert max(sum(ticks[at : at + 10]) for at in range(2, len(ticks))) <= 1.1 * PER_SECOND
    assert sum(ticks[35:45]) >= 0.9 * PER_SECOND, "and the whole rate is used"


async def test_rules_are_evaluated_as_of_the_time_of_receipt(instance: MakeInstance, tmp_path: Path) -> None:
    rules = RULES.replace("expires_in_hours: 6}", "expires_in_hours: 48}").replace(
        "{stackable: true}", '{stackable: true, schedule: {hours: "08:00-12:00"}, max_daily_redemptions: 1}'
    )
    (tmp_path / "rules" / "rules.yaml").write_text(rules)
    clock = Clock()
    clock.now = NOON + timedelta(hours=20)  # tomorrow at eight
    core = await instance(f"sqlite:///{tmp_path / 'core.db'}", clock=clock)

    def operation(id_: str, hours: float) -> dict[str, Any]:
        at = (NOON + timedelta(hours=hours)).isoformat()
        told = {"name": "checkout_started", "occurred_at": at, "attributes": {"cart_value": 150}}
        return {"id": id_, "action": "event", "source_id": id_, "event": told, "received_at": at}

    asked = (
        operation("a", -1),
        operation("b", 3),
        operation("c", -0.5),
        operation("d", 20),
        operation("e", 99),
    )
    results = await core.evaluate(*asked)
    outcomes = [(each["outcome"], each.get("guardrail")) for result in results
                for each in result["decisions"][0]["outcomes"]]  # fmt: skip
    # `a` was in time yesterday, `b` too late in the day, `c` second of its day, `d` first of today; the
    # receipt of `e` is in the future, so it counts as now.
    assert outcomes == [
        ("issued", None),
        ("withheld", "schedule"),
        ("withheld", "max_daily_redemptions"),
        ("issued", None),
        ("withheld", "max_daily_redemptions"),
    ]
