"""Test cases of payloads: the fixture without personal data, and what the mappings make of it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct

from adapter.errors import MappingError, Refused
from adapter.files.dumping import dump
from adapter.mapping.actions.as_json import plain
from adapter.mapping.mapping_set import MappingSet
from adapter.services.authoring.anonymise import Anonymiser
from adapter.sources.registry import SOURCES

_RECEIVED = datetime(2030, 1, 1, tzinfo=UTC)


class RecordedCase(Struct, frozen=True):
    """The texts of a fixture (JSON) and of its file of cases (YAML); `replaced` counts stand-ins by kind."""

    fixture: str
    cases: str
    replaced: dict[str, int]


def recorded_case(
    book: MappingSet, source: str, payload: Any, names: Iterable[str], *, title: str, file: str
) -> RecordedCase:
    """Return a case of a payload as a source sends it; raises Refused where it cannot be decoded.

    `names` are ids of people in it. `title` is the name of the case, `file` that of its fixture.
    """
    anonymiser = Anonymiser({*names})
    stands = anonymiser.value(payload)
    case = {"name": title, "file": file, **_became(book, source, stands)}
    fixture = msgspec.json.format(msgspec.json.encode(stands), indent=2).decode() + "\n"
    cases = f"source: {source}\ncases:\n  - {dump(case, 4).lstrip()}\n"
    return RecordedCase(fixture, cases, anonymiser.replaced)


def file_name(message_id: str) -> str:
    """Return a name for the files of a message's case."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", message_id).strip("-")[:80] or "message"


def _became(book: MappingSet, source: str, payload: Any) -> dict[str, Any]:
    operations: list[Any] = []
    reasons: list[str] = []
    if source not in SOURCES:
        raise Refused(f"no mapping is of `{source}`: a case has a payload of {' or '.join(SOURCES)}")
    decoded = SOURCES[source].decode_recorded(msgspec.json.encode(payload), _RECEIVED)
    for message in decoded.messages:
        try:
            operations += [plain(operation) for operation in book.operations(message)]
        except MappingError as error:
            reasons.append(error.message)
    reasons += [entry.reason for entry in decoded.quarantined]
    return {"expect": operations, **({"quarantined": reasons} if reasons else {})}
