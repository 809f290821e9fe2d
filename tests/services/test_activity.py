"""Activity: what the metrics of a process grow by is added to the store by minute, and of rules by hour."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapter.errors import StoreUnavailable
from adapter.metrics import Metrics
from adapter.model.activity import BY_MINUTE, ActivityCount, of_rule, sums
from adapter.model.decisions import Decision, RuleOutcome
from adapter.services.background.activity import KEEP_HOURS, KEEP_MINUTES, ActivityRecorder
from adapter.services.decision_log import DecisionCounts
from adapter.store.contract import Store
from adapter.store.engines import open_store
from adapter.web.routes import INGEST_LABELS

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


class Clock:
    now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
async def store() -> AsyncIterator[Store]:
    store = open_store("sqlite:///:memory:")
    await store.open()
    yield store
    await store.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def recorder(store: Any, metrics: Metrics, clock: Clock) -> ActivityRecorder:
    return ActivityRecorder(store, metrics, clock, INGEST_LABELS)


async def stored(store: Store, *names: str, step: timedelta = MINUTE) -> list[ActivityCount]:
    return await store.activity(names or BY_MINUTE, NOON - 40 * 24 * HOUR, NOON + 24 * HOUR, step)


async def test_only_what_a_process_has_counted_since_the_last_round_is_added(
    store: Store, clock: Clock
) -> None:
    metrics = Metrics()
    metrics.messages.labels("segment", "processed").inc(7)  # before this process recorded anything
    recording = recorder(store, metrics, clock)
    for at, count in ((10, 2), (50, 3), (70, 4), (130, 0)):
        clock.now = NOON + timedelta(seconds=at)
        metrics.messages.labels("segment", "processed").inc(count)
        await recording.add()
    assert await stored(store) == [
        ActivityCount("messages/processed", NOON, 5),
        ActivityCount("messages/processed", NOON + MINUTE, 4),
    ]


async def test_requests_and_their_durations_are_those_of_endpoints_that_take_messages(
    store: Store, clock: Clock
) -> None:
    metrics = Metrics()
    recording = recorder(store, metrics, clock)
    for endpoint, status, seconds in (
        ("webhooks_segment", "200", 0.003), ("tracking", "200", 0.3), ("tracking", "401", 0.0001),
        ("webhooks_mparticle", "503", 60), ("discounts", "200", 0.003), ("other", "404", 0.003),
    ):  # fmt: skip
        metrics.requests.labels(endpoint, status).inc()
        metrics.request_seconds.labels(endpoint).observe(seconds)
    metrics.commit_seconds.observe(0.02)
    await recording.add()
    assert sums(await stored(store)) == {
        "requests/taken": 2, "requests/refused": 1, "requests/failed": 1,
        "request_seconds/0.001": 1, "request_seconds/0.005": 1, "request_seconds/0.5": 1,
        "request_seconds/+Inf": 1, "commit_seconds/0.025": 1,
    }  # fmt: skip


async def test_what_rules_did_is_added_by_hour(store: Store, clock: Clock) -> None:
    metrics = Metrics()
    counts, recording = DecisionCounts(metrics), recorder(store, metrics, clock)
    outcomes = (
        RuleOutcome("ten", "issued", "", code="T"), RuleOutcome("vip", "withheld", "", "per_user_limit"),
        RuleOutcome("big", "not_met", ""), RuleOutcome("odd", "error", ""), RuleOutcome("new", "shadow", ""),
    )  # fmt: skip
    clock.now = NOON + 59 * MINUTE
    counts.note([Decision("e", "checkout_started", "c", NOON, "0f", outcomes, {})] * 2)
    await recording.add()
    assert sums(await stored(store, "decisions", "discounts/issued", "discounts/withheld")) == {
        "decisions": 2, "discounts/issued": 2, "discounts/withheld": 2,
    }  # fmt: skip
    names = [of_rule(rule, count) for rule in ("ten", "vip", "big", "odd", "new")
             for count in ("triggered", "issued", "withheld")]  # fmt: skip
    assert await stored(store, *names) == [
        ActivityCount(name, NOON, 2)
        for name in ("rule/new/triggered", "rule/ten/issued", "rule/ten/triggered", "rule/vip/triggered",
                     "rule/vip/withheld")
    ]  # fmt: skip


async def test_what_could_not_be_added_is_added_in_the_next_round(store: Store, clock: Clock) -> None:
    class Away:
        async def add_activity(self, _counted: list[ActivityCount]) -> None:
            raise StoreUnavailable("it is away")

    metrics, away = Metrics(), Away()
    recording = recorder(away, metrics, clock)
    metrics.messages.labels("segment", "processed").inc(2)
    with pytest.raises(StoreUnavailable):
        await recording.add()
    recording._store = store
    metrics.messages.labels("segment", "processed").inc(1)
    await recording.add()
    assert sums(await stored(store)) == {"messages/processed": 3}


async def test_minutes_are_kept_for_days_and_hours_of_rules_for_a_month(store: Store, clock: Clock) -> None:
    names = ("messages/processed", "rule/ten/issued")
    for age in (KEEP_MINUTES - MINUTE, KEEP_MINUTES + MINUTE, KEEP_HOURS + MINUTE):
        await store.add_activity([ActivityCount(name, NOON - age, 1) for name in names])
    await recorder(store, Metrics(), clock).trim()
    assert sums(await stored(store, *names)) == {"messages/processed": 1, "rule/ten/issued": 2}
