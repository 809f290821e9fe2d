"""Erasing and exporting over both stores, also concurrently with other work."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from msgspec import Raw
from msgspec.structs import replace

from adapter.errors import NotFound, Unavailable, Unreadable
from adapter.model.encoding import decode, encode
from adapter.model.operations import CustomerErase, CustomerUpsert
from adapter.model.quarantine import Quarantined
from adapter.services.ingest.result import Result
from adapter.services.privacy.export import Export
from adapter.services.privacy.redaction import Forgetting
from adapter.services.privacy.requests import Privacy
from adapter.services.read_timeout import ReadTimeout
from adapter.store.values import PAGE_BYTES

RULE = """
name: welcome
trigger: checkout_started
conditions: {all: [cart_value >= 10]}
action: {type: percentage_off, value: 15}
guardrails: {max_total_redemptions: 5, per_user_limit: 1}
"""


@pytest.fixture
async def desk(open_desk: Any) -> Any:
    return await open_desk(RULE)


@pytest.fixture
def privacy(desk: Any) -> Privacy:
    return privacy_of(desk)


def privacy_of(desk: Any, settle: Any = None) -> Privacy:
    forgetting = Forgetting(desk.store, lambda: desk.now)
    return Privacy(desk.store, settle or desk.settle, lambda: desk.now, ReadTimeout(30), forgetting)


async def exported_of(privacy: Privacy, who: str) -> Export:
    """Return the export of a customer, once it is complete."""
    return decode(b"".join([piece async for piece in privacy.export(who)]), Export)


def bad(desk: Any, who: str) -> Any:
    """Return a message of a customer that is quarantined."""
    kept = Quarantined("segment", "bad", Raw(encode({"userId": who})), "no name", desk.now)
    return replace(desk.work(), quarantine=kept)


async def test_a_customer_is_exported_and_erased_completely(desk: Any, privacy: Privacy) -> None:
    await desk.take(CustomerUpsert("ann", {"anonymous_id": "a-1"}, {"email": "ann@x.test"}))
    [code] = (await desk.take(desk.event("checkout_started", cart_value=20))).discounts
    await desk.settle([bad(desk, "a-1")])
    exported = await exported_of(privacy, "a-1")
    assert encode(exported).count(code.code.encode()) > 1
    assert (exported.names, exported.history["checkout_started"][0]) == ({"anonymous_id": ["a-1"]}, 1)
    assert (len(exported.events), len(exported.quarantined)) == (1, 1)
    receipt = await privacy.erase("a-1")
    assert receipt.removed == {
        "answers": 1, "counters": 1, "customers": 1, "decisions": 1, "discounts": 1, "events": 1,
        "identities": 1, "quarantined": 1,
    }  # fmt: skip
    left = await exported_of(privacy, "ann")
    assert left.receipts[0].removed == receipt.removed
    assert b"ann@x.test" not in encode(left)
    assert await privacy.erase("a-1") == receipt


async def test_the_shops_counts_outlive_the_erased(desk: Any, privacy: Privacy) -> None:
    for turn in range(6):
        issued = (await desk.take(desk.event("checkout_started", minutes=turn, cart_value=20))).discounts
        assert bool(issued) == (turn < 5)
        await privacy.erase("ann")


async def test_of_one_batch_only_messages_after_the_erasure_stay(desk: Any, privacy: Privacy) -> None:
    erase = desk.work(CustomerErase("ann"), key="delete-1")
    batch = [
        desk.work(desk.event("viewed", minutes=0)), bad(desk, "ann"), bad(desk, "bob"), erase,
        bad(desk, "ann"), desk.work(desk.event("viewed", minutes=1)),
    ]  # fmt: skip
    await desk.settle(batch)
    left = await exported_of(privacy, "ann")
    assert [event.id for event in left.events] == ["viewed@1"]
    assert len(left.quarantined) == 1
    assert len((await exported_of(privacy, "bob")).quarantined) == 1
    assert [(receipt.by, receipt.request) for receipt in left.receipts] == [("segment", "delete-1")]


async def test_a_repeated_erasure_request_spares_a_customer_who_returned(desk: Any, privacy: Privacy) -> None:
    erase = desk.work(CustomerErase("ann"), key="delete-1")
    await desk.settle([erase])
    await desk.take(desk.event("viewed"))
    await desk.settle([erase])
    assert len((await exported_of(privacy, "ann")).events) == 1


async def test_erasures_concurrent_with_events_leave_only_later_events(open_desk: Any) -> None:
    """Two processes where the engine allows them: one that takes events, one that erases."""
    taking = await open_desk(RULE)
    erasing = taking if type(taking.store).__name__ == "SqliteStore" else await open_desk(RULE)
    privacy = privacy_of(erasing)

    async def take(at: int) -> None:
        facts = CustomerUpsert("ann", {"anonymous_id": "a-1"}, traits={"at": at})
        await taking.take(facts, taking.event("checkout_started", minutes=at, cart_value=20))

    async def take_many() -> None:
        for at in range(39):
            await take(at)

    async def erase() -> None:
        for _ in range(15):
            await privacy.erase("ann")
            await asyncio.sleep(0)

    await asyncio.gather(take_many(), erase())
    await take(39)
    held = await taking.store.held("ann")
    assert held.customer is not None
    first = 40 - len(held.events)
    assert [event.id for event in held.events] == [f"checkout_started@{at}" for at in range(first, 40)]
    exported = await exported_of(privacy, "ann")
    assert exported.history["checkout_started"][0] == len(held.events)
    assert len(held.decisions) == len(held.events)
    assert held.customer.traits == {"at": 39}


async def test_an_empty_export_is_reported(privacy: Privacy) -> None:
    with pytest.raises(NotFound):
        await exported_of(privacy, "nobody")
    assert (await privacy.erase("nobody")).removed == {}
    assert len((await exported_of(privacy, "nobody")).receipts) == 1


@pytest.mark.parametrize("source_id", ["", "  ", "\u3000", "a\0", "a" * 513])
async def test_an_erasure_without_a_valid_id_removes_nothing(
    source_id: str, desk: Any, privacy: Privacy
) -> None:
    await desk.settle([bad(desk, source_id), bad(desk, "")])
    with pytest.raises(Unreadable):
        await privacy.erase(source_id)
    assert len(await desk.store.quarantined()) == 2


async def test_an_erasure_that_was_not_settled_is_no_success(desk: Any) -> None:
    async def settle(_works: Any) -> list[Result]:
        return [Result("", "ignored", "internal error", error="unavailable")]

    with pytest.raises(Unavailable):
        await privacy_of(desk, settle).erase("ann")


async def test_a_request_with_an_id_is_done_once(desk: Any, privacy: Privacy) -> None:
    await desk.take(CustomerUpsert("ann", fields={"email": "ann@x.test"}))
    receipt = await privacy.erase("ann", "opendsr", "r1")
    await desk.take(desk.event("viewed"))
    assert await privacy.erase("ann", "opendsr", "r1") == receipt
    assert len((await exported_of(privacy, "ann")).events) == 1
    assert (await privacy.erase("ann", "opendsr", "r2")).removed == {"customers": 1, "events": 1}


async def test_an_export_is_read_page_by_page(desk: Any, privacy: Privacy) -> None:
    for number in range(30):
        await desk.take(desk.event("page_viewed", minutes=number, text="x" * 100_000))
    large = Raw(encode({"userId": "ann", "text": "x" * 1_000_000}))
    entries = [replace(bad(desk, "ann"), key=str(number)) for number in range(5)]
    await desk.settle(
        [replace(each, quarantine=replace(each.quarantine, document=large)) for each in entries]
    )
    pieces = [piece async for piece in privacy.export("ann")]
    assert max(map(len, pieces)) < 2 * PAGE_BYTES
    exported = decode(b"".join(pieces), Export)
    assert [event.id for event in exported.events] == [f"page_viewed@{number}" for number in range(30)]
    assert [bytes(each.document) for each in exported.quarantined] == [bytes(large)] * 5
