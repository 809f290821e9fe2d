"""Replay quarantined messages through the ingest pipeline."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from adapter.model.discounts import Discount
from adapter.model.messages import Message
from adapter.model.quarantine import Excerpt, Quarantined, Reason
from adapter.model.quarantine_groups import group_of
from adapter.services.ingest.operation_documents import SOURCE
from adapter.services.ingest.pipeline import Ingest
from adapter.services.ingest.result import Result
from adapter.sources.decoded_body import Decoded
from adapter.store.contract import Store

#: Messages that one slice looks at.
SLICE = 1_000
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
    stays, unless `drop_ignored`. `group` is what `adapter.model.quarantine_groups.group_of` names.
    """

    ids: frozenset[int] = frozenset()
    source: str | None = None
    dry_run: bool = False
    drop_ignored: bool = False
    group: str | None = None

    def names(self, entry: Reason) -> bool:
        """Return whether an entry is selected."""
        return (
            (not self.ids or entry.id in self.ids)
            and self.source in (None, entry.source)
            and self.group in (None, group_of(entry.source, entry.reason))
        )

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


class ReplayedSlice(Struct, frozen=True):
    """Some entries that were replayed; the next slice begins behind `next`.

    That is None where all entries up to `upto` were looked at.
    """

    replayed: list[Replayed]
    upto: int
    next: int | None


async def replay(
    store: Store, ingest: Ingest, options: ReplayOptions, operations: Ingest | None = None
) -> AsyncIterator[Replayed]:
    """Replay quarantined messages, oldest first; release those that pass.

    Operations that came to `POST /v1/evaluate` need no mapping: `operations` takes them.

    An entry that is not a JSON object cannot be mapped, and stays. So does a message of a source without any
    mapping, which indicates a wrong directory. A message that is mapped and still cannot be decided has a new
    entry for the next replay.
    """
    upto = await _latest(store)
    after = 0
    while entries := await _entries(store, after, upto):
        after = entries[-1].id
        for entry in filter(options.names, entries):
            replayed = await _one(store, ingest, options, entry.id, operations)
            if replayed is not None:
                yield replayed


async def replay_slice(
    store: Store,
    ingest: Ingest,
    options: ReplayOptions,
    after: int = 0,
    upto: int | None = None,
    *,
    most: int = 50,
    operations: Ingest | None = None,
) -> ReplayedSlice:
    """Replay up to `most` messages behind an id, of a bounded number that is looked at.

    Without `upto` that is the latest id there is: what arrives meanwhile is not replayed.
    """
    upto = await _latest(store) if upto is None else upto
    entries = await _entries(store, after, upto)
    replayed: list[Replayed] = []
    for entry in entries:
        if options.names(entry):
            if len(replayed) == most:
                return ReplayedSlice(replayed, upto, entry.id - 1)
            one = await _one(store, ingest, options, entry.id, operations)
            replayed += [] if one is None else [one]
    following = entries[-1].id if entries and entries[-1].id < upto else None
    return ReplayedSlice(replayed, upto, following)


async def _latest(store: Store) -> int:
    return max((entry.id for entry in await store.quarantine_reasons(limit=1)), default=0)


async def _entries(store: Store, after: int, upto: int) -> list[Reason]:
    return [each for each in await store.oldest_quarantine_reasons(after, SLICE) if each.id <= upto]


async def _one(
    store: Store, ingest: Ingest, options: ReplayOptions, id_: int, operations: Ingest | None
) -> Replayed | None:
    """Replay one entry; None where it is gone."""
    excerpts = [each for each in await store.quarantined(id_ - 1, 1) if each.id == id_]
    whole = await store.quarantined_message(id_) if excerpts else None
    if whole is None:
        return None
    [entry] = excerpts
    taker = operations if operations is not None and entry.source == SOURCE else ingest
    replayed = await _replayed(store, taker, options, entry, _message(whole, taker.longest))
    return replace(replayed, document=whole.document)


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
