"""`adapter revoke`, on both engines."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from adapter import app
from adapter.cli.main import commands
from adapter.model.events import Event, User
from adapter.model.operations import EventOccurred
from adapter.services.environment import Environment
from adapter.services.ingest.work_item import Work
from adapter.settings.fields import Keys, build
from tests.databases import SharedServer

RULES = """
name: gift
trigger: started
action: {type: percentage_off, value: 10, max_amount: 5}
"""


class Shop:
    """A store in which a rule has issued three discounts."""

    def __init__(self, url: str, folder: Path) -> None:
        (folder / "rules").mkdir()
        (folder / "mappings").mkdir()
        (folder / "rules" / "gift.yaml").write_text(RULES)
        self.url = url
        self.folders = {name: str(folder / name) for name in ("mappings", "rules")}
        asyncio.run(self._fill())

    def run(
        self, *options: str, command: str = "revoke", rule: str | None = "gift", answer: str = ""
    ) -> Result:
        folders = [f"--{name}={folder}" for name, folder in self.folders.items()]
        named = [] if rule is None else ["--rule", rule]
        arguments = [command, *named, "--store", self.url, *folders, *options]
        return CliRunner().invoke(commands, arguments, input=answer)

    async def _fill(self) -> None:
        chosen: dict[Keys, Any] = {("store", "url"): self.url}
        chosen |= {("files", name): folder for name, folder in self.folders.items()}
        composed, now = app.compose(build(chosen)), Environment().clock()
        async with composed.working():
            for who in ("ann", "bob", "cid"):
                event = Event(who, "started", now, User(id=who), {}, {})
                work = Work("segment", who, who, now, (EventOccurred(who, event),))
                [result] = await composed.committer.submit([work])
                assert len(result.discounts) == 1


@pytest.fixture(params=["sqlite", "postgres"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    if request.param == "sqlite":
        yield Shop(f"sqlite:///{tmp_path / 'adapter.db'}", tmp_path)
        return
    server: SharedServer = request.getfixturevalue("postgres_server")
    with server.store() as url:
        yield Shop(url, tmp_path)


def test_unused_discounts_are_counted_then_revoked_once(shop: Shop) -> None:
    counted = json.loads(shop.run("--dry-run", "--json").stdout)
    assert counted == {"rule": "gift", "dry_run": True, "unused": 3, "issued": 3, "applied": 0}
    assert json.loads(shop.run("--yes", "--json").stdout) == {"rule": "gift", "revoked": 3, "left": 0}
    again = shop.run("--json")
    assert (again.exit_code, json.loads(again.stdout)["revoked"]) == (0, 0)


def test_the_command_asks_first(shop: Shop) -> None:
    assert shop.run(answer="n\n").exit_code == 1
    assert json.loads(shop.run("--dry-run", "--json").stdout)["unused"] == 3
    assert shop.run(answer="y\n").exit_code == 0
    assert json.loads(shop.run("--dry-run", "--json").stdout)["unused"] == 0


def test_progress_is_written_to_standard_error(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapter.services.revocations.PAGE", 1)
    monkeypatch.setattr("adapter.cli.revoke._STEP", 1)
    done = shop.run("--yes", "--json")
    assert json.loads(done.stdout)["revoked"] == 3
    assert len(done.stderr.splitlines()) >= 2


def test_an_unknown_rule_is_an_error(shop: Shop) -> None:
    assert shop.run("--yes", rule="gifts").exit_code == 1
