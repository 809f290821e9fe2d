"""Every statement on the hot path visits one partition per customer, by index, whatever the tables hold."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import pytest

from adapter.model.counter_key import CounterKey
from adapter.model.encoding import encode
from adapter.model.timers import Cancellation
from adapter.store.postgres.connection import BY_KEY, prepare
from adapter.store.postgres.statements import SQL
from adapter.store.postgres.transaction import PostgresTransaction
from adapter.store.values import LoadRequest
from tests.databases import SharedServer

#: What is bound, as SQL: one customer each.
HOT = {
    "drop_held_customers": "ARRAY['c1']",
    "put_discounts": (
        "ARRAY['code-c2'], ARRAY['c2'], ARRAY['e'], ARRAY[1], ARRAY[2], ARRAY[true], ARRAY['{}'::bytea]"
    ),
    "past": "ARRAY['c1']",
    "customer": "'c1'",
    "discounts_alike": "'code-c1', 'codec1'",
    "discounts": "'c1', 10, 1, 1, 0, 1000",
    "events": "'c1', 10, 1, 'e', 0, 1000",
    "decisions": "'c1', 10, 1, 1, 0, 1000",
    "resolve": "'c1'",
    "checkout": "ARRAY[''::bytea], ARRAY['t'], ARRAY['code-c1'], ARRAY['codec1'], 'c1', 1, 50",
    "move_events": "ARRAY['c1'], ARRAY['c2']",
    "move_decisions": "ARRAY['c1'], ARRAY['c2']",
    "move_deliveries": "ARRAY['c1'], ARRAY['c2']",
    "move_timers": "ARRAY['c1'], ARRAY['c2']",
    "drop_moved_discounts": "ARRAY['c1']",
    "drop_moved_customers": "ARRAY['c1']",
    "discounts_held": "ARRAY['c1']",
    "open_discounts_of": "ARRAY['c1']",
    "latest_discounts": "'c1', 10",
    "erase_events": "'c1'",
    "export_discounts": "'c1'",
}
#: These read nothing: they append, each row to its partition.
APPENDING = {"put_discounts"}
PARTITIONED = ("customers_", "events_", "decisions_", "discounts_", "deliveries_", "timers_")
FILL = """
INSERT INTO customers SELECT 'c' || n, '{}', '' FROM generate_series(1, 2000) AS n;
INSERT INTO events (source_id, occurred_at, event_id, identity, body)
SELECT 'c' || n, n, 'e' || n, decode(md5('e' || n), 'hex'), '{}' FROM generate_series(1, 2000) AS n;
INSERT INTO decisions SELECT 'c' || n, n, n, '{}' FROM generate_series(1, 2000) AS n;
INSERT INTO codes SELECT 'code-c' || n, 'c' || n FROM generate_series(1, 2000) AS n;
INSERT INTO discounts SELECT 'c' || n, 'code-c' || n, n, 'e' || n, n, n, true, '{}'
FROM generate_series(1, 2000) AS n;
INSERT INTO timers SELECT 'c' || n, 'r', n, n, '{}' FROM generate_series(1, 2000) AS n;
INSERT INTO deliveries
SELECT 'c' || n, 'd' || n, n, 'hook', 'discount.issued', '{}', n, n, n, 0, 'done'
FROM generate_series(1, 2000) AS n;
"""


@pytest.fixture(scope="module")
def young_and_grown(postgres_server: SharedServer, make: Any) -> Iterator[dict[str, str]]:
    """Two databases of the same rows: one that was never analysed, and one that was."""

    async def fill(name: str, url: str) -> None:
        filling = await asyncpg.connect(url)
        await filling.execute(FILL)
        for table, value in (("customers", make.customer("c1").customer),
                             ("discounts", make.held("code-c1")), ("timers", make.event())):  # fmt: skip
            await filling.execute(f"UPDATE {table} SET body = $1 WHERE source_id = 'c1'", encode(value))
        if name == "grown":
            await filling.execute("ANALYZE")
        await filling.close()

    with postgres_server.new_store() as young, postgres_server.new_store() as grown:
        urls = {"young": young, "grown": grown}
        for name, url in urls.items():
            asyncio.run(fill(name, url))
        yield urls


@pytest.fixture(params=["young", "grown"])
async def connection(
    request: pytest.FixtureRequest, young_and_grown: dict[str, str]
) -> AsyncIterator[asyncpg.Connection[Any]]:
    connection = await asyncpg.connect(young_and_grown[request.param], server_settings=BY_KEY)
    yield connection
    await connection.close()


def visited(plan: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the partitions that an analysed plan has read, and how."""
    name = plan.get("Relation Name", "")
    if name.startswith(PARTITIONED) and "Scan" in plan["Node Type"] and plan["Actual Loops"] > 0:
        yield name, plan["Node Type"]
    for below in plan.get("Plans", ()):
        yield from visited(below)


