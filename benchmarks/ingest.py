"""How much of a bare server's throughput is left when every request is decided and durable.

Starts, in turn and several rounds over: a bare ASGI app that only decodes the body (benchmarks/bare.py),
and this adapter with the whole corridor. Both run under uvicorn with httptools and uvloop; wrk sends 2 KB
Segment calls over 64 connections from many customers, each with its own messageId. Ratios are taken inside a
round, and the median round is reported.

    .venv/bin/python -m benchmarks.ingest                 three rounds of five seconds
    .venv/bin/python -m benchmarks.ingest --rounds 5 --seconds 10

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
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

HERE = Path(__file__).parent
CONNECTIONS = 64
BATCH = 1_000


def main() -> None:
    arguments = _arguments()
    if shutil.which("wrk") is None:
        sys.exit("the load generator wrk is missing: apt-get install wrk")
    with tempfile.TemporaryDirectory() as folder:
        body = _body(Path(folder))
        bare, ours = [], []
        for round_number in range(arguments.rounds):
            with _bare_server() as url:
                bare.append(_load(url, body, f"bare{round_number}", arguments.seconds))
            with _adapter(Path(folder) / f"round{round_number}.db") as url:
                ours.append(_load(url, body, f"ours{round_number}", arguments.seconds))
                batch = _batches(url, body, f"batch{round_number}", arguments.seconds)
                ours[-1]["batch_messages_per_s"] = batch
            _show(round_number, bare[-1], ours[-1])
    print(json.dumps(_summary(bare, ours)))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5)
    return parser.parse_args()


def _body(folder: Path) -> Path:
    """Write the request template with the present time: the adapter does not reward old events."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    template = (HERE / "track.json").read_text().strip().replace("@NOW@", now)
    path = folder / "track.json"
    path.write_text(template)
    return path


@contextmanager
def _bare_server() -> Iterator[str]:
    port = _free_port()
    command = [sys.executable, "-m", "uvicorn", "benchmarks.bare:app", "--port", str(port), "--loop=uvloop",
               "--http", "httptools", "--log-level", "error", "--no-access-log"]  # fmt: skip
    with _server(command, port, dict(os.environ)) as url:
        yield url


@contextmanager
def _adapter(database: Path) -> Iterator[str]:
    port = _free_port()
    command = [sys.executable, "-m", "adapter.cli.main", "serve", "--port", str(port), "--store",
               f"sqlite:///{database}"]  # fmt: skip
    with _server(command, port, {**os.environ, "ADAPTER_LOG_LEVEL": "error"}) as url:
        yield url


@contextmanager
def _server(command: list[str], port: int, environ: dict[str, str]) -> Iterator[str]:
    process = subprocess.Popen(command, cwd=HERE.parent, env=environ, stdout=subprocess.DEVNULL)
    try:
        _wait(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


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


def _load(url: str, body: Path, run: str, seconds: int) -> dict[str, Any]:
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


def _summary(bare: list[dict[str, Any]], ours: list[dict[str, Any]]) -> dict[str, float]:
    ratios = [
        mine["requests_per_s"] / theirs["requests_per_s"] for mine, theirs in zip(ours, bare, strict=True)
    ]

    def median(name: str) -> float:
        return round(float(statistics.median(each[name] for each in ours)), 2)

    return {
        "ratio_sqlite": round(statistics.median(ratios), 3),
        "requests_per_s": median("requests_per_s"),
        "p50_ms": median("p50_ms"),
        "p99_ms": median("p99_ms"),
        "batch_messages_per_s": median("batch_messages_per_s"),
    }


if __name__ == "__main__":
    main()
