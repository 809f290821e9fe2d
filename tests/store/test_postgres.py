"""What only the engine for many processes has: other processes, a network, a server that dies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any

import asyncpg
import pytest

from adapter.errors import Unavailable
from adapter.model.counter_key import CounterKey
from adapter.model.customers import SOURCE_ID
from adapter.store.engines import open_store
from adapter.store.postgres.connection import connect
from adapter.store.transaction_contract import Transaction
from adapter.store.values import Changes, LoadedState, LoadRequest

CAP = ("", CounterKey("high-cart:total"))
Script = Callable[[Transaction], Awaitable[Any]]


@pytest.fixture
def store_url(postgres_url: str) -> str:
    return postgres_url


@pytest.fixture
async def stores(store_url: str) -> AsyncIterator[list[Any]]:
    """Four stores on one database, as four processes would have."""
    stores = [open_store(store_url) for _ in range(4)]
    for store in stores:
        await store.open()
    yield stores
    for store in stores:
        await store.close()


def loading(make: Any, changes: Callable[[LoadedState], Changes], **wanted: Any) -> Script:
    async def script(transaction: Transaction) -> LoadedState:
        loaded = await transaction.load(LoadRequest(**wanted), make.now)
        await transaction.save(changes(loaded))
        return loaded

    return script


async def test_concurrent_processes_take_exactly_the_limit(stores: list[Any], run: Any, make: Any) -> None:
    async def take(store: Any, number: int) -> bool:
        async def script(transaction: Transaction) -> bool:
            await transaction.load(
                LoadRequest(messages=[("s", str(number))], customers=[f"c{number % 7}"]), make.now
            )
            granted = (await transaction.reserve([CAP], [])).used.get(CAP, 0) < 20
            await transaction.save(make.changes(counters={CAP: int(granted)}))
            return granted

        return bool(await store.transact(script))

    granted = await asyncio.gather(*(take(stores[number % 4], number) for number in range(60)))
    assert sum(granted) == 20
    assert await run.used(CAP) == {CAP: 20}


async def test_dedupe_keys_locked_by_a_batch_are_deleted_later(
    stores: list[Any], store_url: str, run: Any, make: Any
) -> None:
    await run.load(messages=[("s", "1"), ("s", "2")])
    batch = await asyncpg.connect(store_url)
    held = batch.transaction()
    await held.start()
    await batch.execute("SELECT FROM messages ORDER BY digest LIMIT 1 FOR KEY SHARE")
    assert await stores[0].purge_dedupe_keys(make.at(seconds=1)) == 1
    await held.rollback()
    await batch.close()
    assert await stores[0].purge_dedupe_keys(make.at(seconds=1)) == 1


async def test_counters_locked_in_any_order_are_exact(stores: list[Any], run: Any, make: Any) -> None:
    keys = [("", CounterKey(name)) for name in "abc"]

    async def count(number: int) -> None:
        order = keys[number % 3 :] + keys[: number % 3]

        async def script(transaction: Transaction) -> None:
            used = (await transaction.reserve(order, [])).used
            await transaction.save(make.changes(counters={key: 1 for key in order if used.get(key, 0) < 15}))

        await stores[number % 4].transact(script)

    await asyncio.gather(*(count(number) for number in range(40)))
    assert await run.used(*keys) == dict.fromkeys(keys, 15)


@pytest.mark.parametrize(("bound", "tries"), [(2, 2), (3, 1), (10, 1)])
async def test_a_counter_moved_past_its_bound_makes_the_script_run_again(
    stores: list[Any], run: Any, make: Any, bound: int, tries: int
) -> None:
    """Meanwhile another process adds 3; the second time the counter is as that process left it."""
    read: list[int] = []

    async def script(transaction: Transaction) -> None:
        read.append((await transaction.reserve([CAP], [])).used.get(CAP, 0))
        if len(read) == 1:
            await stores[1].transact(loading(make, lambda _: make.changes(counters={CAP: 3})))
        await transaction.save(make.changes(counters={CAP: 1}, bounds={CAP: bound + read[-1]}))

    await stores[0].transact(script)
    assert read == [0, 3][:tries]
    assert await run.used(CAP) == {CAP: 4}


async def test_a_counter_that_many_share_is_not_locked_before_the_commit(
    stores: list[Any], run: Any, make: Any
) -> None:
    async def script(transaction: Transaction) -> None:
        await transaction.reserve([CAP], [])
        await transaction.save(make.changes(counters={CAP: 1}, bounds={CAP: 10}))
        await asyncio.wait_for(
            stores[1].transact(loading(make, lambda _: make.changes(counters={CAP: 1}))), timeout=4
        )

    await stores[0].transact(script)
    assert await run.used(CAP) == {CAP: 2}


async def test_an_error_that_a_script_swallows_is_not_taken_for_a_commit(
    stores: list[Any], run: Any, make: Any
) -> None:
    await run.save(discounts=[make.held("A1")])

    async def script(transaction: Transaction) -> None:
        with suppress(asyncpg.UniqueViolationError):
            await transaction.save(make.changes(discounts=[make.held("A1", "c2")]))

    with pytest.raises(Unavailable, match="the transaction had failed"):
        await stores[0].transact(script)


async def test_a_customer_new_to_two_processes_is_made_by_one_and_known_to_the_other(
    stores: list[Any], make: Any
) -> None:
    def add(loaded: LoadedState) -> Changes:
        known = loaded.customers.get("c1")
        visits = known.customer.traits["visits"] if known else 0
        changes: Changes = make.changes(customers=[make.customer("c1", traits={"visits": visits + 1})])
        return changes

    await asyncio.gather(*(store.transact(loading(make, add, customers=["c1"])) for store in stores * 5))
    found = await stores[0].customer("c1")
    assert found.traits == {"visits": 20}


async def test_an_identity_new_to_two_processes_is_given_by_one_and_known_to_the_other(
    stores: list[Any], make: Any
) -> None:
    anonymous = ("anonymous_id", "anon")

    def claim(name: str) -> Callable[[LoadedState], Changes]:
        return lambda loaded: make.changes(
            customers=[make.customer(name)],
            identities={} if anonymous in loaded.identities else {anonymous: name},
        )

    scripts = [loading(make, claim(f"c{n}"), customers=[f"c{n}"], identities=[anonymous]) for n in range(4)]
    loads = await asyncio.gather(
        *(store.transact(script) for store, script in zip(stores, scripts, strict=True))
    )
    assert sum(anonymous not in loaded.identities for loaded in loads) == 1
    winner = await stores[0].customer("anon")
    assert all(loaded.identities.get(anonymous, winner.source_id) == winner.source_id for loaded in loads)


async def test_a_visitor_identified_concurrently_keeps_their_events(stores: list[Any], make: Any) -> None:
    """As the services do: an unknown visitor is a customer under their anonymous id, until identified."""

    def met(anonymous: str, _: str) -> Script:
        def changes(loaded: LoadedState) -> Changes:
            owner = loaded.identities.get(("anonymous_id", anonymous), anonymous)
            found: Changes = make.changes(customers=[make.customer(owner)], events=[(owner, make.event())])
            return found

        return loading(make, changes, customers=[anonymous], identities=[("anonymous_id", anonymous)])

    def identified(anonymous: str, name: str) -> Script:
        def changes(loaded: LoadedState) -> Changes:
            moved = [(anonymous, name)] if anonymous in loaded.customers else []
            found: Changes = make.changes(
                customers=[make.customer(name)], moved=moved, identities={("anonymous_id", anonymous): name}
            )
            return found

        return loading(make, changes, customers=[name, anonymous], identities=[("anonymous_id", anonymous)])

    scripts = [
        script(f"anon-{n}", f"c{n}") for n in range(20) for script in (met, identified)[:: 1 - 2 * (n % 2)]
    ]
    await asyncio.gather(*(stores[n % 4].transact(script) for n, script in enumerate(scripts)))
    assert [len(await stores[0].events(f"c{n}")) for n in range(20)] == [1] * 20
    assert (await stores[0].counts())["customers"] == 20


async def test_a_transaction_that_waits_for_a_customer_sees_the_merge(
    stores: list[Any], run: Any, make: Any
) -> None:
    await run.save(customers=[make.customer("old"), make.customer("new")])
    merging, locked = asyncio.Event(), asyncio.Event()

    async def merge(transaction: Transaction) -> None:
        await transaction.load(LoadRequest(customers=["old", "new"]), make.now)
        locked.set()
        await merging.wait()
        await transaction.save(
            make.changes(moved=[("old", "new")], customers=[make.customer("new", name="Both")])
        )

    first = asyncio.create_task(stores[0].transact(merge))
    await locked.wait()
    second = asyncio.create_task(
        stores[1].transact(loading(make, lambda _: make.changes(), customers=["old"]))
    )
    await asyncio.sleep(0.1)
    assert not second.done()
    merging.set()
    await first
    loaded = await second
    assert loaded.identities == {(SOURCE_ID, "old"): "new"}
    assert set(loaded.customers) == {"new"}


async def test_places_held_for_unknown_names_leave_nothing_behind(
    store_url: str, run: Any, make: Any
) -> None:
    await run.load(customers=["nobody"], identities=[("mpid", "nothing")])
    connection = await asyncpg.connect(store_url)
    assert await connection.fetchval("SELECT count(*) FROM customers") == 0
    assert await connection.fetchval("SELECT count(*) FROM identities") == 0
    await connection.close()


async def test_a_code_taken_meanwhile_makes_the_script_run_again(stores: list[Any], make: Any) -> None:
    tries: list[int] = []

    def issue(owner: str) -> Script:
        async def script(transaction: Transaction) -> str:
            tries.append(1)
            taken = (await transaction.reserve([], ["A1", "A2"])).taken
            await asyncio.sleep(0.05)
            code = "A2" if "A1" in taken else "A1"
            await transaction.save(make.changes(discounts=[make.held(code, owner)]))
            return code

        return script

    codes = await asyncio.gather(stores[0].transact(issue("c1")), stores[1].transact(issue("c2")))
    assert sorted(codes) == ["A1", "A2"]
    assert len(tries) == 3
    owners = [(await stores[2].discount(code)).source_id for code in codes]
    assert owners == ["c1", "c2"]


async def test_customers_locked_crosswise_do_not_block(stores: list[Any], run: Any, make: Any) -> None:
    """Two scripts whose second steps wait for each other's first: the server ends one, which is run again."""
    names = [f"c{number}" for number in range(6)]
    await run.save(
        customers=[make.customer(name) for name in names], identities={("mpid", n): n for n in names}
    )

    def visit(first: str, second: str) -> Script:
        return loading(
            make, lambda _: make.changes(counters={CAP: 1}), customers=[first], identities=[("mpid", second)]
        )

    pairs = [(a, b) for a in names for b in names if a != b]
    await asyncio.gather(*(stores[n % 4].transact(visit(*pair)) for n, pair in enumerate(pairs)))
    assert await run.used(CAP) == {CAP: len(pairs)}


