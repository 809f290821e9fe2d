"""The journal has every message as it came, with what became of it; an erasure takes its person out."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from adapter import app
from adapter.app import App
from adapter.errors import StoreUnavailable, Unreadable
from adapter.model.journal import JournalEntry
from adapter.model.mentions import Mentions
from adapter.model.messages import Message
from adapter.model.quarantine import Quarantined
from adapter.services.background.journal import JournalUpkeep
from adapter.services.environment import Environment
from adapter.services.ingest import journal as recording
from adapter.services.ingest.journal import Journal
from adapter.services.ingest.journal_mask import Mask
from adapter.settings.fields import Keys, build
from adapter.sources.decoded_body import Decoded
from adapter.sources.registry import SOURCES

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
MAPPINGS = """\
source: segment
mappings:
  - name: Customer
    subscribe: type = "identify"
    action: customer.upsert
    fields: {source_id: {"@path": $.userId}, traits: {"@path": $.traits}}
  - name: Event
    subscribe: type = "track" and event != "ignored"
    action: event
    fields:
      id: {"@path": $.messageId}
      name: {"@path": $.event}
      occurred_at: {"@path": $.timestamp}
      source_id: {"@path": $.userId}
      context: {"@path": $.context}
"""
RULES = """\
rules:
  - name: once
    trigger: viewed
    action: {type: free_shipping}
    guardrails: {per_user_limit: 1}
  - {name: never, trigger: viewed, conditions: n > 5, action: {type: free_shipping}}
  - {name: golden, trigger: {trait: tier, to: gold}, action: {type: free_shipping}}
