"""Quarantined messages sent through again: what was history stays history."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.json import decode
from msgspec.structs import replace

from adapter import app
from adapter.mapping import mapping_set as mapping_book
from adapter.model.messages import Message
from adapter.services.environment import Environment
from adapter.services.replay import ReplayOptions, replay
from adapter.settings.fields import Keys, build
from adapter.sources.decoded_body import Decoded

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MAPPING = """\
source: segment
mappings:
  - name: Event from track
    subscribe: type = "track"
    action: event
    fields:
      source_id: {{"@path": "{path}"}}
      name: {{"@path": "$.event"}}
      occurred_at: {{"@path": "$.timestamp"}}
  - name: Customer from identify
    subscribe: type = "identify"
    action: customer.upsert
    fields:
      source_id: {{"@path": "$.userId"}}
      traits: {{"@path": "$.traits"}}
"""
RULE = "rules: [{name: any, trigger: started, action: {type: percentage_off, value: 5, max_amount: 9}}]\n"
MESSAGE = {"type": "track", "event": "started", "anonymousId": "a1", "timestamp": "2026-03-01T12:00:00Z"}


@pytest.fixture
async def shop(tmp_path: Path, clock: list[datetime]) -> AsyncIterator[app.App]:
    (tmp_path / "rules.yaml").write_text(RULE)
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings" / "segment.yaml").write_text(MAPPING.format(path="$.userId"))
    chosen: dict[Keys, Any] = {
        ("files", "mappings"): str(tmp_path / "mappings"),
        ("files", "rules"): str(tmp_path),
        ("store", "url"): "sqlite:///:memory:",
    }
    composed = app.compose(build(chosen), world=Environment(clock=lambda: clock[0]))
    async with composed.running():
        yield composed


@pytest.fixture
def clock() -> list[datetime]:
    """The moment now, which a test may change."""
    return [NOON]


def mend(shop: app.App) -> None:
    folder = Path(shop.settings.files.mappings)
    (folder / "segment.yaml").write_text(MAPPING.format(path="$.anonymousId"))
    book, _ = mapping_book.load(folder)
    assert book is not None
    shop.books.mappings = book


@pytest.mark.parametrize("replayed", [False, True])
async def test_a_replayed_entry_is_rewarded_unless_it_was_history(shop: app.App, replayed: bool) -> None:
    message = Message("segment", "m1", MESSAGE, NOON, replayed)
    await shop.ingest.receive(Decoded([message, replace(message, key="m2")], []))
    assert [entry.replayed for entry in await shop.store.quarantined()] == [replayed, replayed]
    mend(shop)
    results = [each.result async for each in replay(shop.store, shop.ingest, ReplayOptions())]
    assert [result.outcome for result in results] == ["processed", "processed"]
    assert len(await shop.store.events("a1")) == 2
    assert any(result.discounts for result in results) is not replayed


@pytest.mark.parametrize(("hours", "earns"), [(72, True), (73, False)])
async def test_a_message_past_its_maximum_age_earns_nothing(
    shop: app.App, clock: list[datetime], hours: int, *, earns: bool
) -> None:
    await shop.ingest.receive(Decoded([Message("segment", "m1", MESSAGE, NOON)], []))
    mend(shop)
    clock[0] += timedelta(hours=hours)
    [result] = [each.result async for each in replay(shop.store, shop.ingest, ReplayOptions())]
    assert (result.outcome, bool(result.discounts)) == ("processed", earns)
    assert ("longer ago than the 72 hours" in (result.reason or "")) is not earns


async def test_a_replayed_message_that_cannot_be_decided_is_quarantined_once(
    shop: app.App,
) -> None:
    said = {"type": "identify", "userId": "u1", "traits": {"much": "x" * 300_000}}
    await shop.ingest.receive(Decoded([Message("segment", "m1", said, NOON)], []))
    for _ in range(3):
        [replayed] = [each async for each in replay(shop.store, shop.ingest, ReplayOptions())]
        assert replayed.stays
        [waiting] = await shop.store.quarantined()
        assert waiting.reason == "the customer's data would exceed 256 KB"
        assert len(waiting.key) < 40


async def test_a_long_message_is_replayed_whole(shop: app.App) -> None:
    said = {**MESSAGE, "properties": {"text": "x" * 100_000}}
    await shop.ingest.receive(Decoded([Message("segment", "m1", said, NOON)], []))
    [entry] = await shop.store.quarantined()
    assert entry.truncated
    mend(shop)
    [replayed] = [each async for each in replay(shop.store, shop.ingest, ReplayOptions())]
    assert (replayed.result.outcome, decode(replayed.document)) == ("processed", said)
    [event] = await shop.store.events("a1")
    assert event.name == "started"


async def test_oversized_messages_of_an_older_program_stay(
    shop: app.App,
) -> None:
    said = {**MESSAGE, "properties": {"text": "x" * (shop.ingest.longest + 1)}}
    await shop.ingest.receive(Decoded([Message("segment", "m1", said, NOON)], []))
    mend(shop)
    [replayed] = [each async for each in replay(shop.store, shop.ingest, ReplayOptions())]
    assert replayed.stays
    assert list(await shop.store.events("a1")) == []
    assert len(await shop.store.quarantined()) == 1
