"""Decisions by the API of a running server, which alone may open its SQLite store."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import msgspec

from adapter.cli.server_client import ServerClient
from adapter.model.decisions import Decision
from adapter.model.ignored import Ignored
from adapter.model.quarantine import Unmapped


def decisions(client: ServerClient, source_id: str, event: str | None, most: int) -> list[Decision]:
    """Return a customer's latest decisions, or those on one event. Raises Unavailable and Refused."""
    found: list[Decision] = []
    for page in _pages(client, source_id, event):
        found += msgspec.convert(page["decisions"], list[Decision])
        if len(found) >= most:
            break
    return found[:most]


def quarantined(client: ServerClient, source_id: str, most: int) -> list[Unmapped]:
    """Return the latest quarantined messages that name a customer. Raises Unavailable and Refused."""
    page = next(_pages(client, source_id, None))
    return msgspec.convert(page["quarantined"], list[Unmapped])[:most]


def ignored(client: ServerClient, most: int) -> list[Ignored]:
    """Return the latest messages that no mapping takes. Raises Unavailable and Refused."""
    return msgspec.convert(client.call("GET", "/v1/ignored")["ignored"], list[Ignored])[:most]


def _pages(client: ServerClient, source_id: str, event: str | None) -> Iterator[dict[str, Any]]:
    asked = {"source_id": source_id} | ({} if event is None else {"event_id": event})
    while True:
        page = client.call("GET", f"/v1/decisions?{urlencode(asked)}")
        yield page
        if page["next"] is None:
            return
        asked["before"] = page["next"]
