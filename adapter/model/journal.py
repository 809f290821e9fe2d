"""The journal: messages as they arrived, with their outcomes, a few in one compressed row."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Literal

import msgspec
import zstandard
from msgspec import Raw, Struct

from adapter.model.messages import Message
from adapter.model.quarantine import Quarantined

#: What became of a message. `too_old` and `development` messages are stored, but no rule is evaluated for
#: them; a `refused` one could not be read.
JournalOutcome = Literal[
    "processed", "duplicate", "ignored", "quarantined", "refused", "too_old", "development",
]  # fmt: skip
_ENCODER = msgspec.msgpack.Encoder()


class JournalEntry(Struct, frozen=True, array_like=True):
    """One message: its document as JSON (of a refused body the beginning, as a text), outcome and reason.

    `names` are ids that the message has; `key` is its dedupe key, empty for a refused body. `rules` are those
    whose conditions held for it, which older programs did not record.
    """

    source: str
    key: str
    message_id: str
    received_at: datetime
    outcome: JournalOutcome
    reason: str
    names: Sequence[str]
    document: bytes
    replayed: bool = False
    rules: tuple[str, ...] = ()

    def message(self) -> Message | None:
        """Return the message as mappings take it; None where no object was decoded."""
        document = msgspec.json.decode(self.document)
        if not isinstance(document, dict):
            return None
        return Message(self.source, self.key, document, self.received_at, self.replayed)

    def quarantined(self) -> Quarantined:
        """Return the message in the form in which mentions of people are searched."""
        return Quarantined(self.source, self.key, Raw(self.document), self.reason, self.received_at)


class JournalRow(Struct, frozen=True):
    """Some messages, compressed; `at` is when the first was received, `names` are ids that they have.

    `number` is 0 until the store assigns one, and `names` is empty in a row that was read.
    """

    at: datetime
    data: bytes
    names: frozenset[str] = frozenset()
    number: int = 0

    def entries(self) -> list[JournalEntry]:
        """Return the messages, in the order in which they were committed."""
        return _DECODER.decode(zstandard.ZstdDecompressor().decompress(self.data))


_DECODER = msgspec.msgpack.Decoder(list[JournalEntry])


def journal_row(
    entries: Sequence[JournalEntry], compressor: zstandard.ZstdCompressor, number: int = 0
) -> JournalRow:
    """Return entries, at least one, as one row."""
    names = frozenset(name for entry in entries for name in entry.names)
    data = compressor.compress(_ENCODER.encode(entries))
    return JournalRow(min(entry.received_at for entry in entries), data, names, number)


def without(row: JournalRow, dropped: Collection[int]) -> JournalRow | None:
    """Return a row without the entries at those positions; None where no entry is left."""
    kept = [entry for at, entry in enumerate(row.entries()) if at not in dropped]
    return journal_row(kept, zstandard.ZstdCompressor(), row.number) if kept else None
