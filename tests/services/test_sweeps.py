"""The sweeps: bounded, at once again while there is more, and never for ever on the same codes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from adapter.errors import Unavailable
from adapter.services.background.sweeps import Intervals, Sweeps
from adapter.settings.values import Retention, Settings
from adapter.store.contract import Store

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Lapsing:
    """The two verbs of a store that the sweeps use, over a list of codes."""

    def __init__(self, codes: Sequence[str] = ()) -> None:
        self.codes = list(codes)
        self.asked: list[tuple[datetime, int]] = []
        self.forgotten: list[datetime] = []
        self.aged: dict[str, datetime] = {}
        self.broken: set[str] = set()
        self.away = 0

    async def lapsed(self, now: datetime, limit: int) -> list[str]:
        self.asked.append((now, limit))
        if self.away:
            self.away -= 1
            raise Unavailable("the store is away")
        return self.codes[:limit]

    async def purge_dedupe_keys(self, before: datetime) -> int:
        self.forgotten.append(before)
        return 7

    async def purge(self, kind: str, before: datetime) -> int:
        if kind in self.broken:
            raise Unavailable("the store is away")
        self.aged[kind] = before
        return 3

    async def expire(self, codes: Sequence[str]) -> None:
        self.codes = [code for code in self.codes if code not in codes]


def expiry(store: Lapsing, submit: Any = None, **intervals: Any) -> Sweeps:
    return Sweeps(cast("Store", store), submit or store.expire, lambda: NOON, Intervals(**intervals))


async def run_until(expiry: Sweeps, condition: Callable[[], bool]) -> None:
    stop = asyncio.Event()
    task = asyncio.create_task(expiry.run(stop))
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - what is waited for knows no event
            await asyncio.sleep(0.005)
    stop.set()
    await asyncio.wait_for(task, 1)


async def test_a_sweep_submits_lapsed_discounts_up_to_the_limit() -> None:
    store = Lapsing(["a", "b", "c"])
    each = expiry(store, limit=2)
    assert [await each.sweep() for _ in range(3)] == [["a", "b"], ["c"], []]
    assert store.asked == [(NOON, 2)] * 3


async def test_nothing_lapsed_submits_nothing() -> None:
    submitted: list[Sequence[str]] = []

    async def submit(codes: Sequence[str]) -> None:
        submitted.append(codes)

    assert await expiry(Lapsing(), submit).sweep() == []
    assert submitted == []


async def test_a_full_sweep_is_followed_by_the_next_at_once() -> None:
    store = Lapsing([str(n) for n in range(100)])
    await run_until(expiry(store, limit=10, sweep=HOUR), lambda: not store.codes)
    assert len(store.asked) == 11


async def test_codes_that_will_not_go_are_not_insisted_on() -> None:
    store = Lapsing(["a", "b"])
    submitted = 0

    async def idle(codes: Sequence[str]) -> None:
        nonlocal submitted
        submitted += 1

    each = expiry(store, idle, limit=2, sweep=timedelta(milliseconds=50))
    await run_until(each, lambda: submitted >= 2)
    before = submitted
    await run_until(expiry(store, idle, limit=2, sweep=HOUR), lambda: submitted >= before + 2)
    assert submitted == before + 2


async def test_a_store_that_is_away_is_asked_again() -> None:
    store = Lapsing(["a"])
    store.away = 3
    await run_until(expiry(store, sweep=timedelta(milliseconds=5)), lambda: not store.codes)
    assert len(store.asked) >= 4


async def test_a_failure_of_ours_does_not_end_the_sweeps() -> None:
    store = Lapsing(["a"])
    failed = 0

    async def submit(codes: Sequence[str]) -> None:
        nonlocal failed
        if failed < 2:
            failed += 1
            raise RuntimeError("a mistake of ours")
        await store.expire(codes)

    await run_until(expiry(store, submit, sweep=timedelta(milliseconds=5)), lambda: not store.codes)
    assert failed == 2


async def test_dedupe_keys_older_than_thirty_days_are_forgotten_at_the_start_and_every_hour() -> None:
    store = Lapsing()
    await run_until(expiry(store), lambda: bool(store.forgotten))
    assert store.forgotten == [NOON - timedelta(days=30)]
    assert await expiry(store, keep_messages=timedelta(days=90)).purge_dedupe_keys() == 7
    assert store.forgotten[-1] == NOON - timedelta(days=90)


async def test_events_decisions_deliveries_and_quarantined_messages_go_each_after_its_time(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = Lapsing()
    await run_until(expiry(store, keep_decisions=timedelta(days=9)), lambda: len(store.aged) == 10)
    assert store.aged == {
        "events": NOON - timedelta(days=400),
        "decisions": NOON - timedelta(days=9),
        "deliveries": NOON - timedelta(days=30),
        "pending_moves": NOON - timedelta(days=30),
        "holds": NOON - timedelta(days=30),
        "failed_codes": NOON - timedelta(minutes=10),
        "forwards": NOON - timedelta(days=30),
        "quarantine": NOON - timedelta(days=400),
        "audit": NOON - timedelta(days=400),
        "sign_ins": NOON - timedelta(minutes=5),
    }
    assert "purged 3 quarantined messages" in caplog.text
    assert await expiry(store).purge("events") == 3


async def test_data_without_a_retention_limit_is_not_purged() -> None:
    store = Lapsing()
    each = expiry(store, keep_events=None, keep_decisions=None)
    await run_until(each, lambda: "sign_ins" in store.aged)
    assert list(store.aged) == [
        "deliveries",
        "pending_moves",
        "holds",
        "failed_codes",
        "forwards",
        "quarantine",
        "audit",
        "sign_ins",
    ]
    assert await each.purge("events") == 0


async def test_one_kind_that_cannot_be_dropped_does_not_keep_the_others() -> None:
    store = Lapsing()
    store.broken = {"events"}
    await run_until(expiry(store), lambda: "sign_ins" in store.aged)
    assert list(store.aged) == [
        "decisions",
        "deliveries",
        "pending_moves",
        "holds",
        "failed_codes",
        "forwards",
        "quarantine",
        "audit",
        "sign_ins",
    ]


async def test_stopping_lets_the_sweep_that_runs_finish() -> None:
    store = Lapsing(["a"])
    begun, finish = asyncio.Event(), asyncio.Event()

    async def submit(codes: Sequence[str]) -> None:
        begun.set()
        await finish.wait()
        await store.expire(codes)

    stop = asyncio.Event()
    task = asyncio.create_task(expiry(store, submit).run(stop))
    await begun.wait()
    stop.set()
    await asyncio.sleep(0.01)
    assert not task.done()
    finish.set()
    await asyncio.wait_for(task, 1)
    assert store.codes == []


async def test_a_sweep_keeps_data_as_long_as_settings_that_changed_say() -> None:
    store = Lapsing()
    each = expiry(store)
    each.follow(Settings(retention=Retention(message_days=5, decision_days=0, event_days=7)))
    await each.purge_dedupe_keys()
    assert store.forgotten == [NOON - timedelta(days=5)]
    await each.purge("events")
    assert (store.aged, await each.purge("decisions")) == ({"events": NOON - timedelta(days=7)}, 0)
