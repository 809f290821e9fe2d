"""A rule that is new sees a customer's whole past at once."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapter.model.operations import CustomerMerge, CustomerUpsert, EventOccurred
from tests.length import length

OLD = """
rules:
  - {name: old, trigger: checkout_started, conditions: ["history.count('order_completed') > 90"],
     action: {type: percentage_off, value: 5, max_amount: 9}}
"""
NEW = (
    OLD
    + """
  - name: big-spender
    trigger: checkout_started
    conditions: ["history.sum('order_completed', 'total', '30d') >= 100"]
    action: {type: percentage_off, value: 15, max_amount: 40}
"""
)
DAY = 24 * 60


def outcome(result: Any, rule: str = "big-spender") -> bool:
    return any(discount.metadata["rule"] == rule for discount in result.discounts)


async def test_a_new_rule_counts_earlier_events(open_desk: Any, make_rules: Any) -> None:
    desk = await open_desk(OLD)
    for days in (1, 2, 40):
        await desk.take(desk.event("order_completed", minutes=-days * DAY, total=60))
    desk.book = make_rules(NEW)
    assert outcome(await desk.take(desk.event("checkout_started")))


async def test_events_older_than_the_window_do_not_count(open_desk: Any, make_rules: Any) -> None:
    desk = await open_desk(OLD)
    for days in (1, 32, 40):
        await desk.take(desk.event("order_completed", minutes=-days * DAY, total=60))
    desk.book = make_rules(NEW)
    assert not outcome(await desk.take(desk.event("checkout_started")))


async def test_the_history_is_read_once_and_stored(
    open_desk: Any, make_rules: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = await open_desk(OLD)
    people = [f"u{number}" for number in range(5)]
    await desk.settle([desk.work(desk.event("order_completed", who, total=100)) for who in people])
    desk.book = make_rules(NEW)
    asked: list[list[str]] = []

    class Counting:
        def __init__(self, transaction: Any) -> None:
            self._transaction = transaction

        def __getattr__(self, name: str) -> Any:
            return getattr(self._transaction, name)

        async def past(self, source_ids: Any) -> Any:
            asked.append(list(source_ids))
            return await self._transaction.past(source_ids)

    transact = desk.store.transact
    monkeypatch.setattr(
        desk.store, "transact", lambda script, _: transact(lambda opened: script(Counting(opened)))
    )
    results = await desk.settle([desk.work(desk.event("checkout_started", who)) for who in people])
    assert all(outcome(result) for result in results)
    assert asked == [people]
    await desk.settle([desk.work(desk.event("checkout_started", who, minutes=1)) for who in people])
    assert asked == [people]


async def test_events_of_the_batch_itself_count_once(open_desk: Any, make_rules: Any) -> None:
    desk = await open_desk(OLD)
    await desk.take(desk.event("order_completed", minutes=-5, total=45))
    desk.book = make_rules(NEW)
    results = await desk.settle(
        [
            desk.work(desk.event("order_completed", minutes=-3, total=45)),
            desk.work(desk.event("checkout_started")),
            desk.work(desk.event("order_completed", minutes=-2, total=15)),
            desk.work(desk.event("checkout_started", minutes=1)),
        ]
    )
    assert [outcome(result) for result in results] == [False, False, False, True]


@pytest.mark.parametrize("how", ["merge", "sign in"])
async def test_two_histories_merged_in_the_batch_are_both_completed(
    open_desk: Any, make_rules: Any, how: str
) -> None:
    desk = await open_desk(OLD)
    visit = desk.event("order_completed", "anon-1", minutes=-5, total=60).event
    await desk.take(EventOccurred("anon-1", visit, {"anonymous_id": "anon-1"}))
    await desk.take(desk.event("order_completed", "ann", minutes=-4, total=40))
    desk.book = make_rules(NEW)
    joining = (
        CustomerMerge("ann", "anon-1")
        if how == "merge"
        else CustomerUpsert("ann", identities={"anonymous_id": "anon-1"})
    )
    results = await desk.settle([desk.work(joining), desk.work(desk.event("checkout_started", "ann"))])
    assert outcome(results[1])


#: The examples share a store; their customers must not meet.
EXAMPLES = itertools.count()
ORDERS = st.lists(
    st.tuples(st.integers(-45 * DAY, 0), st.integers(1, 60), st.sampled_from(["a", "b"])), max_size=12
)


# An example is a store of its own, with two runs of a stream of orders: 100 ms and more on PostgreSQL.
@pytest.mark.slow
@settings(
    max_examples=length(15, 100), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(orders=ORDERS, late=ORDERS, batches=st.booleans())
async def test_a_rule_set_that_is_added_later_decides_as_if_it_had_always_existed(
    open_desk: Any, make_rules: Any, orders: Any, late: Any, batches: bool
) -> None:
    found = []
    for number, start in enumerate((OLD, NEW)):
        desk = await open_desk(start)
        prefix = f"{next(EXAMPLES)}-{number}"

        def works(told: Any, first: int, desk: Any = desk, prefix: str = prefix) -> list[Any]:
            # No two orders at the same moment: they would be one event.
            return [
                desk.work(desk.event("order_completed", f"{prefix}{who}", minutes + at / 1000, total=total))
                for at, (minutes, total, who) in enumerate(told, first)
            ]

        await desk.settle(works(orders, 0))
        desk.book = make_rules(NEW)
        rest = [
            *works(late, len(orders)),
            desk.work(CustomerMerge(f"{prefix}a", f"{prefix}b")),
            desk.work(desk.event("checkout_started", f"{prefix}a")),
        ]
        results = await desk.settle(rest) if batches else [(await desk.settle([work]))[0] for work in rest]
        found.append(outcome(results[-1]))
        await desk.store.close()
    assert found[0] == found[1]
