"""`adapter sync plan`: calls of a month beside the quota of each destination, for people and for programs."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from adapter.cli.main import commands
from adapter.model.customers import Customer
from adapter.model.events import Event, User
from adapter.store.engines import open_store
from adapter.store.transaction_contract import Transaction
from adapter.store.values import Changes, CustomerRecord, LoadRequest, NewEvent

CONFIG = """
[destinations.vouchers]
type = "voucherify"
application_id = "app"
token = {env = "TOKEN"}
forward = ["customers"]
per_month = 40
"""


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A store with a customer who did two things within a minute, a day ago."""
    url = f"sqlite:///{tmp_path / 'adapter.db'}"
    asyncio.run(_fill(url))
    return url


async def _fill(url: str) -> None:
    store, now = open_store(url), datetime.now(UTC)
    await store.open()
    moments = [now - timedelta(days=1), now - timedelta(days=1, seconds=-30)]
    events = [Event(f"e{n}", "seen", at, User("ann"), {}, {}) for n, at in enumerate(moments)]

    async def script(transaction: Transaction) -> None:
        await transaction.load(LoadRequest(), now)
        new = [NewEvent("ann", "segment", event, event.id) for event in events]
        await transaction.save(
            Changes(now, {}, [CustomerRecord(Customer("ann"))], {}, [], [], new, [], {}, [], [], [])
        )

    await store.transact(script)
    await store.close()


def plan(url: str, tmp_path: Path, *options: str) -> Result:
    (tmp_path / "adapter.toml").write_text(CONFIG)
    given = ["sync", "plan", "--store", url, "--config", str(tmp_path / "adapter.toml"), *options]
    return CliRunner().invoke(commands, given, env={"TOKEN": "secret"})


def test_the_plan_is_a_table_with_a_recommendation(url: str, tmp_path: Path) -> None:
    shown = plan(url, tmp_path).stdout
    assert "vouchers (voucherify): 40 calls a month, from 1 day of traffic" in shown
    assert "secret" not in shown
    rows = {line.split()[0]: line for line in shown.splitlines() if line.startswith("  ")}
    assert rows["0"].endswith("over the quota")
    assert rows["1m"].endswith("recommended")


def test_programs_read_the_same(url: str, tmp_path: Path) -> None:
    [found] = json.loads(plan(url, tmp_path, "--json").stdout)
    assert (found["destination"], found["recommended"], found["per_month"]) == ("vouchers", "1m", 40)
    assert [(row["interval"], row["customers"]) for row in found["rows"]][:2] == [("0", 60), ("1m", 30)]


def test_a_time_that_cannot_be_read_is_refused(url: str, tmp_path: Path) -> None:
    assert plan(url, tmp_path, "--since", "soon").exit_code == 2
