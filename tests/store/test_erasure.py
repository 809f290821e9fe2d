"""What an erasure removes, what it leaves, and what there is to remove."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest

from adapter.model.erasures import ForwardedErasure, Receipt
from adapter.store.contract import Store
from adapter.store.transaction_contract import Transaction
from adapter.store.values import Erasure, LoadRequest

ANONYMOUS = ("anonymous_id", "anon-1")
#: Documents that name c1, each in another way.
NAMING = [
    {"userId": "c1"}, {"anonymousId": "anon-1"}, {"user_id": "old"},
    {"context": {"traits": {"email": "a@x.test"}}},
    {"mparticle": {"batch": {"mpid": 42}}},
    {"identities": [{"identity_type": "customer_id", "identity": "c1"}]},
]  # fmt: skip


async def fill(run: Any, make: Any) -> None:
    """Store something of every kind of c1, the same of c2, and what counts for the shop."""
    await run.save(
        LoadRequest(messages=[("s", "m1"), ("s", "m2")]),
        answers={("s", "m1"): b"A1", ("s", "m2"): b"A2"}, rewarded={("s", "m1"): "c1", ("s", "m2"): "c2"},
        customers=[make.customer("c1", b"h", email="a@x.test", identities={"device_id": "d"}),
                   make.customer("c2")],
        identities={ANONYMOUS: "c1", ("mpid", "42"): "c1", ("source_id", "old"): "c1"},
        events=[("c1", make.event("late", make.at(hours=1))), ("c1", make.event()), ("c2", make.event())],
        decisions=[make.decision(), make.decision("c2")], discounts=[make.held("A1"), make.held("A2", "c2")],
        deliveries=[make.delivery("d1"), make.delivery("d2", "c2")],
        armed=[make.timer(), make.timer(source_id="c2")],
        counters={("c1", "k"): 1, ("c2", "k"): 1, ("", "k"): 2, ("device:d", "k"): 1},
        quarantine=[make.quarantined(str(at), names=names) for at, names in enumerate(NAMING)]
        + [make.quarantined("other", names={"userId": "c2", "properties": {"title": "c1"}})],
    )  # fmt: skip


async def test_all_data_of_a_customer_are_found_by_any_name(store: Store, run: Any, make: Any) -> None:
    await fill(run, make)
    for name in ("c1", "anon-1", "42", "old"):
        held = await store.held(name)
        assert held.source_id == "c1"
        assert held.customer is not None
        assert (held.customer.email, held.history) == ("a@x.test", b"h")
        assert held.names == [ANONYMOUS, ("mpid", "42"), ("source_id", "old")]
        assert [event.id for event in held.events] == ["e1", "late"]
        assert (held.decisions, held.discounts) == ([make.decision()], [make.held("A1")])
        assert (held.deliveries, held.timers) == ([make.delivery("d1")], [make.timer()])
        assert held.counters == {"k": 1}
        assert [message.key for message in held.quarantined] == [str(at) for at in range(len(NAMING))]


async def test_an_erasure_removes_and_counts_all_rows_of_one_person(
    store: Store, run: Any, make: Any
) -> None:
    await fill(run, make)
    others = await store.held("c2")
    await run.save(LoadRequest(customers=["c1"]), erased=[Erasure("c1", ("old", "c1"), "opendsr", "r1")])
    removed = {
        "answers": 1, "counters": 1, "customers": 1, "decisions": 1, "deliveries": 1, "discounts": 1,
        "events": 2, "identities": 3, "quarantined": len(NAMING), "timers": 1,
    }  # fmt: skip
    for name in ("c1", "old"):
        print_ = sha256(name.encode()).hexdigest()
        waiting = [ForwardedErasure("shop", "waiting", make.now)]
        receipt = Receipt(print_, make.now, "opendsr", "r1", removed, waiting)
        assert await store.receipts(name) == [receipt]
    for name in ("c1", "anon-1", "42", "old"):
        held = await store.held(name)
        assert (held.source_id, held.customer) == (name, None)
        assert not any((held.names, held.events, held.decisions, held.discounts, held.deliveries, held.timers,
                        held.counters, held.quarantined))  # fmt: skip
    assert await store.held("c2") == others
    assert await run.used(("", "k"), ("device:d", "k")) == {("", "k"): 2, ("device:d", "k"): 1}


async def test_a_repeated_erasure_leaves_one_receipt_and_another_request_its_own(
    store: Store, run: Any, make: Any
) -> None:
    await fill(run, make)
    for _ in range(2):
        await run.save(LoadRequest(customers=["c1"]), erased=[Erasure("c1", (), "segment", "m9")])
    await run.save(LoadRequest(customers=["c1"]), erased=[Erasure("c1", (), "api")])
    assert [(receipt.by, bool(receipt.removed)) for receipt in await store.receipts("c1")] == [
        ("api", False), ("segment", True),
    ]  # fmt: skip


async def test_an_erasure_deletes_messages_quarantined_before_it_and_keeps_later_ones(
    store: Store, run: Any, make: Any
) -> None:
    before, after = (make.quarantined(key, names={"userId": "c1"}) for key in ("before", "after"))
    await run.save(erased=[Erasure("c1", quarantined=[before])], quarantine=[after])
    assert [message.key for message in await store.quarantined()] == ["after"]
    [receipt] = await store.receipts("c1")
    assert receipt.removed == {"quarantined": 1}


async def test_a_released_message_is_removed_from_the_index_of_names(
    store: Store, run: Any, make: Any
) -> None:
    await run.save(quarantine=[make.quarantined("1", names={"userId": "c1", "anonymousId": "a"})])
    [message] = (await store.held("c1")).quarantined
    assert await store.release_quarantined([message.id]) == 1
    assert (await store.held("c1")).quarantined == []


async def test_an_interrupted_erasure_removes_nothing_and_can_be_repeated(
    store: Store, run: Any, make: Any
) -> None:
    await fill(run, make)
    before = await store.held("c1")

    async def cut_off(transaction: Transaction) -> None:
        await transaction.load(LoadRequest(customers=["c1"]), make.now)
        await transaction.save(make.changes(erased=["c1"]))
        raise KeyError("pulled the plug")

    with pytest.raises(KeyError, match="pulled the plug"):
        await store.transact(cut_off)
    assert (await store.held("c1"), await store.receipts("c1")) == (before, [])
    await run.save(LoadRequest(customers=["c1"]), erased=["c1"])
    assert (await store.held("c1")).events == []
    assert len(await store.receipts("c1")) == 1
