"""How much of a bare server's throughput is left when every request is decided and durable.

Starts, in turn and several rounds over: a bare ASGI app that only decodes the body (benchmarks/bare.py),
and this adapter with the whole corridor. Both run under uvicorn with httptools and uvloop; wrk sends 2 KB
Segment calls over 64 connections from many customers, each with its own messageId. Ratios are taken inside a
round, and the median round is reported.

    .venv/bin/python -m benchmarks.ingest                 three rounds of five seconds
    .venv/bin/python -m benchmarks.ingest --rounds 5 --seconds 10
    .venv/bin/python -m benchmarks.ingest --postgres      also over PostgreSQL (benchmarks/shared.py)
    .venv/bin/python -m benchmarks.ingest --postgres --customers 1_000_000
                                                          with ten million events in the grown store: takes
                                                          a few minutes and 6 GB before the first round

The load comes from wrk (Debian: `apt-get install wrk`).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from benchmarks import shared
from benchmarks.postgres import free_port

HERE = Path(__file__).parent
CONNECTIONS = 64
BATCH = 1_000


def main() -> None:
    arguments = _arguments()
    if shutil.which("wrk") is None:
        sys.exit("the load generator wrk is missing: apt-get install wrk")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        body = write_body(folder)
        over_postgres = None
        if arguments.postgres:
            over_postgres = shared.Shared(stack.enter_context(shared.postgres()), folder, arguments.customers)
        bare, ours, theirs = [], [], []
        for number in range(arguments.rounds):
            with bare_server() as url:
                bare.append(load(url, f"bare{number}", arguments.seconds, body=body))
            with serve_adapter(f"sqlite:///{folder / f'round{number}.db'}") as url:
                ours.append(load(url, f"ours{number}", arguments.seconds, body=body))
                batch = _batches(url, body, f"batch{number}", arguments.seconds)
                ours[-1]["batch_messages_per_s"] = batch
            _show(number, bare[-1], ours[-1])
            if over_postgres is not None:
                run_load = partial(load, body=body)
                theirs.append(over_postgres.measure(number, serve_adapter, run_load, arguments.seconds))
                _show_shared(bare[-1], theirs[-1])
    summary = _summary(bare, ours)
    if theirs:
        summary |= shared.summary(theirs, [each["requests_per_s"] for each in bare])
    print(json.dumps(summary))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--customers", type=int, default=50_000, help="of the grown store over PostgreSQL")
    return parser.parse_args()


def write_body(folder: Path) -> Path:
    """Write the request template with the present time: the adapter does not reward old events."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    template = (HERE / "track.json").read_text().strip().replace("@NOW@", now)
    path = folder / "track.json"
    path.write_text(template)
    return path


@contextmanager
def bare_server() -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "benchmarks.bare:app", "--port", str(port), "--loop=uvloop",
               "--http", "httptools", "--log-level", "error", "--no-access-log"]  # fmt: skip
    with serve(command, port, dict(os.environ)) as url:
        yield url


@contextmanager
def serve_adapter(store: str, *options: str) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "adapter.cli.main", "serve", "--port", str(port), "--store",
               store, *options]  # fmt: skip
    with serve(command, port, {**os.environ, "ADAPTER_LOG_LEVEL": "error"}) as url:
        yield url


@contextmanager
def serve(command: list[str], port: int, environ: dict[str, str]) -> Iterator[str]:
    process = subprocess.Popen(command, cwd=HERE.parent, env=environ, stdout=subprocess.DEVNULL)
    try:
        _wait(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if process.poll() is not None:
            sys.exit("the server did not start")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    sys.exit("the server did not listen in time")


def load(
    url: str, run: str, seconds: int, orders: int = 1, customers: int = 20_000, *, body: Path
) -> dict[str, Any]:
    command = [
        "wrk",
        "-t1",
        f"-c{CONNECTIONS}",
        f"-d{seconds}s",
        "-s",
        str(HERE / "ingest.lua"),
        url,
        "--",
        run,
        str(body),
        str(orders),
        str(customers),
    ]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    line = next(line for line in output.splitlines() if line.startswith("RESULT "))
    result: dict[str, Any] = json.loads(line.removeprefix("RESULT "))
    if result["bad"]:
        sys.exit(f"{result['bad']} requests failed: the figures would mean nothing")
    return result


def _batches(url: str, body: Path, run: str, seconds: int) -> float:
    """Send batches of a thousand messages, one request after the other; return messages per second."""
    template = body.read_text()
    sent = 0
    spent = 0.0
    with httpx.Client(timeout=30) as client:
        while spent < seconds:
            items = [
                template.replace("@MESSAGE@", f"{run}-{sent + n}")
                .replace("@USER@", f"shopper-{(sent + n) * 7919 % 20_000}")
                .replace("@ORDER@", "O-0")
                .replace("@EVENT@", ("Product Viewed", "Product Added", "Checkout Started")[n % 3])
                for n in range(BATCH)
            ]
            content = f"[{','.join(items)}]".encode()
            started = time.perf_counter()
            client.post(f"{url}/webhooks/segment", content=content).raise_for_status()
            spent += time.perf_counter() - started
            sent += BATCH
    return sent / spent


def _show(round_number: int, bare: dict[str, Any], ours: dict[str, Any]) -> None:
    ratio = ours["requests_per_s"] / bare["requests_per_s"]
    print(
        f"round {round_number + 1}: bare {bare['requests_per_s']:,.0f}/s p99 {bare['p99_ms']:.1f} ms | "
        f"adapter {ours['requests_per_s']:,.0f}/s p50 {ours['p50_ms']:.1f} ms p99 {ours['p99_ms']:.1f} ms | "
        f"ratio {ratio:.2f} | batches {ours['batch_messages_per_s']:,.0f} messages/s"
    )


def _show_shared(bare: dict[str, Any], theirs: dict[str, dict[str, Any]]) -> None:
    for name, figures in theirs.items():
        rate, p99 = figures["requests_per_s"], figures["p99_ms"]
        print(f"    {name}: {rate:,.0f}/s p99 {p99:.1f} ms | of bare {rate / bare['requests_per_s']:.2f}")


def _summary(bare: list[dict[str, Any]], ours: list[dict[str, Any]]) -> dict[str, float]:
    def median(name: str) -> float:
        return round(float(statistics.median(each[name] for each in ours)), 2)

    rate = "requests_per_s"
    return {
        "ratio_sqlite": _median_ratio([each[rate] for each in ours], [each[rate] for each in bare]),
        "requests_per_s": median(rate),
        "p50_ms": median("p50_ms"),
        "p99_ms": median("p99_ms"),
        "batch_messages_per_s": median("batch_messages_per_s"),
    }


def _median_ratio(of: list[float], to: list[float]) -> float:
    return round(statistics.median(mine / theirs for mine, theirs in zip(of, to, strict=True)), 3)


if __name__ == "__main__":
    main()