"""


def opened(folder: Path, **chosen: Any) -> App:
    for name in ("rules", "mappings"):
        (folder / name).mkdir(exist_ok=True)
    (folder / "mappings" / "segment.yaml").write_text(MAPPINGS)
    settings: dict[Keys, Any] = {
        ("files", "mappings"): str(folder / "mappings"),
        ("files", "rules"): str(folder / "rules"),
        ("store", "url"): "sqlite:///:memory:",
        **{("journal", name): value for name, value in chosen.items()},
    }
    return app.compose(build(settings), world=Environment(clock=lambda: NOON))


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[App]:
    composed = opened(tmp_path)
    async with composed.working():
        yield composed


def body(id_: str, who: str = "ann", **members: Any) -> dict[str, Any]:
    event = {"type": "track", "event": "viewed", "timestamp": "2026-03-04T11:59:00Z"}
    return {**event, "messageId": id_, "userId": who, **members}


def of_tier(tier: str, second: int) -> dict[str, Any]:
    return body(
        tier, type="identify", traits={"tier": tier}, timestamp=f"2026-03-04T11:59:{second}Z", event=None
    )


async def send(server: App, *bodies: dict[str, Any]) -> None:
    decoded = SOURCES["segment"].decode(json.dumps(bodies).encode(), NOON)
    await server.ingest.receive(Decoded(decoded.messages, decoded.quarantined))


async def entries(server: App) -> list[JournalEntry]:
    return [entry for row in await server.store.journal() for entry in row.entries()]


def upkeep(server: App, journal: Journal, **limits: Any) -> JournalUpkeep:
    limits = {"keep": timedelta(days=7), "max_mb": 1, **limits}
    return JournalUpkeep(server.store, journal, lambda: NOON, **limits)


async def test_every_outcome_is_recorded_with_its_reason(server: App) -> None:
    old = body("old", timestamp="2025-01-01T00:00:00Z")
    await send(server, body("x", event="ignored"), body("bad", userId=None, anonymousId="a"), old, body("m"))
    await send(server, body("m"))
    found = {(each.message_id, each.outcome): each.reason for each in await entries(server)}
    assert list(found) == [
        ("x", "ignored"), ("bad", "quarantined"), ("old", "too_old"), ("m", "processed"), ("m", "duplicate"),
    ]  # fmt: skip
    assert found["x", "ignored"] == "no mapping takes this message"
    assert "source_id" in found["bad", "quarantined"]
    assert "72 hours" in found["old", "too_old"]


async def test_the_rules_whose_conditions_held_are_recorded_with_a_message(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "rules.yaml").write_text(RULES)
    server = opened(tmp_path)
    async with server.working():
        await send(server, body("m"), body("again"), body("x", event="ignored"), of_tier("silver", 10))
        await send(server, of_tier("gold", 20))
        assert {each.message_id: each.rules for each in await entries(server)} == {
            "x": (), "m": ("once",), "again": ("once",), "silver": (), "gold": ("golden",),
        }  # fmt: skip


async def test_a_message_is_recorded_as_it_came(server: App) -> None:
    came = body("m", properties={"n": 12345678901234567890, "text": 'é"%'}, unmapped=[1.5, None])
    await send(server, came)
    [entry] = await entries(server)
    assert msgspec.json.decode(entry.document) == came
    assert (entry.source, entry.received_at, list(entry.names)) == ("segment", NOON, ["ann"])


async def test_a_body_that_cannot_be_read_is_recorded_with_the_next_commit(server: App) -> None:
    server.ingest.note_refused("segment", b'{"a":' + b"x" * 9_000, Unreadable("no JSON"), NOON)
    assert await entries(server) == []
    await send(server, body("m"))
    refused, _ = await entries(server)
    assert (refused.outcome, refused.reason) == ("refused", "no JSON")
    assert len(refused.document) == recording.REFUSED_BYTES + len('""') + 2 * len("\\")


async def test_with_no_days_nothing_is_recorded(tmp_path: Path) -> None:
    server = opened(tmp_path, days=0)
    async with server.working():
        await send(server, body("m"), body("x", event="ignored"))
        assert await entries(server) == []


async def test_masked_members_are_not_kept(tmp_path: Path) -> None:
    server = opened(tmp_path, mask=["email", "Phone"])
    async with server.working():
        await send(server, body("m", traits={"EMAIL": "ann@x.test", "more": [{"phone": {"n": 1}}]}))
        [entry] = await entries(server)
    assert msgspec.json.decode(entry.document)["traits"] == {"EMAIL": "***", "more": [{"phone": "***"}]}


def test_a_masked_document_that_could_not_be_decoded_is_masked_whole() -> None:
    assert Mask(["email"]).json(b'"{\\"email\\": 1"') == b'"***"'
    assert Mask(["email"]).json(b"{") == b'"***"'


async def test_what_waits_is_appended_without_a_commit_and_waits_on_when_the_store_fails(server: App) -> None:
    journal = Journal()
    journal.note_ignored(Message("segment", "k", {"messageId": "x", "userId": "ann"}, NOON))
    keeping = upkeep(server, journal)

    class Failing:
        async def add_journal(self, rows: Any) -> None:
            raise StoreUnavailable(str(len(rows)))

    failing: Any = Failing()
    with pytest.raises(StoreUnavailable):
        await JournalUpkeep(failing, journal, lambda: NOON, keep=timedelta(1), max_mb=1).add()
    await keeping.add()
    await keeping.add()
    [entry] = await entries(server)
    assert (entry.message_id, list(entry.names)) == ("x", ["ann"])


def test_a_flood_of_ignored_messages_and_refused_bodies_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "MOST_WAITING", 3)
    monkeypatch.setattr(recording, "MOST_REFUSED", 1)
    left_out: list[None] = []
    journal = Journal(note_left_out=lambda: left_out.append(None))
    journal.note_ignored(Message("segment", "k", {}, NOON))
    for _ in range(4):
        journal.note_refused("segment", b"abc", "why", NOON)
    with journal.recording() as record:
        assert record is not None
        [row] = record([], [], [])
    assert [each.document for each in row.entries()] == [b"{}", b'"abc"', b'""']
    assert len(left_out) == 2


async def test_it_is_trimmed_to_its_days_and_bytes(server: App) -> None:
    for number in range(3):
        await send(server, body(f"m{number}"))
    assert await upkeep(server, Journal()).trim() == 0
    assert await upkeep(server, Journal(), max_mb=0).trim() == 3
    await send(server, body("m4"))
    assert await upkeep(server, Journal(), keep=timedelta(seconds=-1)).trim() == 1


async def test_an_export_has_the_messages_of_a_person_and_of_nobody_else(server: App) -> None:
    await send(server, body("1"), body("2", "bob"), body("3"))
    exported = json.loads(b"".join([piece async for piece in server.privacy.export("ann")]))
    assert [(each["message_id"], each["outcome"]) for each in exported["messages"]] == [
        ("1", "processed"), ("3", "processed"),
    ]  # fmt: skip
    assert exported["messages"][0]["document"] == body("1")


async def test_an_erasure_removes_the_messages_that_mention_the_person_and_keeps_the_others(
    server: App,
) -> None:
    traits = {"email": "Ann@x.test"}
    await send(server, {"type": "identify", "messageId": "0", "userId": "ann", "traits": traits})
    await send(server, body("1"), body("2", "bob"), body("3", "bob", properties={"to": "ann%40x.test"}))
    await server.privacy.erase("ann")
    await server.forgetting.finish()
    assert [entry.message_id for entry in await entries(server)] == ["2"]
    [receipt] = await server.store.receipts("ann")
    assert receipt.removed["messages"] == 3
    await send(server, body("4"))
    await server.forgetting.finish()
    assert [entry.message_id for entry in await entries(server)] == ["2", "4"]


_WORDS = st.sampled_from(["ann", "ANN", "x.test", "@", "-", "%40", "é", "\\", '"', "7", "other", " "])
_TEXTS = st.lists(_WORDS, min_size=1, max_size=5).map("".join)


@given(st.lists(_TEXTS, min_size=1, max_size=2), _TEXTS, st.sampled_from(["userId", "note"]))
def test_no_mention_is_passed_over_by_the_quick_look(names: list[str], text: str, member: str) -> None:
    document = msgspec.json.encode({member: text})
    mentions = Mentions(names)
    message = Quarantined("segment", "k", Raw(document), "", NOON)
    assert mentions.may_stand_in(document) or not mentions.stand_in(message)
