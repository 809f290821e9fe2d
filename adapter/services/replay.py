"""Quarantined messages, once more through the corridor."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from adapter.model.messages import Message
from adapter.model.quarantine import Quarantined
from adapter.services.ingest import Ingest
from adapter.services.results import Result
from adapter.sources.decoded import Decoded
from adapter.store.contract import Store

_PAGE = 100


class Replayed(Struct, frozen=True):
    """One entry and what became of it; a message quarantined again keeps its first entry."""

    entry: Quarantined
    result: Result


async def replay(store: Store, ingest: Ingest, *, dry_run: bool = False) -> AsyncIterator[Replayed]:
    """Send every quarantined message through mapping again, oldest first; release those that pass.

    With `dry_run` nothing is stored: a result tells whether the message would be mapped now. An entry that
    is not a JSON object cannot be mapped by any file, and stays.
    """
    after = 0
    while entries := await store.quarantined(after, _PAGE):
        after = entries[-1].id
        for entry in entries:
            result = await _again(entry, ingest, dry_run=dry_run)
            if not dry_run and result.outcome != "quarantined":
                await store.release_quarantined([entry.id])
            yield Replayed(entry, result)


async def _again(entry: Quarantined, ingest: Ingest, *, dry_run: bool) -> Result:
    document = msgspec.json.decode(entry.document)
    if not isinstance(document, dict):
        return Result(entry.key, "quarantined", entry.reason)
    message = Message(entry.source, entry.key, document, entry.received_at, entry.replayed)
    tried = ingest.preview(message)
    if dry_run or tried.outcome == "quarantined":
        return tried
    # The first delivery claimed the dedupe key, so a replay goes under its own.
    again = replace(message, key=f"{entry.key}#replay")
    [result] = await ingest.receive(Decoded([again], []))
    return result
