"""Simulations in a store: one at a time, progress, results, and examples of customers."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import apsw
import asyncpg
import pytest
from msgspec.structs import replace

from adapter.model.simulations import CustomerDifference, SimulationAsked, SimulationResult, SimulationRun
from adapter.store.contract import Store
from adapter.store.engines import open_store
from adapter.store.postgres.statements import SQL as POSTGRES
from adapter.store.sqlite.statements import SQL as SQLITE
from adapter.store.values import Erasure
from tests.databases import SharedServer
from tests.store.conftest import NOW

LISTS: dict[str, tuple[int | str, ...]] = {
    "simulations": (5_000, "s1", 50),
    "simulation": ("s7",),
    "simulation_examples": ("s7",),
}
ASKED = SimulationAsked(
    title="cheaper", since="30d", start=NOW - timedelta(days=30), end=NOW, drafts={"vip.yaml": "name: vip\n"}
)


def simulation(id_: str, **changed: Any) -> SimulationRun:
    run = SimulationRun(
        id=id_, created_at=NOW, worker="w1", lease_until=NOW + timedelta(seconds=30), asked=ASKED
    )
    return replace(run, **changed)


async def test_one_simulation_runs_at_a_time(store: Store) -> None:
    begun = await asyncio.gather(
        *(store.begin_simulation(simulation(id_), NOW, 100) for id_ in ("s1", "s2", "s3"))
    )
    assert sorted(begun) == [False, False, True]
    assert len(await store.simulations()) == 1


async def test_one_whose_process_has_ended_is_interrupted_and_the_next_begins(store: Store) -> None:
    await store.begin_simulation(simulation("s1"), NOW, 100)
    later = NOW + timedelta(minutes=1)
    assert await store.begin_simulation(simulation("s2", created_at=later), later, 100)
    assert [(each.id, each.state) for each in await store.simulations()] == [
        ("s2", "running"), ("s1", "interrupted"),
    ]  # fmt: skip


async def test_progress_is_stored_as_long_as_it_runs(store: Store) -> None:
    run = simulation("s1")
    await store.begin_simulation(run, NOW, 100)
    assert await store.note_simulation(replace(run, decided=5, messages=10))
    found = await store.simulation("s1")
    assert found is not None
    assert (found[0].decided, found[0].messages, found[1]) == (5, 10, None)
    assert await store.end_simulation(replace(run, state="cancelled"))
    assert not await store.note_simulation(replace(run, decided=6, messages=10))
    assert not await store.end_simulation(replace(run, state="done"), SimulationResult(b"report"))
    assert [each.state for each in await store.simulations()] == ["cancelled"]


async def test_a_result_comes_back_with_the_examples_of_customers_who_are_known(
    store: Store, run: Any, make: Any
) -> None:
    await run.save(customers=[make.customer("c1"), make.customer("c2")])
    await store.begin_simulation(simulation("s1"), NOW, 100)
    examples = [CustomerDifference(who, b"{}") for who in ("c2", "gone", "c1")]
    done = simulation("s1", state="done")
    assert await store.end_simulation(done, SimulationResult(b"report", examples))
    assert await store.simulation("s1") == (done, SimulationResult(b"report", [examples[0], examples[2]]))


async def test_an_erasure_deletes_the_examples_of_the_person(store: Store, run: Any, make: Any) -> None:
    await run.save(customers=[make.customer("c1"), make.customer("c2")])
    await store.begin_simulation(simulation("s1"), NOW, 100)
    examples = [CustomerDifference("c1", b"{}"), CustomerDifference("c2", b"{}")]
    await store.end_simulation(simulation("s1", state="done"), SimulationResult(b"report", examples))
    await run.save(erased=[Erasure("c1")])
    found = await store.simulation("s1")
    assert found is not None
    assert found[1] == SimulationResult(b"report", [examples[1]])


async def test_the_latest_are_kept_and_pages_go_back_in_time(store: Store) -> None:
    for number in range(5):
        at = NOW + timedelta(minutes=number)
        run = simulation(f"s{number}", created_at=at)
        assert await store.begin_simulation(run, at, 3)
        await store.end_simulation(replace(run, state="failed", error="why"))
    first = await store.simulations(limit=2)
    assert [each.id for each in first] == ["s4", "s3"]
    assert [each.id for each in await store.simulations((first[-1].created_at, "s3"))] == ["s2"]


async def test_a_deleted_one_is_gone_with_its_examples(store: Store, run: Any, make: Any) -> None:
    await run.save(customers=[make.customer("c1")])
    await store.begin_simulation(simulation("s1"), NOW, 100)
    result = SimulationResult(b"report", [CustomerDifference("c1", b"{}")])
    await store.end_simulation(simulation("s1", state="done"), result)
    await store.delete_simulation("s1")
    assert await store.simulation("s1") is None
    assert await store.begin_simulation(simulation("s1"), NOW, 100)
    await store.end_simulation(simulation("s1", state="done"), SimulationResult(b"report"))
    assert await store.simulation("s1") == (simulation("s1", state="done"), SimulationResult(b"report", []))


@pytest.mark.parametrize("name", LISTS)
async def test_sqlite_lists_by_an_index(tmp_path: Path, name: str) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'adapter.db'}")
    await store.open()
    await store.close()
    plan = apsw.Connection(str(tmp_path / "adapter.db")).execute(
        f"EXPLAIN QUERY PLAN {SQLITE[name]}", LISTS[name]
    )
    steps = [row[3] for row in plan]
    assert steps
    assert all(step.startswith("SEARCH") for step in steps)


@pytest.mark.parametrize("name", LISTS)
async def test_postgres_lists_by_an_index(postgres_server: SharedServer, name: str) -> None:
    with postgres_server.store() as url:
        connection = await asyncpg.connect(url)
        await connection.execute(FILL)
        values = ", ".join(f"'{each}'" if isinstance(each, str) else str(each) for each in LISTS[name])
        await connection.execute(f"PREPARE listing AS {POSTGRES[name]}")
        plan = [row[0] for row in await connection.fetch(f"EXPLAIN EXECUTE listing ({values})")]
        await connection.close()
    assert not [line for line in plan if "Seq Scan" in line]


FILL = """
INSERT INTO simulations
SELECT 's' || n, n, 'done', 'w', n, '{}', NULL FROM generate_series(1, 5000) AS n;
INSERT INTO simulation_examples
SELECT 'c' || n, 's' || n % 500, n, '{}' FROM generate_series(1, 20000) AS n;
ANALYZE;
"""
