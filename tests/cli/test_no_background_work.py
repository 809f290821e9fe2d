"""Commands that change the store leave alone what a server does in time: pushes, timers, expiry."""

from __future__ import annotations

import asyncio
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec import Raw
from typer.testing import CliRunner

from adapter.cli.main import commands
from adapter.model.customers import Customer
from adapter.model.deliveries import Delivery
from adapter.model.events import Event, User
from adapter.model.quarantine import Quarantined
from adapter.model.timers import Timer
from adapter.store.engines import open_store
from adapter.store.transaction_contract import Transaction
from adapter.store.values import Changes, CustomerRecord, LoadRequest

ROOT = Path(__file__).parents[2]
PAST = datetime(2026, 1, 1, tzinfo=UTC)
RULE = """\
rules:
  - name: come-back
    trigger: {event: checkout_started, unless: order_completed, within: 10s}
    action: {type: free_shipping}
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A folder with a rule, and a store where a timer, a push and a quarantined message are overdue."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "come-back.yaml").write_text(RULE)
    asyncio.run(_fill(f"sqlite:///{tmp_path / 'adapter.db'}"))
    return tmp_path


async def _fill(url: str) -> None:
    checkout = Event("e1", "checkout_started", PAST, User("ann"), {}, {})
    push = Delivery("p1", "elsewhere", "ann", "discount.issued", Raw(b"{}"), PAST, PAST)
    call = Raw(b'{"type":"identify","userId":"bob","messageId":"m1","timestamp":"2026-01-01T00:00:00Z"}')
    kept = Quarantined("segment", "m1:identify", call, "it had no user", PAST)
    customers = [CustomerRecord(Customer(name)) for name in ("ann", "cleo")]
    armed = [Timer("come-back", "ann", checkout, PAST)]

    async def script(transaction: Transaction) -> None:
        await transaction.load(LoadRequest(), PAST)
        changes = Changes(PAST, {}, customers, {}, [], [], [], [], {}, [], [push], [kept], armed=armed)
        await transaction.save(changes)

    store = open_store(url)
    await store.open()
    await store.transact(script)
    await store.close()


def run(shop: Path, *arguments: str) -> None:
    folders = ["--mappings", str(ROOT / "mappings"), "--rules", str(shop / "rules")]
    store = f"sqlite:///{shop / 'adapter.db'}"
    result = CliRunner().invoke(commands, [*arguments, "--store", store, *folders])
    assert result.exit_code == 0, result.output


def rows(shop: Path, table: str = "") -> list[str]:
    """Return the store as SQL, or the rows of one table."""
    with sqlite3.connect(shop / "adapter.db") as file:
        return [line for line in file.iterdump() if line.startswith(f'INSERT INTO "{table}') or not table]


def test_a_dry_run_leaves_the_whole_store_as_it_was(shop: Path) -> None:
    before = rows(shop)
    run(shop, "replay", "--dry-run")
    assert rows(shop) == before


@pytest.mark.parametrize("command", ["replay", "erase cleo --yes"])
def test_what_is_due_waits_for_a_server(shop: Path, command: str) -> None:
    before = {table: rows(shop, table) for table in ("timers", "deliveries", "discounts")}
    everything = rows(shop)
    run(shop, *command.split())
    assert rows(shop) != everything
    assert {table: rows(shop, table) for table in before} == before
    assert [len(found) for found in before.values()] == [1, 1, 0]
