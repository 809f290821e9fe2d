"""Every way in gives a message the same result: webhook, tracking or Events API, replay, `adapter map`."""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from adapter import app
from adapter.cli import map as map_command
from adapter.cli.main import commands
from adapter.mapping.actions.as_json import plain
from adapter.model.encoding import encode
from adapter.services.checkout.stream import OrderStream
from adapter.services.environment import Environment
from adapter.services.ingest.group_commit import GroupCommitter
from adapter.services.replay import ReplayOptions, replay
from adapter.settings.fields import build

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 29, 20, tzinfo=UTC)
#: Folders of mappings, and where the fixtures of each are.
STARTERS = {source: (ROOT / "mappings", ROOT / "fixtures" / source) for source in ("segment", "mparticle")}
PACKS = {
    f"{source} of {folder.name}": (folder / "mappings", folder / "mappings" / "fixtures")
    for folder in sorted((ROOT / "docs" / "packs").iterdir())
    if folder.is_dir()
    for source in ("segment", "mparticle")
}
#: Nothing gets past these mappings, so that all that can be decoded waits in quarantine.
STUCK = """
source: {source}
mappings:
  - name: stuck
    subscribe: type != "nothing"
    action: event
    fields: {{source_id: {{"@path": $.nowhere}}, name: {{"@literal": stuck}}}}
"""
Bodies = list[tuple[str, Any]]


def first(source: str, folder: Path) -> Bodies:
    """Return the fixtures of a source, each with the door it is for, erasures last."""
    found = [path for path in folder.glob("*.json") if source in (folder.name, path.name.partition("-")[0])]
    found.sort(key=lambda path: ("delete" in path.name, path.name))
    assert found
    bodies = [(path.name, json.loads(path.read_text())) for path in found]
    return [(door(source, name, body), body) for name, body in bodies]


def door(source: str, name: str, body: Any) -> str:
    if source == "segment" and isinstance(body, dict) and "batch" in body:
        return "/v1/batch"
    return f"/webhooks/{source}" + ("/firehose" if "firehose" in name else "")


def api(bodies: Bodies) -> Iterator[tuple[str, Any]]:
    """Yield the same messages as SDKs send them; forms and a partner module's have a webhook only."""
    for path, body in bodies:
        items = [bare(item) for item in (body if isinstance(body, list) else [body])]
        if path == "/webhooks/segment" and "body" not in items[0]:
            yield "/v1/b", {"batch": items}
        elif path == "/webhooks/mparticle":
            yield ("/v2/bulkevents" if isinstance(body, list) else "/v2/events"), body
        else:
            yield path, body


def in_order(operation: Any) -> str:
    """Return an operation as text, whatever the order of its keys."""
    return json.dumps(operation, sort_keys=True)


def bare(item: Any) -> Any:
    """Return a message as it is without the `json` of an Extensible Webhook."""
    return item["json"] if isinstance(item, dict) and set(item) == {"json"} else item


class Shop:
    """The adapter over a store, at a moment that stands still, with codes and ids that are drawn alike."""

    def __init__(self, store: Path, mappings: Path, rules: Path) -> None:
        numbers = itertools.count(1)
        settings = build({
            ("files", "mappings"): str(mappings), ("files", "rules"): str(rules),
            ("store", "url"): f"sqlite:///{store}", ("ingest", "reward_within_hours"): 876_000,
            ("mparticle", "accept_development"): True,
        })  # fmt: skip
        world = Environment(lambda: NOW, lambda n: f"{next(numbers):0{n}d}", lambda: f"id{next(numbers)}")
        self.app = app.compose(settings, world=world)
        transport = httpx.ASGITransport(self.app.asgi)
        self.http = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")

    async def post(self, bodies: Sequence[tuple[str, Any]]) -> None:
        for path, body in bodies:
            answer = await self.http.post(path, json=body)
            assert answer.status_code in (200, 202), answer.text

    async def held(self, names: Sequence[str]) -> dict[str, Any]:
        """Return all that is kept of customers, and the keys that wait in quarantine.

        What a replayed message leaves of its wait is no result: the number of its entry, and that an erasure
        found it there.
        """
        found = {name: (await self.http.get(f"/v1/customers/{name}/export")).json() for name in names}
        for export in found.values():
            # What arrived differs: that is what this test is about.
            export.pop("messages", None)
            for entry in export.get("quarantined", ()):
                del entry["id"]
            for receipt in export.get("receipts", ()):
                receipt["removed"].pop("quarantined", None)
        waiting = (await self.http.get("/v1/quarantine")).json()["quarantined"]
        return found | {"quarantine": sorted(each["key"] for each in waiting)}


@asynccontextmanager
async def opened(store: Path, mappings: Path, rules: Path) -> AsyncIterator[Shop]:
    shop = Shop(store, mappings, rules)
    async with shop.app.running(), shop.http:
        yield shop


@pytest.fixture
def operations(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The operations of all works that are submitted or booked as orders, in a list that grows."""
    seen: list[Any] = []
    submit, redeem = GroupCommitter.submit, OrderStream.redeem

    def spying(self: GroupCommitter, works: Any, *more: Any, **named: Any) -> Any:
        works = list(works)
        seen.extend(operation for work in works for operation in work.operations)
        return submit(self, works, *more, **named)

    async def booking(self: OrderStream, work: Any) -> Any:
        booked = await redeem(self, work)
        seen.extend(operation for operation in work.operations if operation not in booked.work.operations)
        return booked

    monkeypatch.setattr(GroupCommitter, "submit", spying)
    monkeypatch.setattr(OrderStream, "redeem", booking)
    return seen


@pytest.mark.parametrize("name", STARTERS | PACKS)
async def test_every_way_in_gives_the_same_result(
    name: str, operations: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (mappings, folder), source = (STARTERS | PACKS)[name], name.partition(" ")[0]
    bodies, rules = first(source, folder), mappings.parent / "rules"
    async with opened(tmp_path / "webhook.db", mappings, rules) as shop:
        await shop.post(bodies)
        mapped = [in_order(json.loads(encode(plain(operation)))) for operation in operations]
        names = sorted({operation.source_id for operation in operations if operation.source_id})
        expected = await shop.held(names)
    assert printed(source, bodies, mappings, tmp_path, monkeypatch) == sorted(mapped)
    async with opened(tmp_path / "api.db", mappings, rules) as shop:
        await shop.post(list(api(bodies)))
        assert await shop.held(names) == expected
    stuck = tmp_path / "stuck"
    stuck.mkdir()
    (stuck / "stuck.yaml").write_text(STUCK.format(source=source))
    async with opened(tmp_path / "replay.db", stuck, rules) as shop:
        await shop.post(bodies)
    async with opened(tmp_path / "replay.db", mappings, rules) as shop:
        assert [
            done async for done in replay(shop.app.store, shop.app.ingest, ReplayOptions(drop_ignored=True))
        ]
        assert await shop.held(names) == expected


def printed(
    source: str, bodies: Bodies, mappings: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> list[str]:
    """Return the operations that `adapter map` prints of bodies, one a line."""

    class Still(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return NOW

    lines = folder / "bodies.jsonl"
    lines.write_text("".join(json.dumps(body) + "\n" for _, body in bodies))
    monkeypatch.setattr(map_command, "datetime", Still)
    asked = ["map", "--json", "--source", source, "--mappings", str(mappings), str(lines)]
    result = CliRunner().invoke(commands, asked)
    return sorted(
        in_order(operation)
        for told in json.loads(result.stdout)
        for message in told["messages"]
        for mapping in message["mappings"]
        for operation in mapping.get("operations", ())
    )
