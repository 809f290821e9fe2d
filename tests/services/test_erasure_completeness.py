"""Whatever an erased person is named by, and wherever it is planted: it goes, and what others have stays."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Raw
from msgspec.structs import replace

from adapter.model.emails import ERASED, found_in
from adapter.model.encoding import decode, encode
from adapter.model.mentions import Mentions
from adapter.model.operations import CustomerUpsert
from adapter.model.quarantine import Quarantined
from adapter.model.removals import IdRemoval
from adapter.services.privacy.redaction import Forgetting
from adapter.services.privacy.requests import Privacy
from adapter.services.read_timeout import ReadTimeout
from adapter.store.engines import open_store
from adapter.store.values import CustomerData
from tests.length import length
from tests.model.planting import JSON, PLACES, planted, texts
from tests.services.conftest import Desk

RULES = "rules: [{name: gift, trigger: started, action: {type: free_shipping}}]"
_TURNS = itertools.count(1)


def kept(desk: Desk, document: Any) -> Any:
    message = Quarantined("segment", "bad", Raw(encode({"properties": document})), "no id", desk.now)
    return replace(desk.work(), quarantine=message)


def told(held: CustomerData) -> list[str]:
    """Return all that people have said of a customer, as texts."""
    traits = held.customer.traits if held.customer else {}
    return texts([traits, *(event.attributes for event in held.events)])


async def play(desk: Desk, turn: int, before: Any, after: dict[str, Any]) -> None:
    """Give Ann and Bob what they have; `after` has documents with a name of Ann's planted in them."""
    ann, bob, mail, anonymous = f"cust-{turn:06}-ann", f"bob-{turn}", f"ann.{turn}@x.test", f"anon-{turn:06}"
    store, names = desk.store, {"to": mail, "via": ann, "by": anonymous}
    named = {place: {key: after[place](name) for key, name in names.items()} for place in ("event", "trait")}
    await desk.take(CustomerUpsert(ann, {"anonymous_id": anonymous}, {"email": mail.upper()}))
    await desk.take(CustomerUpsert(bob, fields={"email": f"{bob}@x.test"}, traits=named["trait"]))
    await desk.take(desk.event("started", bob, 1, **named["event"]))
    await desk.take(desk.event("started", bob, 2, to=before))
    own = await store.held(bob)
    await desk.settle([kept(desk, after["kept"](name)) for name in (mail, ann, anonymous)])
    await desk.settle([kept(desk, before)])
    forgetting = Forgetting(store, lambda: desk.now)
    privacy = Privacy(store, desk.settle, lambda: desk.now, ReadTimeout(60), forgetting)
    await privacy.erase_address(mail)
    left = await store.held(bob)
    assert mail not in found_in(encode(left).decode())
    gone = IdRemoval([ann, anonymous])
    assert not gone.contains("\n".join(texts(decode(encode(left), Any))))
    assert left.customer is not None
    others = [text for text in told(own) if not (gone.contains(text) or mail in found_in(text))]
    assert [text for text in told(left) if ERASED not in text] == others
    assert left.customer.email == f"{bob}@x.test"
    assert [event for event in left.events if event.id.endswith("2")] == [own.events[1]]
    for kind in ("events", "decisions", "discounts"):
        assert len(getattr(left, kind)) == len(getattr(own, kind)) > 0
    assert (await store.held(ann)).customer is None
    [only] = await store.quarantined()
    message = await store.quarantined_message(only.id)
    assert message is not None
    assert bytes(message.document) == encode({"properties": before})
    assert not Mentions([ann, mail, anonymous]).stand_in(message)
    await store.release_quarantined([only.id])


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_an_erasure_removes_ids_planted_anywhere_and_keeps_the_data_of_others(
    engine: str, request: pytest.FixtureRequest, make_rules: Any
) -> None:
    url = "sqlite:///:memory:" if engine == "sqlite" else str(request.getfixturevalue("postgres_url"))
    book = make_rules(RULES)

    # An example plants an id in every table and looks at every row: 100 ms and more on PostgreSQL.
    @settings(max_examples=length(30, 100))
    @given(JSON, st.tuples(PLACES, PLACES, PLACES), st.data())
    def each(document: Any, places: Any, data: st.DataObject) -> None:
        turn = next(_TURNS)

        def planting(place: Any) -> Any:
            return lambda name: planted(document, place(name), data)

        async def run() -> None:
            store = open_store(url)
            await store.open()
            try:
                after = dict(zip(("event", "trait", "kept"), map(planting, places), strict=True))
                await play(Desk(store, book, itertools.count(turn * 1_000)), turn, document, after)
            finally:
                await store.close()

        asyncio.run(run())

    each()
