"""How fast the pages of the console answer over a grown store, on both engines.

    python -m benchmarks.console        1,000,000 customers, 10,000,000 events; filling takes some minutes
    python -m benchmarks.console --customers 20000 --engine sqlite
    python -m benchmarks.console --folder grown           keeps the stores, and uses those that are there

Each page is asked over HTTP of a started server, one request after the other, in turns. The figures are
milliseconds; the last line is JSON: the worst p95 of each engine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import quantiles

import httpx

from adapter.app import compose
from adapter.settings.destinations.registry import Destinations
from adapter.settings.destinations.webhook import Webhook
from adapter.settings.scalars import Secret
from adapter.settings.values import Settings
from adapter.settings.values import Store as StoreSettings
from benchmarks.grown_store import CUSTOMER, ORIGIN, grow
from benchmarks.postgres import PostgresServer, free_port
from tests.console.addresses import addresses

ENGINES = ("sqlite", "postgres")
_RULE = "high-value-cart-first-purchase"
#: What is asked beside each page as the links to it have it: lists as they are filtered.
FILTERED = (
    "/console/events?q=outcome%3Aquarantined",
    "/console/events?q=event%3A%22Order+Completed%22",
    f"/console/events?q=customer%3A{CUSTOMER}",
    "/console/events?q=nothing-has-this-id",
    f"/console/customers?q={CUSTOMER}%40example.com",
    f"/console/customer?id={CUSTOMER}",
    f"/console/customer/why?id={CUSTOMER}&rule={_RULE}",
    f"/console/discounts?rule={_RULE}",
    f"/console/discounts?rule={_RULE}&status=redeemed",
    "/console/discounts?status=revoked",
    f"/console/discounts?customer={CUSTOMER}",
    "/console/discounts?code=HV15-000F4240",
    f"/console/discounts/revoke-rule?rule={_RULE}",
    f"/console/redemptions?customer={CUSTOMER}",
    f"/console/redemptions?order=O-{ORIGIN}",
    "/console/deliveries?status=dead",
    "/console/deliveries?destination=webhook",
    f"/console/rule?name={_RULE}",
    f"/console/audit?customer={CUSTOMER}",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--requests", type=int, default=40, help="requests of each page")
    parser.add_argument("--engine", choices=ENGINES, action="append")
    parser.add_argument("--folder", type=Path, help="where the stores are kept")
    given = parser.parse_args()
    worst: dict[str, float] = {}
    with ExitStack() as stack:
        folder = given.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for engine in given.engine or ENGINES:
            url = stack.enter_context(grown(engine, folder, given.customers))
            server = stack.enter_context(served(url))
            found = measured(server, given.requests)
            worst[f"{engine}_p95_ms"] = max(show(engine, page, times) for page, times in found.items())
    rounded = {name: round(each, 1) for name, each in worst.items()}
    print(json.dumps({"customers": given.customers, **rounded}))


@contextmanager
def grown(engine: str, folder: Path, customers: int) -> Iterator[str]:
    """Yield the URL of a grown store; one that is in the folder is used."""
    place = folder / f"{engine}-{customers}"
    there = (place / "grown").exists()
    with ExitStack() as stack:
        if not there:
            place.mkdir(parents=True, exist_ok=True)
        url = f"sqlite:///{place}/adapter.db"
        if engine == "postgres":
            server = PostgresServer(place, "shared_buffers=1GB", "max_wal_size=4GB")
            server.start()
            stack.callback(server.stop)
            url = server.dsn()
        if not there:
            asyncio.run(_fill(url, customers))
            (place / "grown").touch()
        yield url


async def _fill(url: str, customers: int) -> None:
    # What is pushed is only stored: nothing sends while a store is filled.
    webhook = Webhook(url="https://shop.example/in", secrets=(Secret("whsec_" + "A" * 32),))
    shop = compose(Settings(store=StoreSettings(url=url), destinations=Destinations(webhook=webhook)))
    async with shop.working():
        await grow(shop, customers)


@contextmanager
def served(url: str) -> Iterator[str]:
    """Start a server over a store, and yield its URL."""
    port = free_port()
    command = [sys.executable, "-m", "adapter.cli.main", "serve", "--port", str(port), "--store", url]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        base = f"http://127.0.0.1:{port}"
        _await(lambda: httpx.get(f"{base}/health/ready").status_code == 200)
        yield base
    finally:
        process.terminate()
        process.wait(60)


def _await(holds: Callable[[], bool]) -> None:
    for _ in range(6_000):  # a store of an older program is migrated first
        try:
            if holds():
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise TimeoutError("the server does not start")


def measured(server: str, requests: int) -> dict[str, list[float]]:
    """Return the milliseconds of each request of each page; the first of each is not counted."""
    with httpx.Client(base_url=server, timeout=60) as client:
        pages = dict.fromkeys((*addresses(client).values(), *FILTERED))
        found: dict[str, list[float]] = {page: [] for page in pages}
        for turn in range(requests + 1):
            for page in pages:
                began = time.perf_counter()
                response = client.get(page)
                spent = (time.perf_counter() - began) * 1000
                if response.status_code >= 500:
                    raise SystemExit(f"{page} answered {response.status_code}: {response.text[-400:]}")
                if turn:
                    found[page].append(spent)
    return found


def show(engine: str, page: str, times: list[float]) -> float:
    """Print the figures of a page, and return its p95."""
    cuts = quantiles(times, n=20, method="inclusive")
    print(f"{engine:9} {cuts[9]:8.1f} p50 {cuts[18]:8.1f} p95  {page}", flush=True)
    return cuts[18]


if __name__ == "__main__":
    main()
