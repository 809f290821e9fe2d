"""What honest senders notice while another attacks: refusals, latency, and what the server holds in memory.

For every engine and attack (benchmarks/attacks.py), in pairs, one with the attack and one without, whose
order alternates: a fresh server over a fresh store, what the attack needs in the store, and honest calls at
a steady rate. The server that was attacked is then stopped by SIGTERM while the attack goes on, and its
store is read: each call that was answered 200 must be there, the attacker's own among them (acknowledged.py).

    .venv/bin/python -m benchmarks.attack             five pairs of each attack over both engines
    .venv/bin/python -m benchmarks.attack --pairs 1 --attacks aliases,erasures --engines sqlite

The last line is one JSON object: for each engine and attack the share of honest calls that were not answered
200 (`share_503`), the median over pairs of their p99 over that without the attack (`p99_over`), the most
memory that the server has held (`peak_mb`), how long it took to stop (`sigterm_s`, the longest), and how
many of the calls that it had acknowledged are not in the store (`lost`), the `attacker_calls` that it had
acknowledged to the attacker among them. The aim: at most 0.05, 512 MB, 10 s and 0.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import httpx
from msgspec import Struct

from adapter.store.engines import open_store
from benchmarks import shared
from benchmarks.acknowledged import Acknowledged, missing, written_down
from benchmarks.attacks import PREPARED, STRIKES, Target, call, strike
from benchmarks.postgres import PostgresServer, free_port

HERE = Path(__file__).parent
#: Honest calls a second, and their customers.
RATE = 20
SHOPPERS = 10
#: Seconds after which an honest sender gives up, as Segment does.
PATIENCE = 5
RULE = """\
name: welcome
trigger: checkout_started
conditions:
  all:
    - cart_value >= 120
action: {type: percentage_off, value: 10, expires_in_hours: 24}
guardrails: {per_user_limit: 1}
"""


class Run(Struct):
    """What one server went through; `peak` is in bytes, `stopped` and latencies in seconds."""

    spent: list[float]
    acknowledged: list[str]
    refused: int = 0
    peak: int = 0
    stopped: float = 0
    lost: int = 0
    attacker_calls: int = 0

    @property
    def p99(self) -> float:
        """Return the latency that 99 of 100 honest calls did not exceed."""
        return sorted(self.spent)[len(self.spent) * 99 // 100]


def main() -> None:
    arguments = _arguments()
    figures: dict[str, dict[str, dict[str, float]]] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(shared.postgres()) if "postgres" in arguments.engines else None
        fresh = partial(_fresh_store, server, folder, count(1))
        for engine in arguments.engines:
            for attack in arguments.attacks:
                pairs = [_pair(pair, partial(fresh, engine), attack, arguments.seconds)
                         for pair in range(arguments.pairs)]  # fmt: skip
                figures.setdefault(engine, {})[attack] = _figures(pairs)
                print(f"{engine} {attack}: {json.dumps(figures[engine][attack])}", flush=True)
    print(json.dumps(figures))


def _fresh_store(
    server: PostgresServer | None, folder: Path, numbers: Iterator[int], engine: str
) -> tuple[str, Path]:
    """Return the url of a store with nothing in it, and a folder for its server's rules."""
    name = f"run{next(numbers)}"
    if engine == "postgres" and server is not None:
        return shared.database(server, name), folder / name
    return f"sqlite:///{folder / name}.db", folder / name


def _pair(number: int, fresh: Callable[[], tuple[str, Path]], attack: str, seconds: int) -> tuple[Run, Run]:
    """Return a run with the attack and one without."""
    runs = {}
    for attacked in (number % 2 == 0, number % 2 == 1):
        store, folder = fresh()
        runs[attacked] = _run(store, folder, attack, seconds, attacked=attacked)
    return runs[True], runs[False]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=8, help="of honest calls in each run")
    parser.add_argument("--attacks", type=lambda text: text.split(","), default=list(STRIKES))
    parser.add_argument("--engines", type=lambda text: text.split(","), default=["sqlite", "postgres"])
    return parser.parse_args()


def _figures(pairs: list[tuple[Run, Run]]) -> dict[str, float]:
    attacked = [run for run, _ in pairs]
    calls = sum(len(run.spent) for run in attacked)
    return {
        "share_503": round(sum(run.refused for run in attacked) / calls, 4),
        "p99_over": round(statistics.median(run.p99 / calm.p99 for run, calm in pairs), 1),
        "p99_ms": round(statistics.median(run.p99 for run in attacked) * 1000, 1),
        "peak_mb": round(max(run.peak for run in attacked) / 2**20, 1),
        "sigterm_s": round(max(run.stopped for run in attacked), 1),
        "lost": sum(run.lost for run in attacked),
        "attacker_calls": sum(run.attacker_calls for run in attacked),
    }