async def test_a_lost_connection_is_unavailable_and_the_next_call_recovers(
    stores: list[Any], store_url: str, run: Any, make: Any
) -> None:
    store = stores[0]
    await store.ping()

    async def cut(transaction: Transaction) -> None:
        await transaction.load(LoadRequest(messages=[("s", "m")]), make.now)
        await transaction.save(make.changes(counters={CAP: 1}))
        await end_connections(store_url)

    with pytest.raises(Unavailable, match="cannot be used now"):
        await store.transact(cut)
    assert (await run.load(messages=[("s", "m")])).answers == {}
    assert await run.used(CAP) == {}
    await store.ping()
    await store.transact(loading(make, lambda _: make.changes(counters={CAP: 1})))


async def end_connections(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await connection.close()


async def test_of_several_hosts_the_one_that_takes_writes_is_used(
    postgres_server: Any, store_url: str
) -> None:
    name = store_url.rsplit("/", 1)[1]
    hosts = f"127.0.0.1:1,127.0.0.1:{postgres_server.port}"
    store = open_store(f"postgresql://postgres@{hosts}/{name}?target_session_attrs=primary")
    await store.open()
    await store.ping()
    await store.close()


@pytest.mark.parametrize(
    ("change", "reason"),
    [(("127.0.0.1:", "127.0.0.1:1"), "cannot be used now"), (("/test_", "/none_"), "does not exist")],
)
async def test_a_database_that_is_not_there_is_unavailable(
    postgres_server: Any, store_url: str, change: tuple[str, str], reason: str
) -> None:
    url = (
        store_url.replace(str(postgres_server.port), "1")
        if change[1].endswith(":1")
        else store_url.replace(*change)
    )
    with pytest.raises(Unavailable, match=reason):
        await open_store(url).open()


async def test_a_server_that_only_reads_is_unavailable(
    stores: list[Any], postgres_server: Any, store_url: str, make: Any
) -> None:
    connection = await asyncpg.connect(postgres_server.dsn())
    name = store_url.rsplit("/", 1)[1]
    await connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    await end_connections(store_url)
    for _ in range(2):
        with pytest.raises(Unavailable):
            await stores[0].transact(loading(make, lambda _: make.changes(counters={CAP: 1})))
    await connection.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
    await connection.close()
    await stores[0].transact(loading(make, lambda _: make.changes(counters={CAP: 1})))


async def test_a_closed_store_is_unavailable(store_url: str) -> None:
    store = open_store(store_url)
    for call in (store.ping(), store.customer("c1"), store.transact(_nothing)):
        with pytest.raises(Unavailable, match="open it first"):
            await call
    await store.close()


async def _nothing(transaction: Transaction) -> None:
    del transaction


@pytest.mark.parametrize(("kind", "value", "times"), [("smallint[]", [1, 2], 1), ("pair", (1, 2), 2)])
async def test_a_process_asks_once_for_types_that_are_the_same_in_every_database(
    new_postgres: str, kind: str, value: Any, times: int
) -> None:
    asked: list[str] = []
    for creating in (True, False):
        connection = await connect(new_postgres, {})
        if creating:
            await connection.execute("CREATE TYPE pair AS (a integer, b integer)")
        connection.add_query_logger(lambda record: asked.append(record.query))
        assert await connection.fetchval(f"SELECT $1::{kind}", value) == value
        await connection.close()
    assert sum("typeinfo_tree" in query for query in asked) == times
