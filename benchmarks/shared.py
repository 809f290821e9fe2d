"""The corridor over PostgreSQL: by several processes, with a hot rule or many cold ones, in a grown store."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import asyncpg
from msgspec import Struct

from adapter.services.loaded_files import read_files
from adapter.settings.values import Settings
from benchmarks.filling import fill
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
#: Seconds of load before what counts: processes start one after the other, and connections must reach all.
WARM = 2
Figures = dict[str, Any]
#: Starts the adapter over a store with options, and yields its url.
Serve = Callable[..., AbstractContextManager[str]]
#: Loads a url: name of the run, seconds, kinds of orders, customers.
Load = Callable[[str, str, int, int, int], Figures]


class Run(Struct, frozen=True):
    """One way to serve; `orders` kinds of orders and so many customers make up its load."""

    workers: int = 1
    orders: int = 1
    capped: bool = False
    customers: int = 20_000
    grown: bool = False


class Shared:
    """One PostgreSQL server, and what is measured over it in each round.

    A grown store has so many `customers` with ten events each; it is filled once.
    """

    def __init__(self, server: PostgresServer, folder: Path, customers: int) -> None:
        self._server = server
        self._rules = capped_rules(folder)
        self._grown = database(server, "grown")
        fill(self._grown, customers, read_files(Settings()).rules)
        self._runs = {
            "postgres_1": Run(),
            "postgres_2": Run(workers=2),
            "postgres_4": Run(workers=4),
            "hot": Run(workers=2, capped=True),
            "cold": Run(workers=2, capped=True, orders=RULES),
            "empty": Run(customers=customers),
            "full": Run(customers=customers, grown=True),
        }

    def measure(self, number: int, serve: Serve, load: Load, seconds: int) -> dict[str, Figures]:
        """Return the figures of each run of a round."""
        found = {}
        for name, run in self._runs.items():
            store = self._grown if run.grown else database(self._server, f"{name}_{number}")
            rules = ["--rules", str(self._rules)] if run.capped else []
            with serve(store, "--workers", str(run.workers), *rules) as url:
                load(url, f"warm{name}{number}", WARM, run.orders, run.customers)
                found[name] = load(url, f"{name}{number}", seconds, run.orders, run.customers)
        return found


def summary(rounds: list[dict[str, Figures]], bare: list[float]) -> dict[str, float]:
    """Return the figures of all rounds; ratios are taken inside a round, and the median round counts."""
    rates = {name: [each[name]["requests_per_s"] for each in rounds] for name in rounds[0]}
    found = {f"ratio_{name}": _ratio(rates[name], bare) for name in rates if name.startswith("postgres_")}
    late = {f"{name}_p99_ms": median(each[name]["p99_ms"] for each in rounds) for name in rates}
    return (
        found
        | {name: round(figure, 2) for name, figure in late.items()}
        | {
            # What a message costs with one hot rule, by what it costs with many cold ones.
            "hot_over_cold": _ratio(rates["cold"], rates["hot"]),
            "full_over_empty": _ratio(rates["empty"], rates["full"]),
        }
    )


def _ratio(of: list[float], to: list[float]) -> float:
    return round(median(mine / theirs for mine, theirs in zip(of, to, strict=True)), 3)


@contextmanager
def postgres() -> Iterator[PostgresServer]:
    """Start a server as docs/postgresql.md recommends: every commit is on the disk when it returns."""
    with tempfile.TemporaryDirectory(prefix="adapter-postgres-") as folder:
        Path(folder).chmod(0o755)
        server = PostgresServer(Path(folder), *_recommended())
        server.start()
        try:
            yield server
        finally:
            server.stop()


def _recommended() -> tuple[str, ...]:
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return f"shared_buffers={memory // 4 >> 20}MB", "max_wal_size=8GB", "checkpoint_timeout=15min"


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
