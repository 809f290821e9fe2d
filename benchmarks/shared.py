"""The corridor over PostgreSQL: by one process and by two, and with one hot rule beside many cold ones."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg

from benchmarks.postgres import PostgresServer

#: So many rules are there, each for one kind of order.
RULES = 100
#: Each message earns a discount and counts towards a cap that is never reached; only whether all messages
#: count towards one, or each hundredth towards its own, differs between hot and cold.
RULE = """\
name: order-{number}
trigger: [product_viewed, product_added, cart_viewed, checkout_started, order_completed]
conditions:
  all:
    - order_id == "O-{number}"
action: {{type: percentage_off, value: 10, expires_in_hours: 24}}
guardrails: {{max_daily_redemptions: 1000000000, stackable: true}}
"""


@contextmanager
def postgres() -> Iterator[PostgresServer]:
    """Start a server as it is installed: every commit is on the disk when it returns."""
    with tempfile.TemporaryDirectory(prefix="adapter-postgres-") as folder:
        Path(folder).chmod(0o755)
        server = PostgresServer(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop()


def database(server: PostgresServer, name: str) -> str:
    """Make an empty database, and return its url."""
    asyncio.run(_execute(server.dsn(), f"CREATE DATABASE {name}"))
    return server.dsn(name)


def capped_rules(folder: Path) -> Path:
    """Write the rules for kinds of orders, and return their folder."""
    rules = folder / "rules"
    rules.mkdir()
    for number in range(RULES):
        (rules / f"order-{number}.yaml").write_text(RULE.format(number=number))
    return rules


async def _execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute(statement)
    await connection.close()
