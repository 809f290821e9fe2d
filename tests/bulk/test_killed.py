"""An import that is killed at random moments comes to the same as one that nothing disturbs."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from adapter.model.encoding import encode
from adapter.model.imports import ImportJob, ImportOptions
from adapter.services.bulk import local
from adapter.store.engines import open_store
from tests.bulk.conftest import NOW, Shop
from tests.databases import SharedServer
from tests.length import length

#: One event of a hundred has no name. Some have no id, and some rows are there twice.
ROWS = [
    *(
        f"e-{n},{'' if n % 100 == 0 else 'seen'},c-{n % 40},2024-01-01T00:00:{n % 60:02}Z"
        for n in range(1, 1201)
    ),
    *(f",seen,c-{n % 7},2024-01-02T00:00:00Z" for n in range(120)),
    *(f"e-{n},seen,c-{n % 40},2024-01-01T00:00:{n % 60:02}Z" for n in range(1, 60)),
]
FILE = "id,name,user,occurred_at\n" + "\n".join(ROWS) + "\n"
SLICE = 40


def imported(url: str, folder: Path) -> None:
    """Import the file, or go on with it."""

    async def run() -> None:
        shop = Shop(url, folder)
        async with shop.app.working():
            source = local.Source(folder / "big.csv")
            job = local.job_of(source, "events", ImportOptions(), NOW, "x")
            begun = await local.begin(shop.store, job, restart=False, alone=url.startswith("sqlite"))
            shop.importer._worker = local.worker_name()

            async def report(_job: ImportJob) -> None:
                return

            await local.run(
                shop.store, shop.importer, begun, source, clock=lambda: NOW, report=report, size=SLICE
            )

    asyncio.run(run())


def killed(url: str, folder: Path, after: float) -> bool:
    """Import in a process that is killed after so many seconds; return whether it was."""
    process = multiprocessing.get_context("fork").Process(target=imported, args=(url, folder))
    process.start()
    process.join(after)
    alive = process.is_alive()
    if alive and process.pid is not None:
        os.kill(process.pid, signal.SIGKILL)
    process.join()
    return alive


def state(url: str) -> dict[str, Any]:
    """Return all that a store has of the import."""

    async def read() -> dict[str, Any]:
        store = open_store(url)
        await store.open()
        try:
            customers = await store.dump_customers("", 10_000)
            events = await store.dump_events(("", -(2**63), "", b""), None, None, 10_000)
            [job] = await store.import_jobs()
            refused = await store.refused_rows(job.id, 0, 10_000)
            return {
                "customers": [(key, encode(customer), history) for key, customer, history in customers],
                "events": [(key, encode(event)) for key, event in events],
                "counts": job.counts,
                "state": job.state,
                "refused": [(row.row, row.reason, row.raw) for _, row in refused],
            }
        finally:
            await store.close()

    return asyncio.run(read())


def check(url: str, other: str, folder: Path, kills: int, seed: int) -> int:
    """Import once undisturbed, and once with so many kills at most; expect the same. Returns the kills."""
    (folder / "big.csv").write_text(FILE)
    began = time.monotonic()
    imported(other, folder)
    whole = time.monotonic() - began
    drawn, done = random.Random(seed), 0
    while done < kills:
        if not killed(url, folder, drawn.random() * whole / max(1, kills / 4)) or has_ended(url):
            break  # a command that is run again after the end begins anew
        done += 1
    imported_or_done(url, folder)
    assert state(url) == state(other)
    return done


def has_ended(url: str) -> bool:
    """Tell whether the import has ended."""

    async def ended() -> bool:
        store = open_store(url)
        await store.open()
        try:
            jobs = await store.import_jobs()
            return bool(jobs) and jobs[0].state == "done"
        finally:
            await store.close()

    return asyncio.run(ended())


def imported_or_done(url: str, folder: Path) -> None:
    """Finish the import, unless it has ended."""
    if not has_ended(url):
        imported(url, folder)


def urls(folder: Path) -> tuple[str, str]:
    return f"sqlite:///{folder / 'killed.db'}", f"sqlite:///{folder / 'whole.db'}"


@pytest.mark.process
def test_a_killed_import_comes_to_the_same_on_sqlite(tmp_path: Path) -> None:
    check(*urls(tmp_path), tmp_path, kills=3, seed=1)


@pytest.mark.process
def test_a_killed_import_comes_to_the_same_on_postgres(tmp_path: Path, postgres_server: SharedServer) -> None:
    with postgres_server.store() as url, postgres_server.store() as other:
        check(url, other, tmp_path, kills=2, seed=2)


@pytest.mark.slow
@pytest.mark.process
def test_kills_at_many_moments(tmp_path: Path) -> None:
    done = 0
    for seed in range(100, 200):
        folder = tmp_path / str(seed)
        folder.mkdir()
        done += check(*urls(folder), folder, kills=3, seed=seed)
        if done >= length(4, 30):
            return
    raise AssertionError(f"only {done} imports were killed before their end")
