"""Whatever a transaction is given or asks goes by ids, and reaches an engine by keys."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

from adapter.model.counter_key import CounterKey
from adapter.store import naming, sqlite
from adapter.store.contract import Store
from adapter.store.sqlite.statements import SQL
from adapter.store.transaction_contract import Transaction
from adapter.store.values import Changes, Erasure, LoadedState, LoadRequest

#: What names no customer.
_ANONYMOUS = {
    "seen_at", "answers", "contents", "quarantine", "drawn", "pool_codes", "vouchers", "changed_vouchers",
    "journal", "schedule", "dated",
}  # fmt: skip


def test_changes_reach_the_engine_with_keys_of_customers() -> None:
    keyed = inspect.getsource(naming._keyed)
    given = set(re.findall(r"^        (\w+)=", keyed, flags=re.MULTILINE))
    assert given | _ANONYMOUS == set(Changes.__struct_fields__)
    assert Erasure.__struct_fields__ == ("source_id", "asked", "by", "request", "quarantined")


def test_all_that_is_loaded_of_customers_is_named() -> None:
    assert LoadedState.__struct_fields__ == (
        "answers",
        "identities",
        "customers",
        "discounts",
        "timers",
        "pending",
    )
    verbs = {name for name in vars(Transaction) if not name.startswith("_")} - {"known"}
    assert verbs == {name for name in vars(naming.NamedTransaction) if not name.startswith("_")}


def test_every_table_of_a_customer_is_weighed_before_a_merge() -> None:
    schema = "".join(
        file.read_text() for file in sorted((Path(sqlite.__file__).parent / "schema").glob("*.sql"))
    )
    tables = re.findall(
        r"CREATE TABLE (\w+) \((?:(?!\) STRICT).)*\b(?:source_id|owner|scope)\b", schema, re.DOTALL
    )
    unweighed = {table for table in tables if f"FROM {table} " not in SQL["weigh"]}
    assert unweighed == {
        "audit", "customers", "unaddressed", "import_refusals", "dates", "simulation_examples"
    }  # fmt: skip


async def test_a_customer_stored_under_another_id_is_returned_under_its_own(
    store: Store, run: Any, make: Any
) -> None:
    events = [("old", make.event(f"e{at}")) for at in range(naming.FEW + 1)]
    await run.save(
        customers=[make.customer("old"), make.customer("new")],
        events=events,
        discounts=[make.held("A1", "old", claims=(make.claim("old", "k"),))],
        counters={("old", "k"): 1},
        armed=[make.timer(source_id="old")],
        decisions=[make.decision("old")],
    )

    async def merge(transaction: Transaction) -> None:
        await transaction.load(LoadRequest(customers=["old", "new"]), make.now)
        weights = await transaction.weigh(["old", "new"], 1_000)
        assert weights["old"].rows > naming.FEW > weights["new"].rows
        await transaction.save(make.changes(moved=[("old", "new")], customers=[make.customer("new")]))

    await store.transact(merge)
    for name in ("old", "new"):
        loaded = await run.load(customers=[name], waits=["lapsed"])
        assert loaded.customers["new"].customer == make.customer("new").customer
        assert loaded.identities == {("source_id", "old"): "new"}
        assert loaded.discounts["A1"] == make.held("A1", "old", claims=(make.claim("new", "k"),)).__replace__(
            source_id="new"
        )
        assert [timer.source_id for timer in loaded.timers] == ["new"]

    async def used(transaction: Transaction) -> dict[Any, int]:
        await transaction.load(LoadRequest(customers=["new"]), make.now)
        assert set(await transaction.past(["new"])) == {"new"}
        assert set(await transaction.past_weights(["new"])) == {"new"}
        return (await transaction.reserve([("new", CounterKey("k"))], [])).used

    assert await store.transact(used) == {("new", "k"): 1}
