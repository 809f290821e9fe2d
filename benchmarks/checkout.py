"""What a checkout costs: validations and redemptions beside a Starlette route that answers the same bytes.

In each round and on each engine, 64 connections of wrk validate codes, redeem codes, ask the Starlette route,
and send single events (benchmarks/ingest.py), one after the other. A validation asks for one code, each of
another customer, on an order of five lines. A redemption books such a code under its own Idempotency-Key, and
is answered when it is on the disk. All servers run under uvicorn with httptools and uvloop. Ratios are taken
inside a round, and the median round is reported; then pricing is measured alone (benchmarks/pricing.py).

    .venv/bin/python -m benchmarks.checkout                   three rounds of three seconds
    .venv/bin/python -m benchmarks.checkout --rounds 5 --seconds 5
    .venv/bin/python -m benchmarks.checkout --engine sqlite   without PostgreSQL

Aim: a validation costs at most what the ingest of one event costs, 200 lines at most 20 times 5 lines.
The last line has the figures of SQLite under plain names, and those of PostgreSQL under `postgres`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from adapter.model.actions import PercentageOff
from adapter.model.customers import Customer
from adapter.model.discounts import Discount, DiscountRecord
from adapter.store.engines import open_store
from adapter.store.transaction_contract import Transaction
from adapter.store.values import Changes, CustomerRecord, LoadRequest
from benchmarks import ingest, pricing, shared
from benchmarks.postgres import free_port
from benchmarks.starlette_route import ANSWER

HERE = Path(__file__).parent
#: Codes that are validated, and codes that are redeemed in a second at most: each of another customer.
VALIDATED = 10_000
REDEEMED_PER_SECOND = 4_000
#: A step through the codes that leaves none out.
STEP = 7_919
_BATCH = 2_000
Figures = dict[str, float]
#: Loads a server: its url, the path, the first code, how many there are, the step.
Load = Callable[[str, str, int, int, int], Figures]


def main() -> None:
    arguments = _arguments()
    if shutil.which("wrk") is None:
        sys.exit("the load generator wrk is missing: apt-get install wrk")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        engines: dict[str, Callable[[int], str]] = {
            "sqlite": lambda number: f"sqlite:///{folder / f'round{number}.db'}"
        }
        if arguments.engine == "both":
            server = stack.enter_context(shared.postgres())
            engines["postgres"] = lambda number: shared.database(server, f"round{number}")
        rounds = [
            {name: _round(store(number), folder, arguments.seconds) for name, store in engines.items()}
            for number in range(arguments.rounds)
        ]
    summary = _summary([each["sqlite"] for each in rounds])
    if "postgres" in engines:
        summary["postgres"] = _summary([each["postgres"] for each in rounds])
    print(json.dumps(summary | pricing.costs_of_orders(arguments.rounds)))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--engine", choices=("sqlite", "both"), default="both")
    return parser.parse_args()


def _round(store: str, folder: Path, seconds: int) -> dict[str, Figures]:
    """Return the figures of one round on a new store."""
    redeemed = REDEEMED_PER_SECOND * seconds
    asyncio.run(_fill(store, VALIDATED + redeemed))
    template, found = _template(folder), dict[str, Figures]()
    load = partial(_load, seconds=seconds, body=template)
    with ingest.serve_adapter(store) as url:
        answer = folder / "answer.json"
        answer.write_bytes(_answer(url, template.read_text()))
        load(url, "/v1/validations", 0, VALIDATED, STEP, seconds=1)
        found["validate"] = load(url, "/v1/validations", 0, VALIDATED, STEP)
        with _starlette(answer) as peer:
            found["route"] = load(peer, "/v1/validations", 0, VALIDATED, STEP)
        found["redeem"] = load(url, "/v1/redemptions", VALIDATED, redeemed, 1)
        found["event"] = ingest.load(url, "event", seconds, body=ingest.write_body(folder))
    rates = "  ".join(
        f"{name} {one['requests_per_s']:,.0f}/s p99 {one['p99_ms']:.1f} ms" for name, one in found.items()
    )
    print(f"{store.partition(':')[0]}: {rates}", flush=True)
    return found


async def _fill(url: str, count: int) -> None:
    """Issue so many discounts, each to a customer of its own."""
    store, now = open_store(url), datetime.now(UTC)
    await store.open()
    try:
        for first in range(0, count, _BATCH):
            made = [_issued(number, now) for number in range(first, min(first + _BATCH, count))]

            async def script(transaction: Transaction, made: list[DiscountRecord] = made) -> None:
                await transaction.load(LoadRequest(), now)
                changes = Changes(now)
                changes.customers = [CustomerRecord(Customer(held.source_id)) for held in made]
                changes.discounts = made
                await transaction.save(changes)

            await store.transact(script)
    finally:
        await store.close()


def _issued(number: int, now: datetime) -> DiscountRecord:
    source_id, action = (
        f"shopper-{number}",
        PercentageOff(Decimal(15), max_amount=Decimal(40), currency="EUR"),
    )
    metadata = {"rule": "offer", "issued_for_event_id": f"e{number}", "user_id": source_id}
    discount = Discount(f"HV15-{number}", action, None, metadata, False, "issued")
    return DiscountRecord(discount, source_id, "offer", f"e{number}", now, now)


def _template(folder: Path) -> Path:
    order = {
        "id": "order-@N@",
        "currency": "EUR",
        "lines": [
            {
                "id": str(at),
                "sku": f"SKU-{at}",
                "category": "shoes",
                "quantity": at,
                "unit_price": f"{at * 7}.95",
            }
            for at in range(1, 6)
        ],
        "shipping": [{"service_level": "standard", "country": "DE", "price": "4.95"}],
    }
    document = {"codes": ["HV15-@N@"], "customer": {"source_id": "shopper-@N@"}, "order": order}
    path = folder / "checkout.json"
    path.write_text(json.dumps(document))
    return path


def _answer(url: str, template: str) -> bytes:
    """Return what a validation answers; stops where it would mean nothing."""
    body = template.replace("@N@", "0")
    response = httpx.post(f"{url}/v1/validations", content=body, headers={"Content-Type": "application/json"})
    if response.status_code != 200 or not response.json()["valid"]:
        sys.exit(f"the validation failed: {response.text}")
    return response.content


@contextmanager
def _starlette(answer: Path) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "benchmarks.starlette_route:app", "--port", str(port),
               "--loop=uvloop", "--http", "httptools", "--log-level", "error", "--no-access-log"]  # fmt: skip
    with ingest.serve(command, port, {**os.environ, ANSWER: str(answer)}) as url:
        yield url


def _load(url: str, path: str, first: int, count: int, step: int, *, seconds: int, body: Path) -> Figures:
    command = ["wrk", "-t1", f"-c{ingest.CONNECTIONS}", f"-d{seconds}s", "--timeout", "10s", "-s",
               str(HERE / "checkout.lua"),
               url, "--", path, str(body), str(first), str(count), str(step)]  # fmt: skip
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    line = next(line for line in output.splitlines() if line.startswith("RESULT "))
    result: Figures = json.loads(line.removeprefix("RESULT "))
    if result["bad"]:
        sys.exit(f"{result['bad']:.0f} of {result['requests']:.0f} calls of {path} failed")
    return result


def _summary(rounds: list[dict[str, Figures]]) -> dict[str, Any]:
    def median(name: str, figure: str) -> float:
        return round(statistics.median(each[name][figure] for each in rounds), 2)

    def ratio(of: str, to: str) -> float:
        pairs = ((each[of]["requests_per_s"], each[to]["requests_per_s"]) for each in rounds)
        return round(statistics.median(mine / theirs for mine, theirs in pairs), 3)

    found = {
        "validate_ratio_route": ratio("validate", "route"),
        "redeem_ratio_route": ratio("redeem", "route"),
        "validate_over_ingest": ratio("validate", "event"),
    }
    for name in ("validate", "redeem"):
        found[f"{name}_requests_per_s"] = median(name, "requests_per_s")
        found[f"{name}_p99_ms"] = median(name, "p99_ms")
    return found


if __name__ == "__main__":
    main()
