"""Record what arrived, as it came, with the commit of its batch.

Messages that are not committed, because no mapping takes them or because they cannot be read, wait for the
next commit, or for `services.background.journal`. Those that wait are lost when the process is
killed: nothing depends on them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

import msgspec
import zstandard

from adapter.model.decisions import Decision
from adapter.model.journal import JournalEntry, JournalOutcome, JournalRow, journal_row
from adapter.model.messages import Message
from adapter.model.operations import CustomerMerge
from adapter.services.ingest.held_rules import HeldRules
from adapter.services.ingest.journal_mask import Mask
from adapter.services.ingest.result import Result
from adapter.services.ingest.work_item import Work

#: Messages that wait for a commit; more are not recorded.
MOST_WAITING = 5_000
#: Refused bodies among them, and how much of each is recorded.
MOST_REFUSED = 100
REFUSED_BYTES = 4_096
_LEVEL = 1
_ENCODER = msgspec.json.Encoder()
#: Returns the rows to append with a batch, from its works, their results and the decisions about them.
Record = Callable[[Sequence[Work], Sequence[Result], Sequence[Decision]], Sequence[JournalRow]]


class Journal:
    """Makes the rows of the journal; one that is not `on` makes none.

    `note_left_out` is called for each message that is not recorded because too many wait.
    """

    def __init__(
        self,
        mask: Sequence[str] = (),
        *,
        on: bool = True,
        note_left_out: Callable[[], None] = lambda: None,
    ) -> None:
        self.on = on
        self._mask = Mask(mask) if mask else None
        self._note_left_out = note_left_out
        self._waiting: list[JournalEntry] = []
        self._refused = 0
        self._compressor = zstandard.ZstdCompressor(level=_LEVEL)

    def note_ignored(self, message: Message) -> None:
        """Record a message that no mapping takes."""
        if self.on and self._has_room():
            self._waiting.append(self._ignored(message))

    def note_refused(self, source: str, body: bytes, reason: str, at: datetime) -> None:
        """Record the beginning of a body that was authenticated and could not be read."""
        if not self.on or not self._has_room():
            return
        if self._refused >= MOST_REFUSED or self._mask is not None:  # what is to be masked cannot be found
            body = b""
        self._refused += 1
        beginning = _ENCODER.encode(body[:REFUSED_BYTES].decode("utf-8", "replace"))
        self._waiting.append(JournalEntry(source, "", "", at, "refused", reason, [], beginning))

    @contextmanager
    def recording(self) -> Iterator[Record | None]:
        """Return what makes the rows of one transaction; without a commit, what waited goes on waiting."""
        if not self.on:
            yield None
            return
        waiting, refused = self._taken()
        try:
            yield lambda batch, results, decisions: self._rows(waiting, batch, results, decisions)
        except BaseException:
            self._waiting[:0] = waiting
            self._refused += refused
            raise

    def _taken(self) -> tuple[list[JournalEntry], int]:
        taken = self._waiting, self._refused
        self._waiting, self._refused = [], 0
        return taken

    def _has_room(self) -> bool:
        if len(self._waiting) < MOST_WAITING:
            return True
        self._note_left_out()
        return False

    def _rows(
        self,
        waiting: Sequence[JournalEntry],
        batch: Sequence[Work],
        results: Sequence[Result],
        decisions: Sequence[Decision],
    ) -> list[JournalRow]:
        entries, held = [*waiting], HeldRules(decisions)
        entries += [
            self._entry(work, result, held.of(work))
            for work, result in zip(batch, results, strict=True)
            if work.document is not None or work.quarantine is not None
        ]
        return [journal_row(entries, self._compressor)] if entries else []

    def _entry(self, work: Work, result: Result, rules: tuple[str, ...]) -> JournalEntry:
        return JournalEntry(
            work.source,
            work.key,
            work.message_id,
            work.received_at,
            _outcome(work, result),
            result.reason or (work.unrewarded.reason if work.unrewarded is not None else ""),
            _names(work),
            self._document(work),
            work.unrewarded is not None,
            rules,
        )

    def _ignored(self, message: Message) -> JournalEntry:
        document = message.document
        ids = (_text(document.get(member)) for member in ("userId", "anonymousId"))
        return JournalEntry(
            message.source,
            message.key,
            _text(document.get("messageId")) or message.key,
            message.received_at,
            "ignored",
            "no mapping takes this message",
            [each for each in ids if each],
            self._encoded(document),
            message.replayed,
        )

    def _document(self, work: Work) -> bytes:
        if work.quarantine is None:
            return self._encoded(work.document)
        document = bytes(work.quarantine.document)
        return document if self._mask is None else self._mask.json(document)

    def _encoded(self, document: object) -> bytes:
        return _ENCODER.encode(document if self._mask is None else self._mask.value(document))


def _outcome(work: Work, result: Result) -> JournalOutcome:
    """Return what became of a message; of one that is only stored, why."""
    if result.outcome == "processed" and work.unrewarded is not None:
        if work.unrewarded.code == "too_old":
            return "too_old"
        if work.unrewarded.code == "development":
            return "development"
    return result.outcome


def _names(work: Work) -> list[str]:
    """Return the ids of customers in a message; of one in quarantine those that it names."""
    if work.quarantine is not None:
        return sorted(work.quarantine.names())
    names: list[str] = []
    for operation in work.operations:
        if (source_id := operation.source_id) and source_id not in names:
            names.append(source_id)
        if operation.__class__ is CustomerMerge:
            names.append(operation.previous_id)
    return names


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
