"""This server beside the same service written with the usual frameworks, in one interleaved run.

Peers: FastAPI with SQLAlchemy and rule-engine, over SQLite and PostgreSQL; Node with fastify, Segment's
mapping kit, json-rules-engine and better-sqlite3, where Node 20 is installed. The same three rules, the same
2 KB body, and a commit on the disk before each answer. wrk sends over 64 connections. The ratios are taken
inside a round; the median round counts.

    .venv/bin/python -m pip install -r benchmarks/peers/requirements.txt
    .venv/bin/python -m benchmarks.peers                  five rounds of four seconds
    .venv/bin/python -m benchmarks.peers --rounds 3 --seconds 2 --write build/peers.json

The last line is one JSON object. The load comes from wrk (Debian: `apt-get install wrk`).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import ingest, shared
from benchmarks.postgres import PostgresServer, free_port

ROOT = Path(__file__).parents[2]
PEERS = Path(__file__).parent
NODE = ROOT / "build" / "peers"
#: The starter rules that the peers have too.
RULES = ("high-value-cart-first-purchase", "second-purchase", "post-purchase-credit", "definitions")
#: Serves over a new store, which is named after the round.
Serve = Callable[[str], AbstractContextManager[str]]
Figures = dict[str, Any]


def main() -> None:
    arguments = _arguments()
    if shutil.which("wrk") is None:
        sys.exit("the load generator wrk is missing: apt-get install wrk")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        database = stack.enter_context(shared.postgres())
        servers = _servers(folder, database)
        body = ingest.write_body(folder)
        rounds = [_round(number, servers, arguments.seconds, body) for number in range(arguments.rounds)]
    summary = _summary(rounds)
    if arguments.write:
        arguments.write.write_text(json.dumps({"rounds": rounds, "summary": summary}, indent=1) + "\n")
    print(json.dumps(summary))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--write", type=Path, help="also write every round to this file, as JSON")
    return parser.parse_args()


def _round(number: int, servers: dict[str, Serve], seconds: int, body: Path) -> dict[str, Figures]:
    figures = {}
    for name, serve in servers.items():
        with serve(f"{name}_{number}") as url:
            ingest.load(url, f"warm-{number}", 1, body=body)
            figures[name] = ingest.load(url, f"{name}-{number}", seconds, body=body)
        rate, p99 = figures[name]["requests_per_s"], figures[name]["p99_ms"]
        print(f"round {number + 1}: {name:18} {rate:8,.0f}/s p99 {p99:8.1f} ms", flush=True)
    return figures


def _servers(folder: Path, database: PostgresServer) -> dict[str, Serve]:
    rules = folder / "rules"
    rules.mkdir()
    for name in RULES:
        shutil.copy(ROOT / "rules" / f"{name}.yaml", rules)
    servers: dict[str, Serve] = {
        "adapter_sqlite": lambda name: ingest.serve_adapter(
            f"sqlite:///{folder / name}.db", "--rules", str(rules)
        ),
        "adapter_postgres": lambda name: ingest.serve_adapter(
            shared.database(database, name), "--rules", str(rules)
        ),
    }
    if find_spec("fastapi") and find_spec("sqlalchemy") and find_spec("rule_engine"):
        servers["fastapi_sqlite"] = lambda name: _fastapi(f"sqlite:///{folder / name}.db")
        servers["fastapi_postgres"] = lambda name: _fastapi(
            shared.database(database, name).replace("postgresql:", "postgresql+psycopg:")
        )
    else:
        print("FastAPI, SQLAlchemy or rule-engine is not installed: see the first lines of this file")
    if shutil.which("node") and shutil.which("npm"):
        _install_node()
        servers["fastify_sqlite"] = lambda name: _fastify(folder / f"{name}.db")
    else:
        print("Node is not installed: its peer is left out")
    return servers


@contextmanager
def _fastapi(store: str) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "benchmarks.peers.fastapi_app:app", "--port", str(port),
               "--loop=uvloop", "--http", "httptools", "--log-level", "error", "--no-access-log"]  # fmt: skip
    environ = os.environ | {"PEER_STORE": store, "PEER_RULES": str(PEERS / "rules.json")}
    with ingest.serve(command, port, environ) as url:
        yield url


@contextmanager
def _fastify(store: Path) -> Iterator[str]:
    port = free_port()
    command = ["node", str(PEERS / "fastify_app.mjs"), str(NODE), str(port), str(store),
               str(PEERS / "rules.json")]  # fmt: skip
    with ingest.serve(command, port, dict(os.environ)) as url:
        yield url


def _install_node() -> None:
    """Install the peer's packages once, into a folder that Git ignores."""
    NODE.mkdir(parents=True, exist_ok=True)
    if not (NODE / "node_modules").is_dir():
        shutil.copy(PEERS / "package.json", NODE)
        command = ["npm", "install", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run(command, cwd=NODE, check=True, stdout=subprocess.DEVNULL)


def _summary(rounds: list[dict[str, Figures]]) -> dict[str, float]:
    """Return each server's median figures, and how many times the peers' rates and latencies ours are."""
    found: dict[str, float] = {}
    for name in rounds[0]:
        found[f"{name}_per_s"] = median(each[name]["requests_per_s"] for each in rounds)
        found[f"{name}_p99_ms"] = median(each[name]["p99_ms"] for each in rounds)
        if not name.startswith("adapter"):
            ours = "adapter_" + name.rpartition("_")[2]
            found[f"rate_over_{name}"] = round(
                median(each[ours]["requests_per_s"] / each[name]["requests_per_s"] for each in rounds), 2
            )
            found[f"p99_under_{name}"] = round(
                median(each[name]["p99_ms"] / each[ours]["p99_ms"] for each in rounds), 2
            )
    return found


if __name__ == "__main__":
    main()
