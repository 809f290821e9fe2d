"""What of a message the starters do not keep is what docs/mapping-files.md lists, no less and no more."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from adapter.mapping import mapping_set
from adapter.mapping.actions.as_json import plain
from adapter.mapping.mapping_set import MappingSet
from adapter.sources.mparticle import batches as mparticle
from adapter.sources.mparticle.identities import ZERO_GUID
from adapter.sources.segment import webhook

ROOT = Path(__file__).parents[2]
RECEIVED_AT = datetime(2026, 12, 1, tzinfo=UTC)
MAXIMAL: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "maximal.yaml").read_text(encoding="utf-8"))
PAGE = (ROOT / "docs" / "mapping-files.md").read_text(encoding="utf-8")
SECTION = PAGE.split("### What the starters do not keep")[1].split("\n## ")[0]
ROWS = {
    row.split(":")[0]: re.findall(r"`([^`]+)`", listed)
    for row, listed in re.findall(r"^\| ([^|]+) \| (`[^|]+) \|$", SECTION, re.MULTILINE)
}
SEGMENT, MPARTICLE = ROWS["every message of Segment"], ROWS["every batch of mParticle"]
CONTEXT = ROWS["its identify"]
#: By source and kind of message, what is listed.
LISTED: dict[tuple[str, str], list[str]] = {
    ("segment", "identify"): SEGMENT + CONTEXT,
    ("segment", "group"): SEGMENT + CONTEXT + ROWS["its group and alias"],
    ("segment", "alias"): SEGMENT + CONTEXT + ROWS["its group and alias"],
    **{("segment", kind): SEGMENT for kind in ("track", "page", "screen")},
    ("mparticle", "batch"): MPARTICLE + ROWS["its batch without events"],
    **{("mparticle", kind): MPARTICLE + ROWS["its events"] for kind in MAXIMAL["mparticle"]["events"]},
}
#: Names, which arrive in the spelling that traits and identities have.
RENAMED = ("user_identities[].identity_type", "deleted_user_attributes")
#: A value that stands also in what is made of the message, or that says only what is made of it.
DECIDING = ("type", "event", "messageId", "source_message_id", "event_type", "event_name", "action", "name")


@pytest.fixture(scope="module")
def starter() -> MappingSet:
    loaded, _ = mapping_set.load(ROOT / "mappings")
    assert loaded is not None
    return loaded


def body_of(source: str, kind: str) -> dict[str, Any]:
    said = MAXIMAL[source]
    if source == "segment":
        return {"type": kind, **said["common"], **said["calls"][kind]}
    if kind == "batch":
        return dict(said["batch"])
    return {
        **said["batch"],
        "events": [{"event_type": kind, "data": {**said["data"], **said["events"][kind]}}],
    }


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the ends of a document, each with its path."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner, f"{path}[]")
    else:
        yield path, value


def arrived(source: str, body: Any, starter: MappingSet) -> str:
    """Return what the starters make of a body, as text."""
    decoded = {"segment": webhook, "mparticle": mparticle}[source].decode(
        json.dumps(body).encode(), RECEIVED_AT
    )
    assert decoded.quarantined == []
    made = [plain(done) for message in decoded.messages for done in starter.operations(message)]
    return json.dumps(made, default=str, ensure_ascii=False)


def is_kept(value: Any, made: str) -> bool:
    """Say whether a value stands in what is made of its message, or says nothing."""
    if value in (None, "", ZERO_GUID, 0, "0"):
        return True
    said = {str(value), json.dumps(value, ensure_ascii=False)}
    if isinstance(value, str) and re.fullmatch(r"[0-9]+\.[0-9]+", value):
        said.add(str(float(value)))
    return any(text.casefold() in made.casefold() for text in said)


def listed(path: str, patterns: list[str]) -> str | None:
    """Return the pattern that a path is listed by."""
    for pattern in patterns:
        start = pattern.removesuffix(".*")
        if path == pattern or (start != pattern and path.startswith((f"{start}.", f"{start}["))):
            return pattern
    return None


@pytest.mark.parametrize(("source", "kind"), LISTED, ids=lambda value: value)
def test_the_dropped_fields_are_exactly_those_listed(source: str, kind: str, starter: MappingSet) -> None:
    body, patterns = body_of(source, kind), LISTED[source, kind]
    made = arrived(source, body, starter)
    found = {path: is_kept(value, made) for path, value in leaves(body)}
    assert [path for path, kept in found.items() if not kept and listed(path, patterns) is None] == []
    kept = [
        path for path, kept in found.items()
        if kept and listed(path, patterns) and path.split(".")[-1] not in DECIDING
    ]  # fmt: skip
    assert kept == []


def test_every_line_of_the_list_is_met() -> None:
    met = {
        listed(path, patterns)
        for (source, kind), patterns in LISTED.items()
        for path, _ in leaves(body_of(source, kind))
    }
    assert {pattern for patterns in ROWS.values() for pattern in patterns} <= met


@pytest.mark.parametrize("path", sorted((ROOT / "fixtures").glob("*/*.json")), ids=lambda path: path.stem)
def test_of_the_fixtures_only_listed_fields_are_dropped(path: Path, starter: MappingSet) -> None:
    source = path.parent.name
    body = json.loads(path.read_bytes())
    if source == "segment":
        calls = body if isinstance(body, list) else body.get("batch", [body])
        messages = [(call.get("json", call), call.get("json", call).get("type")) for call in calls]
    else:
        batches = body if isinstance(body, list) else [body]
        messages = [(batch, "batch" if not batch.get("events") else "custom_event") for batch in batches]
    for message, kind in messages:
        if (source, str(kind)) not in LISTED or _unmapped(message):
            continue
        made = arrived(source, message, starter)
        patterns = LISTED[source, str(kind)] + (["device_info.*"] if kind == "batch" else [])
        missing = [
            where for where, value in leaves(message)
            if not is_kept(value, made) and listed(where, patterns) is None
            and not where.startswith(RENAMED)
        ]  # fmt: skip
        assert missing == []


def _unmapped(message: Any) -> bool:
    """Say whether it is another kind of request, or has events of which the starters make none."""
    if "request_type" in message or str(message.get("type")).endswith("_request") or _is_ours(message):
        return True
    kinds = {event.get("event_type") for event in message.get("events") or [] if isinstance(event, dict)}
    return not kinds <= set(MAXIMAL["mparticle"]["events"]) if kinds else "body" in message


def _is_ours(message: Any) -> bool:
    return '"bd-' in json.dumps(message)
