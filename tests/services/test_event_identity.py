"""An event is one event when source, customer, name and id are the same, customers that are merged included.

Discounts, rows, the folded history, and a history counted from the rows for a rule that is added later agree.
"""

from __future__ import annotations

import asyncio
import itertools
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from adapter.model.events import Event, User
from adapter.model.operations import CustomerMerge, CustomerUpsert, DiscountMove, EventOccurred
from adapter.rules.expressions import Metric
from adapter.rules.history.history import History, fold, lookup
from adapter.rules.history.reading_again import backfill
from adapter.services.ingest.work_item import Work
from adapter.store.naming import FEW
from tests.length import length

pytestmark = pytest.mark.slow

OLD = """
rules:
  - {name: thanks, trigger: order_completed, conditions: ["history.count('order_completed', '30d') < 900"],
     action: {type: free_shipping}, guardrails: {stackable: true}}
"""
NEW = (
    OLD
    + """
  - name: later
    trigger: checkout_started
    conditions:
      - history.sum('order_completed', 'total', '30d') >= 1
      - history.max('order_completed', 'total') >= 1
      - history.min('order_completed', 'total', '7d') >= 1
      - history.distinct('order_completed', 'total', '30d') >= 1
    action: {type: free_shipping}
    guardrails: {stackable: true}
"""
)
SOURCES = ["segment", "mparticle"]
NAMES = ["order_completed", "order_refunded"]
PEOPLE = ["ann", "bob", "visitor"]
FIGURES: list[Any] = [
    ("count", None, None), ("count", None, 30), ("first", None, None), ("last", None, None),
    ("sum", "total", 30), ("max", "total", None), ("min", "total", 7), ("distinct", "total", 30),
]  # fmt: skip
METRICS = [
    Metric(kind, name, attribute, None if days is None else timedelta(days=days))
    for name in NAMES
    for kind, attribute, days in FIGURES
]

