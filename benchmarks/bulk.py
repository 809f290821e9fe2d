"""Rows per second of imports, beside `sqlite3 .import` and `COPY` of the same file, and beside batch ingest.

    python -m benchmarks.bulk                   1,000,000 customers and events, both engines, some minutes
    python -m benchmarks.bulk --rows 50000 --rounds 5 --no-postgres

Each round measures all contenders one after the other; ratios are medians over the rounds. Everything that an
import does is done: dedupe, traits, history, one transaction for each slice. Imports into each engine run in
a process of their own, as a user's do; the peak of memory is the higher of the two. Progress is written to
standard error, and the last line of standard output is JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import apsw
import apsw.shell
import asyncpg
from msgspec import Struct
from msgspec.structs import replace

from adapter import app
from adapter.interpreter import tune
from adapter.metrics import Metrics
from adapter.model.imports import ImportJob, ImportKind, ImportOptions
from adapter.services.bulk import local
from adapter.services.bulk.importer import Importer
from adapter.services.bulk.runner import ImportRunner
from adapter.services.bulk.slices import Slices
from adapter.services.environment import Environment
from adapter.settings.values import Files, Settings
from adapter.settings.values import Store as StoreSettings
from adapter.sources.registry import SOURCES
from benchmarks.postgres import PostgresServer

ROOT = Path(__file__).parents[1]
SLICE = 2_000
#: Calls of one batch body.
BATCH = 500
#: Seconds between two lines of progress.
_PROGRESS = 5.0
#: Seconds between two webhooks.
_PAUSE = 0.005


class Shop(Struct):
    """The services of a store in a folder."""

    app: app.App
    importer: Importer


def customers(count: int) -> Iterator[str]:
    """Yield the lines of a file of customers."""
    yield "source_id,name,email,metadata.tier,metadata.city,metadata.points\n"
    for n in range(count):
        yield f"c-{n},Customer {n},c{n}@example.com,{('gold', 'silver', 'none')[n % 3]},Oslo,{n % 1000}\n"


def events(count: int) -> Iterator[str]:
    """Yield the lines of a file of events: ten for each customer, in the order of time."""
    yield "id,name,user,occurred_at,total,currency\n"
    people = max(1, count // 10)
    for n in range(count):
        minute, hour = n % 60, n // 60 % 24
        at = f"2024-{n % 12 + 1:02}-11T{hour:02}:{minute:02}:00Z"
        yield f"e-{n},order_completed,c-{n % people},{at},{n % 500},EUR\n"


def shop(folder: Path, url: str = "") -> Shop:
    """Return the services of a new store: in a folder, or of a URL."""
    files = Files(str(ROOT / "mappings"), str(ROOT / "rules"))
    settings = Settings(files=files, store=StoreSettings(url or f"sqlite:///{folder / 'adapter.db'}"))
    world = Environment()
    composed = app.compose(settings)
    slices = Slices(composed.store, composed.books, world, composed.completer.complete)
    return Shop(composed, Importer(composed.store, composed.books, slices, world.clock, local.worker_name()))


async def imported(made: Shop, kind: ImportKind, path: Path) -> ImportJob:
    """Import a file into an open store."""
    source, store = local.Source(path), made.app.store
    job = local.job_of(source, kind, ImportOptions(), datetime.now(UTC), "x")
    begun = await local.begin(store, job, restart=False, alone=False)

    began = last = time.perf_counter()

    async def report(job: ImportJob) -> None:
        nonlocal last
        now = time.perf_counter()
        if now - last >= _PROGRESS:
            last = now
            tell(f"{kind}: {job.rows_done:,} rows, {job.rows_done / (now - began):,.0f} rows/s")

    clock: Callable[[], datetime] = lambda: datetime.now(UTC)  # noqa: E731
    ended = await local.run(store, made.importer, begun, source, clock=clock, report=report, size=SLICE)
    assert (ended.state, ended.counts.refused) == ("done", 0), ended
    return ended


def tell(line: str) -> None:
    """Write a line of progress."""
    print(line, file=sys.stderr, flush=True)


async def ingested(made: Shop, count: int) -> None:
    """Send events as batches of a source, one after the other."""
    people = max(1, count // 10)
    for start in range(0, count, BATCH):
        batch = [
            {
                "type": "track", "event": "Order Completed", "userId": f"c-{n % people}",
                "messageId": f"m-{n}",
                "timestamp": f"2024-{n % 12 + 1:02}-11T00:{n % 60:02}:00Z",
                "properties": {"total": n % 500, "currency": "EUR"},
            }
            for n in range(start, min(start + BATCH, count))
        ]  # fmt: skip
        body = json.dumps({"batch": batch}).encode()
        decoded = SOURCES["segment"].decode_recorded(body, datetime.now(UTC))
        await made.app.ingest.receive(decoded, len(body))


def raw_load(path: Path, folder: Path) -> float:
    """Return the seconds of `.import` of the `sqlite3` shell, or of apsw's where there is none."""
    database = folder / "raw.db"
    began = time.perf_counter()
    if shutil.which("sqlite3"):
        command = ["sqlite3", str(database), "PRAGMA journal_mode=WAL", f".import --csv {path} rows"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    else:
        shell: Any = apsw.shell.Shell(args=[str(database)])
        shell.process_command(".mode csv")
        _created(shell.db, path)
        shell.process_command(f".import {path} rows")
    return time.perf_counter() - began


def _created(connection: apsw.Connection, path: Path) -> None:
    connection.execute(f"CREATE TABLE rows ({', '.join(json.dumps(name) for name in _names(path))})")


def _names(path: Path) -> list[str]:
    with path.open() as file:
        return file.readline().strip().split(",")


async def copied(url: str, path: Path) -> float:
    """Return the seconds of PostgreSQL's `COPY` of a file into a table of text."""
    connection = await asyncpg.connect(url)
    columns = ", ".join(f"{json.dumps(name)} text" for name in _names(path))
    await connection.execute(f"DROP TABLE IF EXISTS raw_rows; CREATE TABLE raw_rows ({columns})")
    began = time.perf_counter()
    await connection.copy_to_table("raw_rows", source=path, format="csv", header=True)
    seconds = time.perf_counter() - began
    await connection.close()
    return seconds


def _server(folder: Path) -> PostgresServer:
    """Return a running server; it may run as another user, who must reach its folder."""
    folder.chmod(0o755)
    home = folder / "postgres"
    home.mkdir()
    server = PostgresServer(home)
    server.start()
    return server


async def postgres_round(rows: int, folder: Path) -> dict[str, float]:
    """Measure `COPY` and imports into a PostgreSQL server of their own, of the files of `sqlite_round`."""
    server = _server(folder)
    found: dict[str, float] = {}
    try:
        made = shop(folder, server.dsn())
        async with made.app.working():
            for kind in ("customers", "events"):
                path = folder / f"{kind}.csv"
                tell(f"{kind} into PostgreSQL")
                found[f"copy_{kind}"] = rows / await copied(server.dsn(), path)
                seconds = await measured(lambda kind=kind, path=path: imported(made, kind, path))  # type: ignore[misc]
                found[f"postgres_{kind}"] = rows / seconds
    finally:
        server.stop()
    return found


async def latencies(made: Shop, calls: int, name: str) -> list[float]:
    """Send calls of a webhook one after the other, with pauses; return the seconds that each took."""
    found = []
    for number in range(calls):
        who, id_ = f"w-{number % 50}", f"{name}{number}"
        call = {"type": "track", "event": "Order Completed", "userId": who, "messageId": id_}
        began = time.perf_counter()
        decoded = SOURCES["segment"].decode_recorded(json.dumps(call).encode(), datetime.now(UTC))
        await made.app.ingest.receive(decoded)
        found.append(time.perf_counter() - began)
        await asyncio.sleep(_PAUSE)
    return found


async def p99_ratio(made: Shop, calls: int) -> float:
    """Return the p99 of webhooks beside a running import of the server, over that without one."""
    alone = await latencies(made, calls, "alone")
    store, now = made.app.store, datetime.now(UTC)
    data = "".join(events(2_000 * max(1, calls // 50))).encode()
    job = ImportJob("imp_beside", "events", "beside.csv", now, state="receiving", size=len(data), chunks=1)
    await store.add_import(job)
    await store.add_import_chunk(job.id, 0, data)
    await store.received_import(replace(job, state="waiting"))
    keep, clock = timedelta(days=7), Environment().clock
    runner = ImportRunner(
        store, made.importer, clock, worker=local.worker_name(), metrics=Metrics(), keep=keep
    )
    stop = asyncio.Event()
    running = asyncio.create_task(runner.run_next(stop))
    beside = await latencies(made, calls, "beside")
    stop.set()
    await running
    return _p99(beside) / _p99(alone)


def _p99(seconds: list[float]) -> float:
    return sorted(seconds)[len(seconds) * 99 // 100]


async def measured(work: Callable[[], Awaitable[Any]]) -> float:
    """Return the seconds of some work."""
    began = time.perf_counter()
    await work()
    return time.perf_counter() - began


async def sqlite_round(rows: int, folder: Path) -> dict[str, float]:
    """Write files of customers and events; measure `.import` and imports into SQLite; rows per second."""
    found: dict[str, float] = {}
    made = shop(folder)
    async with made.app.working():
        for kind, lines in (("customers", customers(rows)), ("events", events(rows))):
            tell(f"{kind} into SQLite")
            path = folder / f"{kind}.csv"
            with path.open("w") as file:
                file.writelines(lines)
            raw = raw_load(path, folder)
            (folder / "raw.db").unlink()
            seconds = await measured(lambda kind=kind, path=path: imported(made, kind, path))  # type: ignore[misc]
            found[f"raw_{kind}"], found[kind] = rows / raw, rows / seconds
    return found


async def live_round(rows: int, calls: int, folder: Path) -> dict[str, float]:
    """Measure batch ingest into SQLite in rows per second, and the ratio of p99 beside an import."""
    tell("batch ingest, and webhooks beside an import")
    made = shop(folder)
    async with made.app.working():
        batch = rows / await measured(lambda: ingested(made, rows))
        return {"batch": batch, "p99": await p99_ratio(made, calls)}


def alone(measure: Callable[..., Coroutine[Any, Any, dict[str, float]]], *given: Any) -> dict[str, float]:
    """Measure in a new process; its figures, and its `peak` of memory in MB."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_with_peak, measure, *given).result()


def _with_peak(
    measure: Callable[..., Coroutine[Any, Any, dict[str, float]]], *given: Any
) -> dict[str, float]:
    tune()  # as a server and a command do
    found = asyncio.run(measure(*given))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)
    return {**found, "peak": peak}


def round_of(rows: int, batch_rows: int, calls: int, folder: Path, *, postgres: bool) -> dict[str, float]:
    """Measure everything once; rows per second, the ratio of p99, and the peak of memory of an import."""
    live = folder / "live"
    live.mkdir()
    imports = alone(sqlite_round, rows, folder)
    found = {**alone(live_round, batch_rows, calls, live), **imports}
    if postgres:
        found |= alone(postgres_round, rows, folder)
        found["peak"] = max(found["peak"], imports["peak"])
    return found


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    """Measure, print each round, and return the last line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--batch-rows", type=int, default=20_000)
    parser.add_argument("--calls", type=int, default=1_000, help="webhooks alone and beside an import")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument(
        "--postgres",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="beside COPY into a server of its own",
    )
    given = parser.parse_args(arguments)
    rounds = []
    for number in range(given.rounds):
        with tempfile.TemporaryDirectory() as folder:
            found = round_of(given.rows, given.batch_rows, given.calls, Path(folder), postgres=given.postgres)
        rounds.append(found)
        print(
            f"round {number + 1}: " + ", ".join(f"{name} {rate:,.0f}" for name, rate in found.items()),
            flush=True,
        )
    last = {
        "rows": given.rows,
        "ratio_customers": round(median(one["customers"] / one["raw_customers"] for one in rounds), 4),
        "ratio_events": round(median(one["events"] / one["raw_events"] for one in rounds), 4),
        "events_over_batch_ingest": round(median(one["events"] / one["batch"] for one in rounds), 2),
        "peak_mb": round(max(one["peak"] for one in rounds)),
        "webhook_p99_beside_import_over_alone": round(median(one["p99"] for one in rounds), 2),
    }
    for kind in ("customers", "events") if given.postgres else ():
        ratio = median(one[f"postgres_{kind}"] / one[f"copy_{kind}"] for one in rounds)
        last[f"ratio_{kind}_over_copy"] = round(ratio, 4)
    print(json.dumps(last))
    return last


if __name__ == "__main__":
    main()
