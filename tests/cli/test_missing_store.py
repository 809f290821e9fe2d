"""A store that is not there, or not of this program, is named by every command and made by none."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapter.cli.main import commands
from adapter.store.engines import open_store

ROOT = Path(__file__).parents[2]
COMMANDS = [
    "explain ann", "export ann", "lift", "replay", "replay --dry-run", "erase ann --yes", "deliveries",
    "deliveries --retry-all", "store check", "store backup copy.db", "store copy {url} sqlite:///to.db",
]  # fmt: skip


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, with this repository's mappings and rules."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ADAPTER_FILES_MAPPINGS", str(ROOT / "mappings"))
    monkeypatch.setenv("ADAPTER_FILES_RULES", str(ROOT / "rules"))
    return tmp_path


def refusal(command: str, url: str) -> str:
    """Run a command on a store, and return its one sentence on standard error."""
    place = [] if "{url}" in command else ["--store", url]
    result = CliRunner().invoke(commands, [*command.format(url=url).split(), *place])
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.count("\n") == 1
    return result.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_a_missing_store_is_reported_and_not_created(command: str, folder: Path) -> None:
    for url in ("sqlite:///none.db", "sqlite:///data/adapter.db"):
        assert f"there is no store at sqlite:///{folder}/{url.removeprefix('sqlite:///')}" in refusal(
            command, url
        )
    assert list(folder.iterdir()) == []


def test_a_folder_that_is_missing_is_named(folder: Path) -> None:
    lost = f"its folder {folder / 'lost'} is missing"
    assert lost in refusal("store check", "sqlite:///lost/adapter.db")
    result = CliRunner().invoke(commands, ["store", "status", "--store", "sqlite:///lost/adapter.db"])
    assert (result.exit_code, lost in result.stderr, "adapter serve" in result.stderr) == (0, True, False)


@pytest.mark.parametrize(
    ("command", "door"),
    [
        ("explain a/b", "; or ask that server: GET /v1/decisions?source_id=a%2Fb\n"),
        ("export a/b", "; or ask that server: GET /v1/customers/a%2Fb/export\n"),
        ("erase a/b --yes", "; or ask that server: DELETE /v1/customers/a%2Fb\n"),
        ("replay", "; or ask that server: POST /v1/quarantine/replays\n"),
        ("lift", "which several processes can share\n"),
    ],
)
async def test_while_a_server_has_the_store_its_own_door_is_named(command: str, door: str) -> None:
    holder = open_store("sqlite:///adapter.db")
    await holder.open()
    told = await asyncio.to_thread(refusal, command, "sqlite:///adapter.db")
    await holder.close()
    assert "is in use by process" in told
    assert told.endswith(door)
