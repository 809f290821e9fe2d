"""How much may be joined into one customer; what is beyond waits in quarantine."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from adapter.model.customers import Customer
from adapter.model.encoding import encode
from adapter.model.operations import (
    CustomerErase,
    CustomerMerge,
    CustomerUpsert,
    DiscountMove,
    EventOccurred,
)
from adapter.services.ingest import identities
from adapter.services.ingest.identities import MOST_JOINED, MOST_NAMES
from adapter.services.privacy.redaction import Forgetting
from adapter.services.privacy.requests import Privacy
from adapter.services.read_timeout import ReadTimeout

RULES = (
    "rules: [{name: gift, trigger: started, action: {type: free_shipping}, guardrails: {per_user_limit: 1}}]"
)

WAITING = """
rules:
  - {name: gift, trigger: started, action: {type: free_shipping}, guardrails: {stackable: true}}
  - {name: left, trigger: {event: started, unless: paid, within: 2h}, action: {type: free_shipping}}
"""


@pytest.fixture
async def desk(open_desk: Any) -> Any:
    return await open_desk(RULES)


def merge(desk: Any, old: str, new: str) -> Any:
    """Return an alias as a message brings it."""
    work = desk.work(CustomerMerge(new, old))
    return replace(work, document={"messageId": work.key, "previousId": old, "userId": new})


async def test_beyond_a_number_of_names_merges_are_quarantined_with_the_reason(desk: Any) -> None:
    count = MOST_NAMES + 50
    results = []
    for start in range(0, count, 350):
        works = [merge(desk, f"x{at}", f"x{at + 1}") for at in range(start, min(start + 350, count))]
        results += await desk.settle(works)
    assert [at for at, result in enumerate(results) if result.outcome == "quarantined"] == [MOST_NAMES]
    assert results[MOST_NAMES].reason == "not merged: the customer would have more than 1,000 ids"
    [kept] = await desk.store.quarantined()
    assert (kept.reason, kept.key) == (results[MOST_NAMES].reason, results[MOST_NAMES].message_id)
    assert await desk.store.customer("x0") == await desk.store.customer(f"x{MOST_NAMES}")
    assert (await desk.take(CustomerMerge("y1", "y0"))).outcome == "processed"


async def test_two_customers_with_many_rows_each_are_not_merged(
    desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identities, "MOST_MOVED", 20)
    monkeypatch.setattr("adapter.services.ingest.apply.MOST_MOVED", 20)
    for who, many in (("ann", 40), ("bob", 30), ("cid", 5)):
        await desk.settle([desk.work(desk.event("seen", who, minute)) for minute in range(many)])
    [apart, joined] = await desk.settle([merge(desk, "ann", "bob"), merge(desk, "cid", "bob")])
    assert (apart.outcome, joined.outcome) == ("quarantined", "processed")
    assert apart.reason == identities._TOO_MANY_ROWS
    assert len(await desk.store.events("ann")) == 40
    assert len(await desk.store.events("cid")) == 30


async def test_customers_with_too_much_data_together_are_not_merged(desk: Any) -> None:
    much = "x" * (MOST_JOINED * 2 // 5)
    for who in ("ann", "bob", "cid"):
        await desk.take(CustomerUpsert(who, traits={f"of {who}": much}))
    [joined, apart] = await desk.settle([merge(desk, "ann", "bob"), merge(desk, "bob", "cid")])
    assert (joined.outcome, apart.outcome) == ("processed", "quarantined")
    await desk.take(CustomerUpsert("bob", removed_traits=("of bob",)))
    [joined] = await desk.settle([merge(desk, "bob", "cid")])
    assert joined.outcome == "processed"
    assert (await desk.store.customer("ann")).traits == {"of ann": much, "of cid": much}


async def test_histories_of_many_event_names_are_not_joined_without_end(desk: Any) -> None:
    sizes, outcomes = [], set()
    for who in range(6):
        names = [f"{who}-{number}-{'x' * 500}" for number in range(250)]
        await desk.settle([desk.work(desk.event(name, f"u{who}")) for name in names])
        [result] = await desk.settle([merge(desk, f"u{who}", "one")])
        outcomes.add(result.outcome)
        sizes.append(len((await desk.store.held("one")).history))
    assert outcomes == {"processed", "quarantined"}
    assert max(sizes) <= MOST_JOINED


async def test_messages_of_a_visitor_that_is_not_merged_are_still_processed(
    desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identities, "MOST_NAMES", 3)
    for number in range(3):
        await desk.take(CustomerUpsert("ann", identities={"anonymous_id": f"known-{number}"}))
    await desk.take(CustomerUpsert("visit", identities={"anonymous_id": "visit"}, traits={"seen": "shoes"}))
    started: EventOccurred = replace(desk.event("started"), identities={"anonymous_id": "visit"})
    result = await desk.take(started)
    assert (result.outcome, len(result.discounts)) == ("processed", 1)
    assert result.reason == identities._TOO_MANY_NAMES
    assert (await desk.store.customer("ann")).traits == {}
    assert (await desk.store.customer("visit")).traits == {"seen": "shoes"}


async def test_a_merged_customer_has_the_id_of_the_merge(desk: Any) -> None:
    await desk.settle([desk.work(desk.event("seen", "old", minute)) for minute in range(150)])
    first = await desk.take(desk.event("started", "old", 200))
    await desk.take(CustomerUpsert("old", traits={"of": "old"}, fields={"email": "a@example.org"}))
    await desk.take(CustomerUpsert("new", traits={"plan": "pro"}))
    await desk.take(CustomerMerge("new", "old"))
    [rows] = [record for record in await keys(desk) if record in ("old", "new")]
    assert rows == "old", "what was much has not been moved"
    for name in ("old", "new"):
        customer = await desk.store.customer(name)
        assert customer.source_id == "new"
        assert customer.traits == {"of": "old", "plan": "pro"}
        assert len(await desk.store.events(name, 500)) >= 151
        assert {each.source_id for each in await desk.store.decisions(name)} == {"new"}
        assert [each.source_id for each in await desk.store.discounts(name)] == ["new"]
        held = await desk.store.held(name)
        assert (held.source_id, held.customer, held.names) == ("new", customer, [("source_id", "old")])
        assert (await desk.take(desk.event("started", name, 300))).discounts == [], "one each, however joined"
    assert (await desk.store.discount(first.discounts[0].code)).source_id == "new"
    await desk.take(CustomerMerge("newer", "new"))
    assert {(await desk.store.customer(name)).source_id for name in ("old", "new", "newer")} == {"newer"}
    assert await keys(desk) == ["old"]


async def test_timers_of_a_customer_stored_under_another_id_have_the_own_id(open_desk: Any) -> None:
    desk = await open_desk(WAITING)
    desk.destinations = ("shop",)
    await desk.settle([desk.work(desk.event("seen", "old", minute)) for minute in range(150)])
    await desk.take(desk.event("started", "old", 200))
    await desk.take(CustomerMerge("new", "old"))
    await desk.take(desk.event("started", "new", 210))
    held = await desk.store.held("new")
    assert ([each.source_id for each in held.deliveries], held.timers[0].source_id) == (["new"] * 2, "new")
    listed = await desk.store.deliveries("due", 9)
    assert [each.source_id for each in listed] == ["new", "new"]


async def keys(desk: Any) -> list[str]:
    """Return the ids under which customers are kept."""
    return [past.source_id for past in await desk.store.customer_histories("", 100)]


async def test_erasing_a_customer_kept_under_another_id_leaves_nothing(desk: Any) -> None:
    await desk.settle([desk.work(desk.event("seen", "old", minute)) for minute in range(150)])
    await desk.take(CustomerMerge("new", "old"))
    await desk.take(CustomerErase("new"))
    for name in ("old", "new"):
        held = await desk.store.held(name)
        assert (held.customer, held.events, held.names, held.counters) == (None, [], [], {})
    [receipt] = await desk.store.receipts("new")
    assert receipt.removed["events"] == 150
    await desk.take(CustomerUpsert("new", traits={"again": True}))
    assert await desk.store.customer("new") == Customer("new", traits={"again": True})
    assert await desk.store.customer("old") is None


async def test_an_erased_address_keeps_the_data_of_a_customer_under_another_id(desk: Any) -> None:
    await desk.settle([desk.work(desk.event("seen", "old", minute)) for minute in range(150)])
    await desk.take(desk.event("gave", "old", 200, recipient="ann@example.org"))
    await desk.take(CustomerUpsert("old", traits={"friend": "ann@example.org"}))
    await desk.take(CustomerMerge("new", "old"))
    await desk.take(CustomerUpsert("ann", fields={"email": "ann@example.org"}))
    forgetting = Forgetting(desk.store, lambda: desk.now)
    privacy = Privacy(desk.store, desk.settle, lambda: desk.now, ReadTimeout(30), forgetting)
    await privacy.erase_address("ann@example.org")
    assert await desk.store.customer("ann") is None
    held = await desk.store.held("new")
    assert (await desk.store.customer("new")).source_id == "new"
    assert len(held.events) == 151
    assert b"ann@example.org" not in encode([held.customer, held.events, held.decisions])


async def test_customers_with_many_pending_moves_are_not_merged(desk: Any) -> None:
    [gift] = (await desk.take(desk.event("started", "holder"))).discounts
    for who in ("ann", "bob", "cid"):
        works = []
        for number in range(80):
            move = desk.work(DiscountMove("redeem", gift.code, who, f"{who}-{number}"))
            works.append(replace(move, document={"timestamp": desk.now.isoformat()}))
        await desk.settle(works)
        assert len(await desk.store.pending_moves(source_id=who)) == 80
    [joined, apart] = await desk.settle([merge(desk, "ann", "bob"), merge(desk, "bob", "cid")])
    assert (joined.outcome, apart.outcome) == ("processed", "quarantined")
    assert apart.reason == identities._TOO_MANY_MOVES
    assert len(await desk.store.pending_moves(source_id="ann")) == 160
    assert len(await desk.store.pending_moves(source_id="cid")) == 80
