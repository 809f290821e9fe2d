"""Recorded messages mapped by other files, and made into test cases."""

from __future__ import annotations

import asyncio
import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
import zstandard
from typer.testing import CliRunner, Result

from adapter.cli.main import commands
from adapter.model.journal import JournalEntry, JournalOutcome, journal_row
from adapter.sources.registry import SOURCES
from adapter.store.engines import open_store

MAPPING = """\
source: segment
mappings:
  - name: Event
    subscribe: type = "track"
    action: event
    fields:
      id: {"@path": $.messageId}
      name: {"@path": $.event}
      occurred_at: {"@path": $.timestamp}
      source_id: {"@path": $.userId}
      attributes: {total: {"@path": $.properties.total}}
"""
NOW = datetime.now(UTC).replace(microsecond=0)
TRACK = {
    "type": "track", "event": "Bought", "messageId": "m-1", "userId": "cust-1001",
    "timestamp": "2026-11-29T10:00:00Z", "properties": {"total": 12.5, "value": 20},
}  # fmt: skip


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    mappings = tmp_path / "mappings"
    mappings.mkdir()
    (mappings / "segment.yaml").write_text(MAPPING)
    return mappings


def keep(
    *documents: Any, source: str = "segment", at: datetime = NOW, outcome: JournalOutcome = "processed"
) -> None:
    async def add() -> None:
        store = open_store("sqlite:///data/adapter.db")
        await store.open()
        named = [(each["messageId"], json.dumps(each).encode()) for each in documents]
        entries = [JournalEntry(source, id_, id_, at, outcome, "", [], body) for id_, body in named]
        await store.add_journal([journal_row(entries, zstandard.ZstdCompressor())])
        await store.close()

    asyncio.run(add())


def ask(*arguments: str) -> Result:
    return CliRunner().invoke(commands, arguments)


def draft(folder: Path, *changes: tuple[str, str]) -> str:
    text = MAPPING
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    folder.mkdir()
    (folder / "segment.yaml").write_text(text)
    return str(folder)


def remapped(*arguments: str) -> Any:
    result = ask("map", "--since", "1d", "--json", *arguments)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_changed_field_is_counted_with_samples(tmp_path: Path) -> None:
    keep(TRACK, TRACK | {"messageId": "m-2", "properties": {"total": 20, "value": 20}})
    drafts = draft(tmp_path / "drafts", ("$.properties.total", "$.properties.value"))
    assert remapped("--mappings", drafts) == {
        "messages": 2,
        "changed": 1,
        "outcomes": [],
        "fields": [
            {
                "field": "event event.attributes.total",
                "messages": 1,
                "samples": [{"message_id": "m-1", "before": 12.5, "after": 20}],
            }
        ],
    }


def test_fields_come_and_go(tmp_path: Path) -> None:
    keep(TRACK)
    drafts = draft(tmp_path / "drafts", ("total: {", "sum: {"))
    found = {each["field"]: each["samples"][0] for each in remapped("--mappings", drafts)["fields"]}
    assert found["event event.attributes.total"]["after"] == "(absent)"
    assert found["event event.attributes.sum"]["before"] == "(absent)"


def test_messages_that_become_something_else_are_counted_with_the_reason(tmp_path: Path) -> None:
    keep(TRACK, TRACK | {"messageId": "m-2", "event": "Seen"})
    quieter = draft(tmp_path / "quieter", ('type = "track"', 'event = "Bought"'))
    assert remapped("--mappings", quieter)["outcomes"] == [
        {"before": "mapped", "after": "ignored", "messages": 1, "samples": ["m-2"], "reason": ""}
    ]
    stricter = draft(tmp_path / "stricter", ("$.userId", "$.user"))
    [lost] = remapped("--mappings", stricter)["outcomes"]
    assert (lost["after"], lost["messages"]) == ("quarantined", 2)
    assert "source_id" in lost["reason"]