async def partitions(connection: Any, statement: str, bound: str) -> list[tuple[str, str]]:
    away = connection.transaction()
    await away.start()
    await connection.execute(f"PREPARE hot AS {statement}")
    explained = await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE hot ({bound})")
    await connection.execute("DEALLOCATE hot")
    await away.rollback()
    return sorted(set(visited(json.loads(explained)[0]["Plan"])))


@pytest.mark.parametrize("name", HOT)
async def test_a_hot_statement_visits_one_partition(connection: Any, name: str) -> None:
    read = await partitions(connection, SQL[name], HOT[name])
    assert bool(read) == (name not in APPENDING)
    relations = {relation for relation, _ in read}
    assert len({relation.rsplit("_", 1)[0] for relation in relations}) == len(relations)
    assert all("Index" in how or "Bitmap" in how for _, how in read)


@pytest.mark.parametrize("statement", ["codes_meant", "read_counters"])
async def test_typed_codes_are_found_by_indexes(connection: Any, statement: str) -> None:
    bound = {"codes_meant": "'{A-1}', '{a1}'", "read_counters": "'{}', '{}', '{a1}'"}[statement]
    await connection.execute(f"PREPARE typed AS {SQL[statement]}")
    plan = await connection.fetch(f"EXPLAIN EXECUTE typed ({bound})")
    assert not [row[0] for row in plan if "Seq Scan on codes" in row[0]]
    assert any("codes_by_folding" in row[0] for row in plan)


async def test_old_message_keys_are_found_by_their_age(connection: Any) -> None:
    await connection.execute(f"PREPARE forgetting AS {SQL['purge_dedupe_keys']}")
    plan = await connection.fetch("EXPLAIN EXECUTE forgetting (1, 10)")
    scans = [row[0] for row in plan if "Scan" in row[0] and "Subquery" not in row[0]]
    assert all("messages_by_age" in scan or "messages_pkey" in scan for scan in scans)
    assert any("messages_by_age" in scan for scan in scans)


#: Has the server tell the plan of each statement that runs, also inside of functions.
EXPLAINING = """
LOAD 'auto_explain';
SET auto_explain.log_min_duration = 0; SET auto_explain.log_analyze = on;
SET auto_explain.log_nested_statements = on; SET auto_explain.log_format = json;
SET auto_explain.log_level = notice;
"""


@pytest.fixture
async def plans(connection: Any) -> list[dict[str, Any]]:
    """The plans of all that runs on the connection, in a list that grows."""
    found: list[dict[str, Any]] = []

    def note(_: Any, message: Any) -> None:
        found.append(json.loads(message.message.partition("plan:")[2])["Plan"])

    await prepare(connection)
    await connection.execute(EXPLAINING)
    connection.add_log_listener(note)
    return found


@pytest.mark.parametrize("name", ["c1", "unknown"])
async def test_loading_and_saving_a_batch_visits_one_partition(
    connection: Any, plans: list[dict[str, Any]], make: Any, name: str
) -> None:
    code = f"code-{name}"
    wanted = LoadRequest([("s", "m")], [name], [("mpid", "m1")], [code], ["r"])
    changes = make.changes(
        answers={("s", "m"): b"[]"}, customers=[make.customer(name)], identities={("mpid", "m1"): name},
        events=[(name, make.event())], decisions=[make.decision(name)], discounts=[make.held(code, name)],
        deliveries=[make.delivery("d", name)], counters={(name, "k"): 1, ("", "k"): 1},
        cancelled=[Cancellation("r", name, make.now)], armed=[make.timer("r", name)],
    )  # fmt: skip
    away = connection.transaction()
    await away.start()
    transaction = PostgresTransaction(connection)
    await transaction.load(wanted, make.now)
    await transaction.reserve([(scope, CounterKey("k")) for scope in (name, "")], [code])
    await transaction.save(changes)
    await away.rollback()
    await asyncio.sleep(0)
    read = [sorted(set(visited(plan))) for plan in plans]
    assert {relation.rsplit("_", 1)[0] for each in read for relation, _ in each} >= {"customers", "timers"}
    for each in read:
        assert len({relation.rsplit("_", 1)[0] for relation, _ in each}) == len(each)
        assert all("Index" in how or "Bitmap" in how for _, how in each)


async def test_the_plans_of_a_function_are_seen(connection: Any, plans: list[dict[str, Any]]) -> None:
    await connection.execute("DO $$ BEGIN PERFORM FROM customers WHERE body = 'x'; END $$")
    await asyncio.sleep(0)
    assert len(set(visited(plans[-1]))) == 8


async def test_the_check_finds_a_statement_that_visits_them_all(connection: Any) -> None:
    read = await partitions(
        connection, "SELECT body FROM customers WHERE source_id = ANY ($1::text[])", "ARRAY['c1']"
    )
    assert len(read) == 8
