"""Ids of erased people are removed from the data of others, wherever these hold them."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import apsw
import pytest
from msgspec import Raw
from msgspec.structs import replace

from adapter.model.actions import FreeShipping
from adapter.model.discounts import Discount
from adapter.model.encoding import encode
from adapter.model.events import User
from adapter.model.operations import CustomerErase, CustomerUpsert
from adapter.model.redemptions import CodeUse
from adapter.rules.history.history import History
from adapter.services.privacy.redaction import Forgetting
from adapter.store.values import LoadRequest
from tests.store.conftest import Make, Run
from tests.store.planted_rows import ClosedStore

RULES = """
rules:
  - name: gift
    trigger: started
    conditions: {all: ['referrer != "x"', 'history.distinct("started", "referrer", "30d") >= 0']}
    action: {type: free_shipping}
  - name: later
    trigger: {event: started, unless: ordered, within: 30m}
    action: {type: free_shipping}
"""
ANN, ANON = "cust-000001-ann", "anon-000001"
KINDS = (
    "events",
    "decisions",
    "discounts",
    "deliveries",
    "timers",
    "pending_moves",
    "redemptions",
    "rollbacks",
)


@pytest.fixture
async def desk(open_desk: Any) -> Any:
    return await open_desk(RULES)


async def erase(desk: Any, *names: str) -> None:
    await desk.settle([desk.work(CustomerErase(name)) for name in names])


async def finish(desk: Any, *common: str) -> None:
    await Forgetting(desk.store, lambda: desk.now, common).finish()


async def live(desk: Any) -> None:
    """Give Ann a past, and Bob one in which she is mentioned in every kind of row."""
    desk.destinations = ("hook",)
    await desk.take(CustomerUpsert(ANN, {"anonymous_id": ANON}), desk.event("started", ANN))
    await desk.take(CustomerUpsert("bob", traits={"by": ANN.upper(), ANON: {"deep": [f"/u/{ANN}/x"]}}))
    url = f"https://x.test/?r={quote(quote(ANON + '&', safe=''), safe='')}"
    started = desk.event("started", "bob", 1, referrer=ANN, url=url)
    event = replace(started.event, user=User("bob", anonymous_id=ANON), context={"page": {ANN: 1}})
    await desk.take(replace(started, event=event))
    await desk.take(desk.event("started", "bob", 2, referrer="none"))
    await book(desk)


async def book(desk: Any) -> None:
    """Store what mentions Ann otherwise: of Bob, and redemptions of no customer."""
    make, note = Make(), {"referrer": ANN}
    discount = Discount("SHARED", FreeShipping(), None, note, False, "redeemed")
    order = {"metadata": note, "lines": [{"note": f"from {ANON}"}]}
    uses = (CodeUse(code="SHARED", discount=discount),)
    held, delivery = make.held("X-1", "bob"), make.delivery("d1", "bob")
    await Run(desk.store, make).save(
        LoadRequest(customers=["bob"]),
        discounts=[replace(held, reason=f"by {ANN}", discount=replace(held.discount, metadata=note))],
        deliveries=[replace(delivery, event=Raw(encode({"traits": note})), last_error=f"no {ANON}")],
        armed=[replace(make.timer("third", "bob"), event=make.event("e9", referrer=ANN))],
        pending=[make.pending(source_id="bob", order_id=f"order of {ANN}")],
        redemptions=[
            make.redemption(f"r-{who}", who, uses=uses, order_id=f"o{who}", order=order, context=note)
            for who in ("bob", "")
        ],
        rollbacks=[
            make.rollback(f"b-{who}", redemption=f"r-{who}", source_id=who, reason=f"for {ANN}")
            for who in ("bob", "")
        ],
    )


def file_of(path: str) -> str:
    connection = apsw.Connection(path)
    connection.execute("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    connection.close()
    return Path(path).read_bytes().decode("latin-1").lower()


async def all_of(desk: Any, store_url: str) -> str:
    """Return all that a store holds, in lower case: SQLite's file after a VACUUM, PostgreSQL's rows."""
    await desk.store.close()
    if store_url.startswith("sqlite"):
        return file_of(store_url.removeprefix("sqlite:///"))
    rows = await ClosedStore(store_url).rows()
    values = [value for table in rows.values() for row in table for value in row.values()]
    texts = [value.decode("latin-1") if isinstance(value, bytes) else str(value) for value in values]
    return "\n".join(texts).lower()


async def test_an_erasure_removes_ids_from_every_row_of_others(desk: Any, store_url: str) -> None:
    await live(desk)
    before = await desk.store.held("bob")
    assert encode(before).count(ANN.encode()) > 10
    await erase(desk, ANN)
    await finish(desk)
    after = await desk.store.held("bob")
    for kind in KINDS:
        assert len(getattr(after, kind)) == len(getattr(before, kind)) > 0
    assert after.events[-1] == before.events[-1]
    assert after.customer.source_id == "bob"
    assert after.customer.traits == {"by": "[erased]", "[erased]": {"deep": ["/u/[erased]/x"]}}
    values = History.decode(after.history).tallies["started"].figures["referrer"].values
    assert set(values or ()) == {"t[erased]", "tnone"}
    [receipt] = await desk.store.receipts(ANN)
    assert receipt.removed["mentions"] == 11
    everything = await all_of(desk, store_url)
    assert "[erased]" in everything
    assert ANN not in everything
    assert ANON not in everything


async def test_ids_of_others_are_not_removed(desk: Any) -> None:
    ann = "0123456789abcdef-0123"
    names = [f"{ann}-bob", "shared-000001", "123456789abcdef-0123", f"x{ann}"]
    common = "placeholder-1"
    await desk.take(CustomerUpsert(ann, {"anonymous_id": "shared-000001", "mpid": common}))
    await desk.take(CustomerUpsert("shared-000001-x", {"customer_id": "0123456789"}), desk.event("seen", ann))
    for who in names:
        upsert = CustomerUpsert(who, traits={"all": " ".join([*names, common])})
        await desk.take(upsert, desk.event("seen", who, by=who, code="SHARED-CODE"))
    before = {who: encode(await desk.store.held(who)) for who in names}
    await erase(desk, ann)
    await desk.take(CustomerUpsert("shared-000001", traits={"new": 1}))
    await finish(desk, common)
    assert await desk.store.customer(ann) is None
    for who in (names[0], names[2], names[3]):
        after = encode(await desk.store.held(who))
        own = who == names[0]
        assert after == (before[who] if own else before[who].replace(f"{ann}-bob".encode(), b"[erased]-bob"))


async def test_the_id_of_a_code_is_not_removed(desk: Any) -> None:
    await Run(desk.store, Make()).save(
        customers=[Make().customer("bob")], discounts=[Make().held("ANNSMITH10", "bob")]
    )
    await desk.take(desk.event("seen", "bob", coupon="AnnSmith10"))
    before = await desk.store.held("bob")
    await desk.take(CustomerUpsert("annsmith10", traits={"n": 1}))
    await erase(desk, "annsmith10")
    await finish(desk)
    assert await desk.store.held("bob") == before


async def test_a_customer_keeps_an_id_that_is_among_their_own(desk: Any) -> None:
    """A kind of id that finds no customer is known by the record alone."""
    await desk.take(CustomerUpsert(ANN))
    await desk.take(CustomerUpsert("bob", {"loyalty_id": ANN}, traits={"card": ANN}))
    await desk.take(CustomerUpsert("cid", traits={"friend": ANN}))
    await erase(desk, ANN)
    await finish(desk)
    bob, cid = await desk.store.customer("bob"), await desk.store.customer("cid")
    assert (bob.identities, bob.traits) == ({"loyalty_id": ANN}, {"card": ANN})
    assert cid.traits == {"friend": "[erased]"}
