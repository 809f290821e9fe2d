"""Records `sqlite.sql` and `postgres.sql`: what the server of version 1f94a33 stores of `messages.json`.

    git worktree add /tmp/before 1f94a33
    cd /tmp/before && PYTHONPATH=/tmp/before python <here>/record.py

The discounts never expire, so that the store can be read at any time. The server draws the same characters
twice in a row, so that two rules make codes that differ in case and dashes.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import apsw
import asyncpg
import httpx

HERE = Path(__file__).parent
TABLES = ("messages", "customers", "identities", "events", "decisions", "codes", "discounts", "counters",
          "deliveries", "timers", "quarantine", "quarantine_names", "receipts", "totals")  # fmt: skip
PORT = 8765
HEAD = "-- Written by record.py with the program of commit 1f94a33; the schema is that of its migrations.\n"


def serve(url: str) -> None:
    """Serve as `adapter serve` does, with characters of codes that repeat."""
    from adapter.cli import main

    pairs = (Random(draw // 2).randbytes(64) for draw in range(10_000))
    secrets.token_bytes = lambda nbytes=None: next(pairs)[:nbytes]
    sys.argv = ["adapter", "serve", "--port", str(PORT), "--store", url, "--rules", str(HERE / "rules")]
    main.main()


def send() -> None:
    """Send the messages one by one; `$1` is the first code in the answer to the message before."""
    code = ""
    for number, message in enumerate(json.loads((HERE / "messages.json").read_text()), 1):
        text = json.dumps({"messageId": f"before-{number}", **message}).replace("$1", code)
        answer = httpx.post(f"http://127.0.0.1:{PORT}/webhooks/segment", content=text)
        answer.raise_for_status()
        given = answer.json()["results"][0].get("discounts") or [{"code": ""}]
        code = given[0]["code"]


def run(url: str) -> None:
    """Run a server over a new store, and send it the messages."""
    server = subprocess.Popen([sys.executable, __file__, url], env={**os.environ})
    try:
        for _ in range(200):
            try:
                httpx.get(f"http://127.0.0.1:{PORT}/health/ready").raise_for_status()
                break
            except httpx.HTTPError:
                time.sleep(0.1)
        send()
    finally:
        server.terminate()
        server.wait(30)


def literal(value: Any, *, blob: str, text: str) -> str:
    """Return a value as SQL; bytes that are text stay legible."""
    if value is None:
        return "NULL"
    if isinstance(value, bool | int):
        return str(value).lower()
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if value and value.isascii() and value.decode().isprintable():
        return text.format(literal(value.decode(), blob=blob, text=text))
    return blob.format(value.hex())


def inserts(table: str, columns: list[str], rows: list[Any], **style: str) -> Iterator[str]:
    """Write one INSERT a row."""
    # Triggers count rows as they are inserted.
    verb = "INSERT OR REPLACE" if table == "totals" else "INSERT"
    for row in rows:
        values = ", ".join(literal(value, **style) for value in row)
        yield f"{verb} INTO {table} ({', '.join(columns)}) VALUES ({values});\n"


def from_sqlite(folder: Path) -> None:
    """Record a SQLite store."""
    run(f"sqlite:///{folder / 'adapter.db'}")
    file, lines = apsw.Connection(str(folder / "adapter.db")), [HEAD]
    for table in TABLES:
        columns = [str(row[1]) for row in file.execute(f"PRAGMA table_info({table})")]
        if columns:
            rows = list(file.execute(f"SELECT * FROM {table} ORDER BY 1, 2"))
            lines += inserts(table, columns, rows, blob="X'{}'", text="CAST({} AS BLOB)")
    (HERE / "sqlite.sql").write_text("".join(lines))


async def from_postgres(server: Any) -> None:
    """Record a PostgreSQL store."""
    await asyncio.to_thread(run, server.dsn())
    connection, lines = await asyncpg.connect(server.dsn()), [HEAD]
    for table in TABLES[:-1]:
        rows = await connection.fetch(f"SELECT * FROM {table} ORDER BY 1, 2")
        columns = list(rows[0].keys()) if rows else []
        lines += inserts(table, columns, rows, blob="'\\x{}'", text="convert_to({}, 'UTF8')")
    for sequence in await connection.fetch("SELECT sequencename, last_value FROM pg_sequences"):
        if sequence[1]:
            lines.append(f"SELECT setval('{sequence[0]}', {sequence[1]});\n")
    await connection.close()
    (HERE / "postgres.sql").write_text("".join(lines))


def main() -> None:
    """Record both."""
    from benchmarks.postgres import PostgresServer

    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    from_sqlite(folder)
    server = PostgresServer(folder, "fsync=off")
    server.start()
    try:
        asyncio.run(from_postgres(server))
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        serve(sys.argv[1])
    else:
        main()
