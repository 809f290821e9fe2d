"""`adapter codes`: a file of codes into a pool, and what is left of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapter.cli.main import commands
from adapter.store.engines import open_store
from tests.databases import SharedServer

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("times", [1, 2])
def test_codes_of_a_file_are_added_once(times: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    store = f"sqlite:///{tmp_path / 'adapter.db'}"
    assert CliRunner().invoke(commands, ["store", "migrate", "--store", store]).exit_code == 0
    (tmp_path / "codes.txt").write_text("P-1\n\n P-2 \np1\n")
    asked = ["codes", "add", "partner", str(tmp_path / "codes.txt"), "--store", store, "--json"]
    results = [CliRunner().invoke(commands, asked) for _ in range(times)]
    assert [result.exit_code for result in results] == [0] * times, results[-1].output
    assert [json.loads(result.stdout)["added"] for result in results] == [2, 0][:times]


def test_a_line_that_cannot_be_a_code_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    store = f"sqlite:///{tmp_path / 'adapter.db'}"
    assert CliRunner().invoke(commands, ["store", "migrate", "--store", store]).exit_code == 0
    (tmp_path / "codes.txt").write_text("A CODE\n")
    result = CliRunner().invoke(
        commands, ["codes", "add", "partner", str(tmp_path / "codes.txt"), "--store", store]
    )
    assert (result.exit_code, "A CODE" in result.output) == (1, True)


def test_a_file_that_is_not_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "codes.xlsx").write_bytes(b"PK\x03\x04\xff\xfe")
    result = CliRunner().invoke(commands, ["codes", "add", "partner", str(tmp_path / "codes.xlsx")])
    assert result.exit_code == 1
    assert "codes.xlsx cannot be read: it is not UTF-8 text" in result.stderr


@pytest.fixture(params=["sqlite", "postgres"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'adapter.db'}"
        return
    server: SharedServer = request.getfixturevalue("postgres_server")
    with server.store() as url:
        yield url


async def test_what_is_left_of_a_pool_is_listed_while_a_server_has_the_store(
    store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    store = open_store(store_url)
    await store.open()
    try:
        await store.add_pool_codes("partner", ["P-1", "P-2"], datetime(2026, 1, 1, tzinfo=UTC))
        result = await asyncio.to_thread(
            CliRunner().invoke, commands, ["codes", "list", "--store", store_url, "--json"]
        )
    finally:
        await store.close()
    assert json.loads(result.stdout) == [{"name": "partner", "left": 2, "drawn": 0}]
