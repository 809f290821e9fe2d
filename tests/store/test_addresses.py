"""The index of email addresses: what is noted of what is saved, merged, erased and left by older programs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import apsw
import asyncpg
import pytest
from msgspec import Raw
from msgspec.structs import replace

from adapter.errors import Unavailable
from adapter.model.deliveries import Rendered
from adapter.model.events import User
from adapter.model.removals import AddressRemoval
from adapter.store.addresses import MOST
from adapter.store.contract import Store
from adapter.store.engines import open_store
from adapter.store.postgres.connection import SETTINGS
from adapter.store.tables.redaction_sql import ROWS
from adapter.store.transaction_contract import Transaction
from adapter.store.values import Erasure, LoadRequest, Place
from tests.store.before.restore import restore

ANN, BOB = "ann@x.test", "bob@x.test"


async def finish(store: Store) -> None:
    while not await store.note_addresses(2):
        pass


async def test_customers_are_found_by_every_address_in_their_data(store: Store, run: Any, make: Any) -> None:
    await run.save(
        customers=[make.customer("c1", email="Ann@X.test"), make.customer("c2", traits={"a": [f"to {ANN}"]}),
                   make.customer(ANN), make.customer("c3", email="xann@x.test"), make.customer("c4")],
        events=[("c4", make.event(url="https://x.test/?e=ann%40x.test")), ("c3", make.event(note=BOB))],
    )  # fmt: skip
    assert await store.addressed(ANN) == [ANN, "c1", "c2", "c4"]
    assert await store.addressed(ANN, after="c1", limit=1) == ["c2"]
    assert await store.addressed(BOB) == ["c3"]
    assert await store.addressed("none@x.test") == []


async def test_addresses_follow_a_merge_and_go_with_an_erasure(store: Store, run: Any, make: Any) -> None:
    await run.save(customers=[make.customer(name, email=ANN) for name in ("old", "new", "other")])
    await run.save(moved=[("old", "new")], customers=[make.customer("new")])
    assert await store.addressed(ANN) == ["new", "other"]
    await run.save(LoadRequest(customers=["new"]), erased=["new"])
    assert await store.addressed(ANN) == ["other"]


async def test_a_record_of_an_unchanged_customer_is_not_checked_again(
    store: Store, run: Any, make: Any
) -> None:
    await run.save(customers=[replace(make.customer("c1", email=ANN), changed=False)])
    assert await store.addressed(ANN) == []


async def test_a_customer_with_too_many_addresses_is_among_those_of_every_address(
    store: Store, run: Any, make: Any
) -> None:
    await run.save(
        customers=[make.customer("c1"), make.customer("c2", email=ANN)],
        events=[("c1", make.event(to=[f"a{number}@x.test" for number in range(MOST + 1)]))],
    )
    assert await store.addressed(ANN) == ["c1", "c2"]
    assert await store.addressed("none@x.test") == ["c1"]


async def test_an_address_is_taken_out_of_every_row_of_a_customer(store: Store, run: Any, make: Any) -> None:
    named = replace(make.event("e1", note=f"to {ANN}"), user=User("c1", email=ANN))
    events = [named, make.event(f"by:{ANN}", make.at(hours=1)), make.event("e2", make.at(hours=2), note=BOB)]
    held = make.held("A1", event_id=f"by:{ANN}")
    await run.save(
        LoadRequest(messages=[("s", "m1")]),
        answers={("s", "m1"): f'["{ANN}"]'.encode()}, rewarded={("s", "m1"): "c1"},
        customers=[make.customer("c1", email=BOB)], events=[("c1", event) for event in events],
        decisions=[replace(make.decision(), seen={"note": ANN})], discounts=[held],
        deliveries=[replace(make.delivery("d1"), last_error=f"no {ANN}")],
        armed=[replace(make.timer(), event=events[0])],
    )  # fmt: skip
    other = make.customer("c2", email=ANN)
    await run.save(customers=[other], events=[("c2", events[0])])
    sent = Rendered("segment", Raw(f'{{"email":"{ANN}"}}'.encode()))
    await store.lease(make.now, make.at(minutes=1), 1, "shop", lambda _: sent)

    async def forget(transaction: Transaction) -> tuple[int, Place | None]:
        await transaction.load(LoadRequest(customers=["c1"]), make.now)
        return await transaction.redact("c1", AddressRemoval(ANN))

    assert await store.transact(forget) == (7, None)
    left = await store.held("c1")
    assert ANN not in repr(left)
    assert [bytes(each.body) for each in left.deliveries] == [b'{"email":"[erased]"}']
    assert [event.id for event in left.events] == ["e1", "e2"]
    assert left.events[1] == events[2]
    assert left.events[0].user.email == "[erased]"
    assert await store.addressed(ANN) == ["c2"]
    assert (await store.held("c2")).events == [events[0]]
    assert await store.transact(forget) == (0, None)


async def test_a_customer_with_much_loses_an_address_in_parts(store: Store, run: Any, make: Any) -> None:
    events = [make.event(f"e{at}", make.at(seconds=at % 7), to=ANN) for at in range(2 * ROWS + 1)]
    await run.save(customers=[make.customer("c1")], events=[("c1", event) for event in events],
                   decisions=[replace(make.decision(), seen={"to": ANN})] * (ROWS + 1))  # fmt: skip
    parts: list[int] = []
    place: Place | None = None

    async def forget(transaction: Transaction) -> tuple[int, Place | None]:
        await transaction.load(LoadRequest(customers=["c1"]), make.now)
        return await transaction.redact("c1", AddressRemoval(ANN), place)

    while not parts or place is not None:
        assert await store.addressed(ANN) == ["c1"]
        changed, place = await store.transact(forget)
        parts.append(changed)
    assert parts == [ROWS, ROWS, ROWS + 1, 1]
    assert await store.addressed(ANN) == []
    left = await store.held("c1")
    assert ANN not in repr(left)
    assert (len(left.events), len(left.decisions)) == (2 * ROWS + 1, ROWS + 1)


async def test_the_names_of_the_erased_are_kept_until_they_have_been_looked_for(
    store: Store, run: Any, make: Any
) -> None:
    await run.save(
        customers=[make.customer("c1", email="Ann@X.test")], identities={("anonymous_id", "a1"): "c1"},
        quarantine=[make.quarantined("1")],
    )  # fmt: skip
    erased = make.at(minutes=3)
    await run.write(make.changes(seen_at=erased, erased=[Erasure("c1", ("old", "c1"))]))
    [forgotten] = await store.forgotten(10)
    assert (forgotten.names, forgotten.erased_at) == (["Ann@X.test", "a1", ANN, "c1", "old"], erased)
    assert forgotten.upto == (await store.quarantined())[-1].id
    await store.finish_erasure(forgotten, {"quarantined": 2, "customers": 1, "mentions": 0})
    for name in ("c1", "old"):
        [receipt] = await store.receipts(name)
        assert receipt.removed == {"customers": 2, "identities": 1, "quarantined": 2}
    await store.finish_erasure(forgotten, {"quarantined": 2})
    assert (await store.receipts("c1"))[0].removed["quarantined"] == 2
    assert await store.forgotten(10) == []


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def before(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The recorded store of the version before, not opened yet, with an address in an event."""
    url = f"sqlite:///{tmp_path / 'before.db'}"
    if request.param == "postgres":
        url = request.getfixturevalue("new_postgres")
    await restore(url)
    await mark(url)
    return url


