"""Customers, identities, merges and erasure."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from adapter.model.encoding import encode
from adapter.store.contract import Store
from adapter.store.values import LoadRequest

ANONYMOUS = ("anonymous_id", "anon-1")


async def test_a_customer_is_returned_as_saved_with_its_history(store: Store, run: Any, make: Any) -> None:
    record = make.customer(
        "c\0 1é", b"\x00folded", email="a@x.test", traits={"n": 2**70, "deep": {"list": [1.5, None, "é"]}},
        identities={"email": "a@x.test"}, segments=("vip",), groups={"g1": {"plan": "pro"}},
    )  # fmt: skip
    await run.save(customers=[record])
    found = (await run.load(customers=["c\0 1é", "c"])).customers
    assert found == {"c\0 1é": replace(record, size=len(encode(record.customer)))}
    assert await store.customer("c\0 1é") == record.customer


async def test_saving_again_replaces(store: Store, run: Any, make: Any) -> None:
    await run.save(customers=[make.customer("c1", name="Old")])
    await run.save(customers=[make.customer("c1", b"h", name="New")])
    await run.save(LoadRequest(customers=["c1"]), customers=[make.customer("c1", b"h2", name="Newer")])
    record = (await run.load(customers=["c1"])).customers["c1"]
    assert replace(record, size=0) == make.customer("c1", b"h2", name="Newer")
    assert (await store.counts())["customers"] == 1


async def test_identities_and_redirects_bring_their_customers(store: Store, run: Any, make: Any) -> None:
    identities = {ANONYMOUS: "c1", ("source_id", "old"): "c2"}
    await run.save(
        customers=[make.customer("c1"), make.customer("c2"), make.customer("c3")], identities=identities
    )
    loaded = await run.load(
        customers=["old", "new"], identities=[ANONYMOUS, ("mpid", "unknown"), ("source_id", "c3")]
    )
    assert loaded.identities == identities
    assert set(loaded.customers) == {"c1", "c2", "c3"}


@pytest.mark.parametrize("name", ["c1", "anon-1", "42", "old"])
async def test_a_customer_is_found_by_any_of_their_names(
    store: Store, run: Any, make: Any, name: str
) -> None:
    identities = {ANONYMOUS: "c1", ("mpid", "42"): "c1", ("source_id", "old"): "c1", ("email", "e"): "c1"}
    await run.save(
        customers=[make.customer("c1")], identities=identities, events=[("c1", make.event())],
        decisions=[make.decision()], discounts=[make.held("A1")],
    )  # fmt: skip
    assert await store.customer(name) == make.customer("c1").customer
    assert await store.events(name) == [make.event()]
    assert await store.decisions(name) == [make.decision()]
    assert await store.discounts(name) == [make.held("A1")]
    assert await store.customer("e") is None


async def test_a_merge_moves_everything(store: Store, run: Any, make: Any) -> None:
    own = make.claim("anon", "high-cart:per-user")
    shop = make.claim("")
    await run.save(
        LoadRequest(messages=[("s", "m")]),
        customers=[make.customer("anon"), make.customer("c1")], identities={ANONYMOUS: "anon"},
        events=[("anon", make.event("e1")), ("c1", make.event("e2", make.at(days=1)))],
        discounts=[make.held("A1", "anon", claims=(own, shop))], decisions=[make.decision("anon")],
        deliveries=[make.delivery("d1", "anon")], rewarded={("s", "m"): "anon"},
        counters={("anon", own.key): 2, ("c1", own.key): 1, ("", shop.key): 3},
    )  # fmt: skip
    await run.save(moved=[("anon", "c1")], customers=[make.customer("c1", name="Both")])
    moved = await store.discount("A1")
    assert moved is not None
    assert moved.source_id == "c1"
    assert moved.claims == (make.claim("c1", own.key), shop)
    assert moved.discount.metadata["user_id"] == "anon"
    assert await run.used(("anon", own.key), ("c1", own.key), ("", shop.key)) == {
        ("c1", own.key): 3, ("", shop.key): 3,
    }  # fmt: skip
    assert [event.id for event in await store.events("c1")] == ["e2", "e1"]
    assert [decision.source_id for decision in await store.decisions("anon")] == ["c1"]
    assert (await store.deliveries("due"))[0].source_id == "c1"
    assert (await run.load(customers=["anon"], identities=[ANONYMOUS])).identities == {
        ANONYMOUS: "c1", ("source_id", "anon"): "c1",
    }  # fmt: skip
    assert (await store.counts())["customers"] == 1


async def test_chained_merges_write_later_data_to_the_last_customer(
    store: Store, run: Any, make: Any
) -> None:
    await run.save(customers=[make.customer("a"), make.customer("b"), make.customer("c")],
                   events=[("a", make.event("e1"))])  # fmt: skip
    await run.save(
        moved=[("a", "b"), ("b", "c")], events=[("a", make.event("e2")), ("b", make.event("e3"))],
        counters={("a", "k"): 1, ("b", "k"): 1}, discounts=[make.held("A1", "a", claims=(make.claim("a"),))],
        identities={ANONYMOUS: "a"},
    )  # fmt: skip
    assert len(await store.events("a")) == 3
    assert await run.used(("c", "k")) == {("c", "k"): 2}
    assert await store.discount("A1") == make.held("A1", "a", claims=(make.claim("c"),)).__replace__(
        source_id="c"
    )
    loaded = await run.load(customers=["a", "b"], identities=[ANONYMOUS])
    assert loaded.identities == {("source_id", "a"): "c", ("source_id", "b"): "c", ANONYMOUS: "c"}


async def test_merging_again_and_into_oneself_changes_nothing(store: Store, run: Any, make: Any) -> None:
    await run.save(customers=[make.customer("a"), make.customer("b")], events=[("a", make.event())],
                   counters={("a", "k"): 1, ("", "k"): 5})  # fmt: skip
    for _ in range(2):
        await run.save(moved=[("a", "b"), ("b", "b")])
    assert await store.events("b") == [make.event()]
    assert await run.used(("a", "k"), ("b", "k"), ("", "k")) == {("b", "k"): 1, ("", "k"): 5}
    assert (await run.load(customers=["a", "b"])).identities == {("source_id", "a"): "b"}


async def test_an_event_that_both_have_is_kept_once(store: Store, run: Any, make: Any) -> None:
    await run.save(customers=[make.customer("b")], events=[("a", make.event()), ("b", make.event())])
    await run.save(moved=[("a", "b")])
    assert await store.events("b") == [make.event()]
    assert (await store.counts())["events"] == 1


async def test_an_erasure_keeps_only_counters_of_the_shop(store: Store, run: Any, make: Any) -> None:
    await run.save(
        LoadRequest(messages=[("s", "m")]), answers={("s", "m"): b"A1"}, rewarded={("s", "m"): "c1"},
        customers=[make.customer("c1"), make.customer("c2")],
        identities={ANONYMOUS: "c1", ("source_id", "old"): "c1"}, events=[("c1", make.event())],
        decisions=[make.decision()], discounts=[make.held("A1"), make.held("A2", "c2")],
        deliveries=[make.delivery("d1"), make.delivery("d2", "c2")], counters={("c1", "k"): 1, ("", "k"): 2},
    )  # fmt: skip
    await run.save(erased=["c1"])
    for name in ("c1", "old", "anon-1"):
        assert await store.customer(name) is None
        assert not [*await store.events(name), *await store.decisions(name), *await store.discounts(name)]
    assert await store.discount("A1") is None
    d2, told = await store.deliveries("due")
    assert (d2.id, told.type) == ("d2", "customer.erased")
    assert await run.used(("c1", "k"), ("", "k")) == {("", "k"): 2}
    loaded = await run.load(messages=[("s", "m")], customers=["old"], identities=[ANONYMOUS])
    assert loaded.identities == {}
    assert loaded.answers == {("s", "m"): b""}
    assert await store.purge_dedupe_keys(make.at(days=99)) == 0
    assert (await store.counts())["customers"] == 1


async def test_events_with_the_time_of_an_erasure_are_after_it(store: Store, run: Any, make: Any) -> None:
    await run.save(customers=[make.customer("c1", name="Before")], events=[("c1", make.event("e1"))])
    await run.save(
        LoadRequest(customers=["c1"]),
        erased=["c1"],
        customers=[make.customer("c1", name="After")],
        events=[("c1", make.event("e2"))],
    )
    assert await store.customer("c1") == make.customer("c1", name="After").customer
    assert await store.events("c1") == [make.event("e2")]
