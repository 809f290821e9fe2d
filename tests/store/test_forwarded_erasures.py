"""Erasures that are forwarded: who was sent the customer, the delivery, and the receipt, on both engines."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from adapter.model.deliveries import Selection
from adapter.model.erasures import ForwardedErasure, fingerprint, read_customer_erased
from adapter.store.contract import Store
from adapter.store.erasures import AFTER_LEASES
from adapter.store.values import DeliveryResult, Erasure, LoadRequest
from tests.store.conftest import NOW, Make, Run

LATER = NOW + timedelta(hours=1)


async def waiting(store: Store, run: Run, make: Make) -> None:
    """Send c-1 to two destinations, and c-2 to one; merge an earlier visitor into c-1, and erase c-1."""
    await run.save(
        customers=[
            make.customer("c-1", identities={"email": "a@x.io"}),
            make.customer("c-2"),
            make.customer("v-1"),
        ],
        deliveries=[
            make.delivery("d1", "c-1", destination="crm"),
            make.delivery("d2", "c-1", destination="shop"),
            make.delivery("d3", "c-2", destination="other"),
            make.delivery("d4", "v-1", destination="crm"),
        ],
    )
    wanted = LoadRequest(customers=["c-1", "v-1"])
    merged = make.customer("c-1", identities={"email": "a@x.io"})
    await run.save(wanted, moved=[("v-1", "c-1")], customers=[merged])
    [held] = [await store.held("c-1")]
    assert {(each.destination, each.source_id) for each in held.sent_to} == {
        ("crm", "c-1"), ("crm", "v-1"), ("shop", "c-1"),
    }  # fmt: skip
    await run.save(wanted, erased=[Erasure("c-1", ("c-1", "v-1"), "api", "r")])


async def test_only_destinations_that_were_sent_the_customer_hear_of_it_under_each_id(
    store: Store, run: Run, make: Make
) -> None:
    await waiting(store, run, make)
    due = [each for each in await store.deliveries("due") if each.type == "customer.erased"]
    told = {(each.destination, read_customer_erased(bytes(each.event)).source_id) for each in due}
    assert told == {("crm", "c-1"), ("crm", "v-1"), ("shop", "c-1")}
    assert {each.due_at for each in due} == {NOW + AFTER_LEASES}
    assert read_customer_erased(bytes(due[0].event)).identities == {"email": "a@x.io"}
    [other] = [each for each in await store.deliveries("due") if each.type != "customer.erased"]
    assert other.id == "d3"
    for name in ("c-1", "v-1"):
        [receipt] = await store.receipts(name)
        assert [(each.destination, each.state) for each in receipt.forwarded] == [
            ("crm", "waiting"), ("crm", "waiting"), ("shop", "waiting"),
        ]  # fmt: skip


async def test_it_is_told_under_the_ids_of_customers_that_were_merged_too(
    store: Store, run: Run, make: Make
) -> None:
    merged = make.customer("c-1", merged=("c-0",))
    await run.save(customers=[merged], deliveries=[make.delivery("d1", "c-1", destination="crm")])
    await run.save(LoadRequest(customers=["c-1"]), erased=[Erasure("c-1")])
    due = [each for each in await store.deliveries("due") if each.type == "customer.erased"]
    assert [read_customer_erased(bytes(each.event)).source_id for each in due] == ["c-0", "c-1"]


async def test_a_repeated_erasure_forwards_nothing_again(store: Store, run: Run, make: Make) -> None:
    await waiting(store, run, make)
    await run.save(LoadRequest(customers=["c-1"]), erased=[Erasure("c-1", ("c-1",), "api", "again")])
    assert len([each for each in await store.deliveries("due") if each.type == "customer.erased"]) == 3


async def test_the_id_is_kept_until_it_is_done_and_the_receipt_says_what_was_done(
    store: Store, run: Run, make: Make
) -> None:
    await waiting(store, run, make)
    leased = await store.lease(LATER, LATER + timedelta(minutes=1), 10, "crm")
    crm = [each for each in leased if each.source_id == f"erased:{fingerprint('c-1').hex()}"]
    [shop] = await store.lease(LATER, LATER + timedelta(minutes=1), 10, "shop")
    done = DeliveryResult(crm[0].id, 1, done=True, forwarded=ForwardedErasure("crm", "done", LATER))
    dead = DeliveryResult(
        shop.id, 1, done=False, error="no", forwarded=ForwardedErasure("shop", "dead", LATER, "no")
    )
    await store.settle([done, dead], None)
    [kept] = await store.deliveries("done")
    assert bytes(kept.event) == b"{}"
    assert "c-1" in bytes((await store.deliveries("dead"))[0].event).decode()  # it may be sent again
    [receipt] = await store.receipts("c-1")
    states = sorted((each.destination, each.state, each.detail) for each in receipt.forwarded)
    assert states == [("crm", "done", ""), ("crm", "waiting", ""), ("shop", "dead", "no")]
    await store.revive(LATER, Selection(destination="shop"))
    [again] = await store.lease(LATER, LATER + timedelta(minutes=1), 10, "shop")
    told = ForwardedErasure("shop", "told", LATER, "call the vendor")
    await store.settle([DeliveryResult(again.id, again.attempt, done=True, forwarded=told)], None)
    late = replace(dead, attempt=again.attempt)
    await store.settle([late], None)
    [receipt] = await store.receipts("c-1")
    assert ("shop", "told", "call the vendor") in [
        (each.destination, each.state, each.detail) for each in receipt.forwarded
    ]
