"""A store that is not there, or not of this program, is named by every command and made by none."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapter.cli.main import commands

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
def test_a_store_that_is_not_there_is_told_and_not_made(command: str, folder: Path) -> None:
    for url in ("sqlite:///none.db", "sqlite:///data/adapter.db"):
        assert f"there is no store at sqlite:///{folder}/{url.removeprefix('sqlite:///')}" in refusal(
            command, url
        )
    assert list(folder.iterdir()) == []
