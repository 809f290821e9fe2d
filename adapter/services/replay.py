"""Replay quarantined messages through the ingest pipeline."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from adapter.model.discounts import Discount
from adapter.model.messages import Message
from adapter.model.quarantine import Excerpt, Quarantined
from adapter.services.ingest.operation_documents import SOURCE
from adapter.services.ingest.pipeline import Ingest
from adapter.services.ingest.result import Result
from adapter.sources.decoded_body import Decoded
from adapter.store.contract import Store

_PAGE = 100
_REPLAY = "#replay-"


class Replayed(Struct, frozen=True):
    """One entry and its result; a message that mapping quarantines again keeps its entry.

    `stays` says whether the message is still in quarantine; after a dry run, whether it would be.
    """

    entry: Excerpt
    result: Result
    stays: bool
    document: Raw = Raw(b"null")


class ReplayOptions(Struct, frozen=True):
    """Which entries to replay, and how: all `ids` and sources by default.

    With `dry_run` nothing is stored: the result is that of mapping only. A message that no mapping takes
    stays, unless `drop_ignored`.
    """

    ids: frozenset[int] = frozenset()
    source: str | None = None
    dry_run: bool = False
    drop_ignored: bool = False

    def names(self, entry: Excerpt) -> bool:
        """Return whether an entry is selected."""
        return (not self.ids or entry.id in self.ids) and self.source in (None, entry.source)

    def leaves(self, entry: Excerpt, result: Result, sources: Collection[str]) -> bool:
        """Return whether an entry is released from quarantine, where these `sources` have mappings."""
        if result.outcome == "ignored":
            return self.drop_ignored and entry.source in sources
        return result.outcome != "quarantined"


class Shown(Struct, frozen=True):
    """One replayed entry as programs read it; `was` is the reason why it was quarantined."""

    id: int
    source: str
    key: str
    was: str
    outcome: str
    stays: bool
    reason: str | None
    discounts: list[Discount]
    document: Raw


def shown(one: Replayed) -> Shown:
    """Return a replayed entry as programs read it."""
    entry, result = one.entry, one.result
    return Shown(
        entry.id, entry.source, entry.key, entry.reason, result.outcome, one.stays, result.reason,
        result.discounts, one.document,
    )  # fmt: skip


async def replay(
    store: Store, ingest: Ingest, options: ReplayOptions, operations: Ingest | None = None
) -> AsyncIterator[Replayed]:
    """Replay quarantined messages, oldest first; release those that pass.

    Operations that came to `POST /v1/evaluate` need no mapping: `operations` takes them.

    An entry that is not a JSON object cannot be mapped, and stays. So does a message of a source without any
    mapping, which indicates a wrong directory. A message that is mapped and still cannot be decided has a new
    entry for the next replay.
    """
    latest = max((entry.id for entry in await store.latest_quarantined(limit=1)), default=0)
    after = 0
    while entries := [each for each in await store.quarantined(after, _PAGE) if each.id <= latest]:
        after = entries[-1].id
        for entry in filter(options.names, entries):
            whole = await store.quarantined_message(entry.id)
            if whole is not None:
                taker = operations if operations is not None and entry.source == SOURCE else ingest
                replayed = await _replayed(store, taker, options, entry, _message(whole, taker.longest))
                yield replace(replayed, document=whole.document)


async def _replayed(
    store: Store, ingest: Ingest, options: ReplayOptions, entry: Excerpt, message: Message | None
) -> Replayed:
    if message is None:
        return Replayed(entry, Result(entry.key, "quarantined", entry.reason), True)
    result = ingest.preview(message)
    leaves = options.leaves(entry, result, ingest.sources)
    if not options.dry_run and result.outcome == "processed":
        [result] = await ingest.receive(Decoded([message], []))
    if leaves and not options.dry_run:
        await store.release_quarantined([entry.id])
    return Replayed(entry, result, not leaves or result.outcome == "quarantined")


def _message(entry: Quarantined, longest: int) -> Message | None:
    """Return the message of an entry that can be mapped: an object within the limit of size."""
    if len(memoryview(entry.document)) > longest:
        return None
    document = msgspec.json.decode(entry.document)
    if not isinstance(document, dict):
        return None
    # The first message used the dedupe key, so a replay has another one: that of its entry.
    key = f"{entry.key.partition(_REPLAY)[0]}{_REPLAY}{entry.id}"
    return Message(entry.source, key, document, entry.received_at, entry.replayed)