async def mark(url: str) -> None:
    if url.startswith("sqlite"):
        file = apsw.Connection(url.removeprefix("sqlite:///"))
        file.execute(
            "UPDATE events SET body = CAST(replace(CAST(body AS TEXT), '\"attributes\":{', "
            '\'"attributes":{"gift":"Ann@x.test",\') AS BLOB) WHERE source_id = \'speller\''
        )
        file.close()
        return
    connection = await asyncpg.connect(url)
    await connection.execute(
        "UPDATE events SET body = convert_to(replace(convert_from(body, 'UTF8'), '\"attributes\":{', "
        "'\"attributes\":{\"gift\":\"Ann@x.test\",'), 'UTF8') WHERE source_id = 'speller'"
    )
    await connection.close()


async def test_a_store_of_the_version_before_is_gone_through_in_slices(before: str, make: Any) -> None:
    store = open_store(before)
    await store.open()
    slices = 0
    customers = (await store.counts())["customers"]
    with pytest.raises(Unavailable):
        await store.addressed(ANN)
    while not await store.note_addresses(3):
        slices += 1
    assert slices == -(-customers // 3)
    assert await store.addressed(ANN) == ["speller"]
    await store.close()


async def test_a_merge_before_the_check_leaves_the_remaining_customer_to_be_checked(
    before: str, make: Any, tmp_path: Path
) -> None:
    store: Any = open_store(before)
    await store.open()
    await store.note_addresses(1)

    async def merge(transaction: Transaction) -> None:
        loaded = await transaction.load(LoadRequest(customers=["speller", "a-first"]), make.now)
        heir = replace(loaded.customers["speller"].customer, source_id="a-first")
        changes = make.changes(moved=[("speller", "a-first")])
        changes.customers = [replace(loaded.customers["speller"], customer=heir)]
        await transaction.save(changes)

    await store.transact(merge)
    await finish(store)
    assert await store.addressed(ANN) == ["a-first"]
    await store.close()


@pytest.mark.postgres
async def test_rows_of_an_older_program_are_indexed_later(
    postgres_url: str, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer, older = open_store(postgres_url), open_store(postgres_url)
    await newer.open()
    monkeypatch.delitem(SETTINGS, "adapter.notes_addresses")
    await older.open()

    async def write(transaction: Transaction) -> None:
        await transaction.save(make.changes(customers=[make.customer("c1", email=ANN)]))

    await older.transact(write)
    with pytest.raises(Unavailable):
        await newer.addressed(ANN)
    await finish(newer)
    assert await newer.addressed(ANN) == ["c1"]

    async def erase(transaction: Transaction) -> None:
        await transaction.save(make.changes(erased=["c1"]))

    await older.transact(erase)
    assert await newer.addressed(ANN) == []
    for store in (newer, older):
        await store.close()


async def test_large_rows_lose_an_address_a_million_bytes_at_a_time(tmp_path: Path, make: Any) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'large.db'}")
    await store.open()
    events = [make.event(f"e{at}", make.at(seconds=at), to=ANN, text="x" * 300_000) for at in range(8)]
    given = {"customers": [make.customer("c1")], "events": [("c1", event) for event in events]}
    await store.transact(lambda transaction: transaction.save(make.changes(**given)))
    parts: list[int] = []
    place: Place | None = None

    async def forget(transaction: Transaction) -> tuple[int, Place | None]:
        await transaction.load(LoadRequest(customers=["c1"]), make.now)
        return await transaction.redact("c1", AddressRemoval(ANN), place)

    while not parts or place is not None:
        changed, place = await store.transact(forget)
        parts.append(changed)
    assert parts == [4, 4, 0]
    await store.close()