def _run(store: str, folder: Path, attack: str, seconds: int, *, attacked: bool) -> Run:
    """Serve honest senders for some seconds, and an attacker beside them where they are `attacked`."""
    rules = folder / "rules"
    rules.mkdir(parents=True)
    (rules / "welcome.yaml").write_text(RULE)
    with _serving(store, rules) as (url, process):
        asyncio.run(_prepare(attack, url, rules))
        with _attacking(attack, url, rules, seconds + 30) if attacked else _nobody():
            run = asyncio.run(_honest(url, seconds))
            run.peak = _peak(process.pid)
            run.stopped = _stop(process)
    calls = written_down(folder)
    run.attacker_calls = len(calls)
    run.lost = asyncio.run(_lost(store, run.acknowledged, calls))
    return run


async def _prepare(attack: str, url: str, rules: Path) -> None:
    if attack in PREPARED:
        await PREPARED[attack](Target(url, rules, 60))


@contextmanager
def _serving(store: str, rules: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    port = free_port()
    command = [sys.executable, "-m", "adapter.cli.main", "serve", "--port", str(port), "--store", store,
               "--rules", str(rules)]  # fmt: skip
    environ = {**os.environ, "ADAPTER_LOG_LEVEL": "error"}
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, cwd=HERE.parent, env=environ, stdout=quiet, stderr=quiet)
    try:
        _await_ready(f"http://127.0.0.1:{port}/health/live", process)
        yield f"http://127.0.0.1:{port}", process
    finally:
        process.kill()
        process.wait()


def _await_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        if process.poll() is not None:
            break
        try:
            httpx.get(url, timeout=5)
        except httpx.HTTPError:
            time.sleep(0.05)
        else:
            return
    sys.exit("the server did not start")


@contextmanager
def _attacking(attack: str, url: str, rules: Path, seconds: int) -> Iterator[None]:
    context = multiprocessing.get_context("spawn")
    begun = context.Event()
    attacker = context.Process(target=strike, args=(attack, url, str(rules), seconds, begun))
    attacker.start()
    if not begun.wait(60):
        sys.exit("the attack did not begin")
    try:
        yield
    finally:
        attacker.kill()
        attacker.join()


@contextmanager
def _nobody() -> Iterator[None]:
    yield


async def _honest(url: str, seconds: int) -> Run:
    """Send small calls at a steady rate, however long the ones before them take."""
    run = Run([], [])
    async with httpx.AsyncClient(base_url=url, timeout=PATIENCE) as client, asyncio.TaskGroup() as group:
        await client.get("/health/live")
        began = time.monotonic()
        for number in range(RATE * seconds):
            await asyncio.sleep(max(0.0, began + number / RATE - time.monotonic()))
            group.create_task(_call(client, number, run))
    return run


async def _call(client: httpx.AsyncClient, number: int, run: Run) -> None:
    event = ("Product Viewed", "Checkout Started")[number % 2]
    properties = {"value": 145.75, "currency": "USD"}
    body = call(
        "track", f"honest-{number}", f"shopper-{number % SHOPPERS}", event=event, properties=properties
    )
    started = time.monotonic()
    try:
        answer = await client.post("/webhooks/segment", json=body)
        taken = answer.status_code == 200 and answer.json()["results"][0]["outcome"] == "processed"
    except httpx.HTTPError:
        taken = False
    run.spent.append(time.monotonic() - started)
    if taken:
        run.acknowledged.append(body["messageId"])
    else:
        run.refused += 1


def _peak(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def _stop(process: subprocess.Popen[bytes]) -> float:
    """Return how many seconds a server takes to end; thirty where it does not."""
    started = time.monotonic()
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        return 30.0
    return time.monotonic() - started


async def _lost(url: str, acknowledged: list[str], calls: list[Acknowledged]) -> int:
    store: Any = open_store(url)
    await store.open()
    try:
        kept: set[str] = set()
        for number in range(SHOPPERS):
            page = await store.events(f"shopper-{number}")
            kept.update(event.id for event in page)
            while page.next is not None:
                page = await store.events(f"shopper-{number}", before=page.next)
                kept.update(event.id for event in page)
        of_attacker = await missing(store, calls)
    finally:
        await store.close()
    return len(set(acknowledged) - kept) + of_attacker


if __name__ == "__main__":
    main()