HAPPENING = st.tuples(
    st.just("event"), st.sampled_from(PEOPLE), st.sampled_from(SOURCES), st.sampled_from(NAMES),
    st.sampled_from(["1", "2"]), st.integers(-3, 0), st.integers(1, 3),
)  # fmt: skip
JOINING = st.tuples(st.sampled_from(["merge", "sign in"]), st.sampled_from(PEOPLE), st.sampled_from(PEOPLE))
STEPS = st.lists(HAPPENING | JOINING, max_size=12)
#: The examples of one test share a store; their customers must not meet.
EXAMPLES = itertools.count()
#: An example is a stream of messages, a transaction each: 60 ms and more on PostgreSQL.
SETTINGS = settings(
    max_examples=length(25, 100), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def operation(desk: Any, step: tuple[Any, ...], prefix: str) -> Any:
    if step[0] == "event":
        _, who, source, name, id_, days, total = step
        name_of = {"id": f"{prefix}{who}"}
        event = Event(
            id_,
            name,
            desk.now + timedelta(days=days),
            User(**name_of),
            {"total": total, "source": source},
            {},
        )
        links = {"anonymous_id": f"{prefix}visitor"} if who == "visitor" else {}
        return EventOccurred(f"{prefix}{who}", event, links)
    _, one, other = step
    if step[0] == "merge":
        return CustomerMerge(f"{prefix}{one}", f"{prefix}{other}")
    return CustomerUpsert(f"{prefix}{one}", identities={"anonymous_id": f"{prefix}visitor"})


def work(desk: Any, step: tuple[Any, ...], prefix: str) -> Any:
    found = desk.work(operation(desk, step, prefix))
    return replace(found, source=step[2]) if step[0] == "event" else found


async def agreeing(desk: Any, prefix: str, rules: Any) -> list[Any]:
    """Check each customer's rows against each other and against the history; returns all figures."""
    figures: list[Any] = []
    for who in PEOPLE:
        held = await desk.store.held(f"{prefix}{who}")
        identities = [(event.attributes["source"], event.name, event.id) for event in held.events]
        assert len(set(identities)) == len(identities)
        recounted = History()
        for event in held.events:
            fold(recounted, event, rules.metrics)
        history = History.decode(held.history)
        backfill(history, held.events, rules.metrics)
        said = [lookup(history, metric, desk.now) for metric in METRICS]
        assert said == [lookup(recounted, metric, desk.now) for metric in METRICS]
        figures.append((sorted(identities), said))
    return figures


@SETTINGS
@given(before=STEPS, after=STEPS, cuts=st.sets(st.integers(0, 24)), busy=st.sampled_from(["", *PEOPLE]))
async def test_rows_history_and_a_rule_added_later_agree(
    open_desk: Any, make_rules: Any, before: Any, after: Any, cuts: set[int], busy: str
) -> None:
    """A busy customer has so many rows that they stay where they are when others are merged with them."""
    desk = await open_desk(OLD)
    old, new = make_rules(OLD), make_rules(NEW)
    found = []
    try:
        for start in (old, new):
            prefix = f"{next(EXAMPLES)}-"
            views = [
                ("event", busy, "segment", "page_viewed", f"view-{number}", 0, 1)
                for number in range(FEW + 1)
                if busy
            ]
            await desk.settle([work(desk, view, prefix) for view in views])
            for steps, book in ((before, start), (after, new)):
                desk.book = book
                bounds = [0, *sorted(cut for cut in cuts if cut < len(steps)), len(steps)]
                for first, last in itertools.pairwise(bounds):
                    await desk.settle([work(desk, step, prefix) for step in steps[first:last]])
            found.append(await agreeing(desk, prefix, new))
    finally:
        await desk.store.close()
    assert found[0] == found[1]


@SETTINGS
@given(steps=STEPS)
async def test_each_event_is_decided_once(open_desk: Any, make_rules: Any, steps: Any) -> None:
    """A slow and simple model says which messages are the first of their event."""
    desk = await open_desk(NEW)
    prefix = f"{next(EXAMPLES)}-"
    known: dict[str, set[Any]] = {who: set() for who in PEOPLE}
    try:
        for step in steps:
            [result] = await desk.settle([work(desk, step, prefix)])
            if step[0] == "event":
                _, who, source, name, id_, *_ = step
                first = (source, name, id_) not in known[who]
                assert result.outcome == ("processed" if first else "duplicate")
                assert bool(result.discounts) is (name == "order_completed")
                known[who].add((source, name, id_))
            owners = {who: (await desk.store.held(f"{prefix}{who}")).source_id for who in PEOPLE}
            known = {
                who: set().union(*(known[other] for other in PEOPLE if owners[other] == owners[who]))
                for who in PEOPLE
            }
    finally:
        await desk.store.close()


GIFT = """
rules:
  - {name: ride, trigger: started, action: {type: unit_off, value: 9, unit_type: minutes},
     guardrails: {stackable: true}}
"""


async def test_a_message_sent_again_for_the_customer_merged_into_takes_no_units_again(open_desk: Any) -> None:
    """The dedupe keys of mParticle's events contain the person, which mParticle may have merged meanwhile."""
    desk = await open_desk(GIFT)
    [ride] = (await desk.take(desk.event("started", "old"))).discounts

    def ended(who: str) -> Any:
        event = replace(desk.event("ended", who).event, id="m9")
        redeem = DiscountMove("redeem", ride.code, who, units=Decimal(2))
        return Work("mparticle", f"m9:{who}", "m9", desk.now, (redeem, EventOccurred(who, event)))

    [first] = await desk.settle([ended("old")])
    await desk.take(CustomerMerge("new", "old"))
    [again] = await desk.settle([ended("new")])
    assert (first.outcome, again.outcome, again.discounts) == ("processed", "duplicate", [])
    assert (await desk.store.discount(ride.code)).discount.action.remaining == 7


async def test_an_order_with_a_known_event_still_redeems_its_discount(open_desk: Any) -> None:
    """The event has the order's id; of the two messages the second names the coupon."""
    desk = await open_desk(GIFT)
    [ride] = (await desk.take(desk.event("started", "ann"))).discounts
    order = desk.event("order_completed", "ann")
    await desk.take(order)
    result = await desk.take(order, DiscountMove("redeem", ride.code, "ann", "o1"))
    assert (result.outcome, [each.status for each in result.discounts]) == ("processed", ["redeemed"])
    assert len(await desk.store.events("ann")) == 2


async def test_an_event_is_known_longer_than_the_key_of_its_message(open_desk: Any) -> None:
    """A CDP may replay what is older than `retention.message_days`."""
    desk = await open_desk(OLD)
    await desk.settle([desk.work(desk.event("order_refunded"), key="m1")])
    assert await desk.store.purge_dedupe_keys(desk.now + timedelta(days=31)) == 1
    [again] = await desk.settle([desk.work(desk.event("order_refunded"), key="m1")])
    assert again.outcome == "duplicate"
    assert History.decode((await desk.store.held("ann")).history).tallies["order_refunded"].count == 1


async def test_one_event_that_two_processes_receive_at_once_is_decided_once(
    postgres_url: str, open_desk: Any, store_url: str
) -> None:
    if store_url != postgres_url:
        pytest.skip("SQLite has one process")
    desks = [await open_desk(OLD), await open_desk(OLD)]
    for number in range(25):
        who = f"u{number}"
        results = await asyncio.gather(*(desk.take(desk.event("order_completed", who)) for desk in desks))
        assert sorted(result.outcome for result in results) == ["duplicate", "processed"]
        held = await desks[0].store.held(who)
        assert (len(held.events), len(held.discounts)) == (1, 1)
        assert History.decode(held.history).tallies["order_completed"].count == 1


class Runs:
    """Counts how often the script of each transaction runs, and whose pasts it reads."""

    def __init__(self, desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count, self.read = 0, list[list[str]]()
        runs, transact = self, desk.store.transact

        class Counting:
            def __init__(self, transaction: Any) -> None:
                self._transaction = transaction

            def __getattr__(self, name: str) -> Any:
                return getattr(self._transaction, name)

            async def load(self, *wanted: Any) -> Any:
                runs.count += 1
                return await self._transaction.load(*wanted)

            async def past(self, source_ids: Any) -> Any:
                runs.read.append(list(source_ids))
                return await self._transaction.past(source_ids)

        monkeypatch.setattr(
            desk.store, "transact", lambda script, _: transact(lambda opened: script(Counting(opened)))
        )


@pytest.mark.parametrize("repeats", [0, 1, 40])
async def test_a_batch_with_many_repeated_events_runs_at_most_twice(
    open_desk: Any, monkeypatch: pytest.MonkeyPatch, repeats: int
) -> None:
    desk = await open_desk(OLD)
    events = [desk.event("order_completed", f"u{number % 7}", number) for number in range(60)]
    await desk.settle([desk.work(event) for event in events[:repeats]])
    runs = Runs(desk, monkeypatch)
    results = await desk.settle([desk.work(event) for event in events])
    assert sum(result.outcome == "duplicate" for result in results) == repeats
    assert runs.count == (2 if repeats else 1)


@pytest.mark.parametrize("common", [0, 3])
async def test_a_merge_reads_the_events_of_the_smaller_customer_alone_and_only_where_some_are_common(
    open_desk: Any, monkeypatch: pytest.MonkeyPatch, common: int
) -> None:
    desk = await open_desk(OLD)
    views = [desk.event("page_viewed", "ann", number) for number in range(FEW + 1)]
    await desk.settle([desk.work(view) for view in views])
    await desk.settle([desk.work(replace(view, source_id="bob")) for view in views[:common]])
    await desk.take(desk.event("order_completed", "bob"))
    runs = Runs(desk, monkeypatch)
    await desk.take(CustomerMerge("bob", "ann"))
    assert (runs.count, runs.read) == ((2, [["bob"]]) if common else (1, []))
    held = await desk.store.held("bob")
    assert len(held.events) == FEW + 2
    assert History.decode(held.history).tallies["page_viewed"].count == FEW + 1