def test_repeated_unreadable_and_older_messages_are_left_out(tmp_path: Path) -> None:
    keep(TRACK)
    keep(TRACK)
    keep(TRACK, outcome="duplicate")
    keep(TRACK | {"messageId": "m-3"}, outcome="refused")
    keep(TRACK | {"messageId": "m-4"}, at=NOW - timedelta(days=2))
    keep(TRACK | {"messageId": "m-5"}, source="evaluate")
    assert remapped("--against", draft(tmp_path / "old"))["messages"] == 1


def test_files_are_compared_with_a_git_revision(files: Path) -> None:
    for arguments in (("init", "-q"), ("add", "."), ("commit", "-qm", "first")):
        identity = ("-c", "user.name=t", "-c", "user.email=t@example.com")
        subprocess.run(["git", *identity, *arguments], check=True)
    keep(TRACK)
    (files / "segment.yaml").write_text(MAPPING.replace("$.properties.total", "$.properties.value"))
    assert remapped("--against", "HEAD")["changed"] == 1
    shown = ask("map", "--since", "1d", "--against", "HEAD").stdout
    assert "event event.attributes.total\n          12.5 -> 20   (m-1)" in shown
    refused = ask("map", "--since", "1d", "--against", "nowhere")
    assert (refused.exit_code, "there is no revision of that name" in refused.stderr) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("map",), "give a FILE, or --since"),
        (("map", "--since", "1d"), "say what to compare with"),
        (("map", "--since", "soon", "--against", "x"), "`soon` is no time"),
        (("case", "from", "unknown"), "no message `unknown` is in the journal"),
    ],
)
def test_wrong_calls_say_what_to_write(arguments: tuple[str, ...], said: str) -> None:
    keep(TRACK)
    result = ask(*arguments)
    assert result.exit_code
    assert said in " ".join(result.output.replace("│", " ").split())


def test_a_case_of_a_recorded_message_has_no_personal_data_and_passes(files: Path) -> None:
    traits = {"email": "Ada@Example.org", "firstName": "Ada", "phone": "+4915112345678", "plan": "gold"}
    body = TRACK | {
        "context": {"traits": traits, "ip": "8.8.8.8", "page": {"url": "https://x.test/?u=cust-1001"}}
    }
    keep(body)
    written = ask("case", "from", "m-1")
    assert written.exit_code == 0, written.output
    assert "1 email, 1 id, 1 ip, 1 name, 1 phone" in written.stderr
    fixture = (files / "m-1.json").read_text()
    for personal in ("cust-1001", "Ada", "ada@", "8.8.8.8", "4915"):
        assert personal.lower() not in fixture.lower()
    assert json.loads(fixture)["context"]["traits"]["plan"] == "gold"
    [case] = yaml.safe_load((files / "m-1.test.yaml").read_text())["cases"]
    assert case["expect"][0]["source_id"] == "user-1"
    (files.parent / "rules").mkdir()
    assert ask("test").exit_code == 0
    assert "exists: choose another name" in ask("case", "from", "m-1").stderr


def test_a_case_of_an_event_of_mparticle_is_a_batch_with_that_event() -> None:
    batch = {
        "mpid": "77", "user_identities": [{"identity_type": "customer_id", "identity": "cust-1001"}],
        "events": [{"event_type": "custom_event", "data": {"event_name": name}} for name in ("One", "Two")],
    }  # fmt: skip
    decoded = SOURCES["mparticle"].decode(json.dumps(batch).encode(), NOW)
    [_, second] = [each.document for each in decoded.messages if each.document["type"] == "custom_event"]
    keep(second, source="mparticle")
    written = ask("case", "from", second["messageId"], "--output", "cases/two")
    assert written.exit_code == 0, written.output
    payload = json.loads(Path("cases/two.json").read_text())
    assert [event["data"]["event_name"] for event in payload["events"]] == ["Two"]
    assert "cust-1001" not in json.dumps(payload)
