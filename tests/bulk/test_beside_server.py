"""Commands beside a running server on SQLite: the server does the work, and nothing is stopped."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapter.cli.main import commands
from tests.bulk.conftest import ROOT

pytestmark = pytest.mark.process
#: Seconds within which a loaded machine has started a server.
PATIENCE = 60


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def call(port: int, path: str, body: bytes | None = None) -> bytes:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body)
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=PATIENCE) as response:
        return bytes(response.read())


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A folder with a running server, by its port."""
    monkeypatch.chdir(tmp_path)
    port = free_port()
    for name in ("mappings", "rules"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "adapter.toml").write_text(f"[server]\nport = {port}\n")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-m", "adapter.cli.main", "serve"], env=environment, stderr=subprocess.DEVNULL
    ) as server:
        try:
            until = time.monotonic() + PATIENCE
            while time.monotonic() < until:
                try:
                    call(port, "/health/live")
                    break
                except urllib.error.URLError:
                    time.sleep(0.05)
            yield port
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(PATIENCE)


def run(*arguments: str) -> tuple[int, str]:
    """Run a command, and return its exit code and what it wrote to standard output."""
    result = CliRunner().invoke(commands, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout


def test_commands_that_need_the_store_go_through_the_server(project: int, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("source_id,name\nc-1,Ada\n,Bo\n")
    code, said = run("import", "customers", "a.csv", "--json")
    [ended] = json.loads(said)
    assert (code, ended["state"], ended["accepted"], ended["refused"]) == (1, "done", 1, 1)
    assert (tmp_path / "a.csv.refused.csv").read_text().splitlines()[1] == ",Bo,3,source_id is empty"
    code, said = run("dump", "customers", "--format", "jsonl")
    assert (code, json.loads(said)["name"]) == (0, "Ada")
    call(project, "/webhooks/segment", b'{"type":"track","userId":"c-1","messageId":"m"}')
    code, said = run("replay", "--json")
    assert [(one["source"], one["outcome"]) for one in json.loads(said)] == [("segment", "quarantined")]
    for value in (50, 60):
        body = {"type": "track", "event": "Checkout Started", "userId": "c-1", "messageId": f"m-{value}"}
        call(project, "/webhooks/segment", json.dumps(body | {"properties": {"value": value}}).encode())
    code, said = run("explain", "c-1", "--json")
    found = json.loads(said)
    assert (code, [one["event_id"] for one in found["decisions"]]) == (0, ["m-60", "m-50"])
    assert [one["key"] for one in found["quarantined"]] == ["m:track"]
    assert {one["event_id"] for one in found["near_misses"]} == {"m-60", "m-50"}
    code, said = run("explain", "c-1", "--event", "m-50")
    assert said.startswith("checkout_started of c-1 (m-50), decided at ")
    code, said = run("export", "c-1")
    assert (code, json.loads(said)["customer"]["name"]) == (0, "Ada")
    code, said = run("erase", "c-1", "--yes", "--json")
    assert (code, json.loads(said)["removed"]["customers"]) == (0, 1)
    assert call(project, "/health/live")
