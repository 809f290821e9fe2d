"""`adapter serve` before it serves: what it refuses, and what it tells."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapter.cli.main import commands
from adapter.cli.serve import TRY, greeting, unusable
from adapter.server import serve
from adapter.settings.scalars import Secret
from adapter.settings.values import Api, Server, Settings


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_used_port_is_reported_in_one_sentence(taken: int) -> None:
    result = CliRunner().invoke(commands, ["serve", "--port", str(taken)])
    assert result.exit_code == 1
    assert result.stderr == (
        f"adapter: port {taken} on 127.0.0.1 is taken; "
        "stop what listens there, or choose another with --port\n"
    )


def test_a_store_that_cannot_be_opened_is_reported_in_one_sentence_without_a_greeting(
    tmp_path: Path,
) -> None:
    (tmp_path / "folder.db").mkdir()
    store = f"sqlite:///{tmp_path}/folder.db"
    result = CliRunner().invoke(commands, ["serve", "--port", "0", "--store", store])
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("adapter: the store ")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("host", "message"),
    [("no-such-host.invalid", "no address of this machine"), ("192.0.2.1", "cannot be used")],
)
def test_a_foreign_address_is_reported(host: str, message: str) -> None:
    assert message in (unusable(Server(host, 0)) or "")


def test_a_free_port_is_usable() -> None:
    assert unusable(Server("127.0.0.1", 0)) is None


def test_without_secrets_another_host_is_refused_with_the_setting_to_change() -> None:
    result = CliRunner().invoke(commands, ["serve", "--host", "0.0.0.0"])
    assert result.exit_code == 1
    assert "command line:1:1: `server.host` is `0.0.0.0`" in result.stderr
    assert "ADAPTER_SEGMENT_SHARED_SECRETS" in result.stderr


def test_the_request_to_try_is_a_segment_call_in_a_shell_word() -> None:
    [body] = re.findall(r"'(\{.*\})'", TRY, re.DOTALL)
    assert json.loads(body)["event"] == "Checkout Started"
    assert "http://[::1]:8000/webhooks/segment" in greeting(Settings(server=Server("::1")), 8000)


def test_nothing_is_tried_where_a_credential_is_needed() -> None:
    assert "curl" not in greeting(Settings(api=Api((Secret("token"),))), 8000)


async def test_the_start_warns_of_a_store_that_every_user_may_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "adapter.db"
    await serve.try_store(f"sqlite:///{path}")
    assert not any("may read the store" in record.message for record in caplog.records)
    await asyncio.to_thread(path.chmod, 0o604)
    await serve.try_store(f"sqlite:///{path}")
    [warning] = [record.message for record in caplog.records if "may read the store" in record.message]
    assert f"chmod 600 {path} {path}-wal {path}-shm" in warning, "SQLite gives its log the mode of the file"


async def test_the_start_names_the_store_and_whether_it_is_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    caplog.set_level("INFO")
    for said in ("created a new, empty store", "the store exists"):
        caplog.clear()
        await serve.try_store("sqlite:///adapter.db")
        [record] = caplog.records
        assert (record.message, record.store) == (said, f"sqlite:///{tmp_path}/adapter.db")  # type: ignore[attr-defined]
