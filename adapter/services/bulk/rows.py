"""Records become works as messages do, or are refused with their place and reason."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import msgspec
from msgspec import Struct

from adapter.bulk.cells import CellOptions
from adapter.bulk.columns import Columns
from adapter.bulk.customers import CustomerRows
from adapter.bulk.entries import BadRow, Entry, Reading
from adapter.bulk.events import EventRows
from adapter.bulk.records import Record
from adapter.errors import MappingError, Refused
from adapter.mapping.mapping_set import MappingSet
from adapter.model.customers import Customer
from adapter.model.imports import ImportJob, ImportOptions, RefusedRow
from adapter.model.messages import Message
from adapter.model.operations import (
    CustomerGroup,
    CustomerMerge,
    CustomerUpsert,
    EventOccurred,
    Operation,
)
from adapter.model.sources import SEGMENT
from adapter.model.times import CLOCK_SKEW, parse_timestamp
from adapter.services.ingest.work_item import Unrewarded, Work
from adapter.sources.registry import SOURCES

#: The source of plain rows.
IMPORT = "import"
#: History is stored without a decision for each event.
HISTORY = Unrewarded("replayed", "not rewarded: it was imported", recorded=False)
#: What history may do: it moves no discount, books no order and erases no customer.
_HISTORIC = (CustomerUpsert, CustomerGroup, CustomerMerge, EventOccurred)


class Taken(Struct):
    """What one record became: works, or why it was refused. `stored` and `identities` belong to the works."""

    record: Record
    works: list[Work] = []
    refused: list[RefusedRow] = []
    source_ids: tuple[str, ...] = ()
    stored: Customer | None = None
    identity: bytes = b""
    ignored: int = 0
    flagged: bool = False
    erased: bool = False
    warning: str = ""


def cell_options(options: ImportOptions) -> CellOptions:
    """Return how cells are read."""
    return CellOptions(
        decimal_comma=options.decimal == "comma",
        date_format=options.date_format,
        zone=options.zone,
        clear_empty=options.empty == "clear",
    )


class RowTaker:
    """Makes works of the records of customers and events.

    Equal events without an id are distinguished by their ordinal within the file, so every record from the
    first on must be given, also those before the position where an import goes on.
    """

    def __init__(self, job: ImportJob, mappings: MappingSet) -> None:
        self._job = job
        self._mappings = mappings
        reading = Reading(
            cells=cell_options(job.options),
            now=job.created_at,
            is_placeholder=mappings.placeholders.__contains__,
            model=mappings.model,
            as_of=job.options.as_of,
        )
        kind = CustomerRows if job.kind == "customers" else EventRows
        self._rows: CustomerRows | EventRows = kind(reading, job.options.columns or None)
        self._seen: set[int] = set()
        self._repeated: dict[int, int] = {}
        self._source = job.options.source or IMPORT
        self._unrewarded = None if job.options.evaluate else HISTORY
        self._bodies = _Bodies(job, mappings, self._unrewarded)

    @property
    def columns(self) -> Columns:
        """The columns of plain rows."""
        return self._rows.columns

    def take(self, record: Record) -> Taken:
        """Return what a record becomes."""
        if record.flaw:
            return _refused(record, record.flaw, record.column)
        if record.value is None:
            return self._bodies.take(record)
        try:
            entry = self._rows.entry(record)
            operations = self._fitted(entry.operations)
        except BadRow as error:
            return _refused(record, error.reason, error.column)
        except MappingError as error:
            return _refused(record, error.message)
        flagged = any(getattr(each, "misfits", ()) for each in operations)
        return Taken(
            record,
            [self._work(entry, operations)],
            source_ids=(entry.source_id,),
            stored=entry.stored,
            identity=entry.identity,
            flagged=flagged,
        )

    def pass_over(self, record: Record) -> None:
        """Note a record before the position where an import goes on."""
        if self._job.kind == "events" and not record.flaw and record.value is not None:
            try:
                entry = self._rows.entry(record)
            except BadRow:
                return
            if not entry.key:
                self._ordinal(entry.content)

    def _fitted(self, operations: tuple[Operation, ...]) -> tuple[Operation, ...]:
        fit = self._mappings.fit
        return operations if fit is None else tuple([fit(each) for each in operations])

    def _work(self, entry: Entry, operations: tuple[Operation, ...]) -> Work:
        now, key = self._job.created_at, entry.key
        document = {"timestamp": entry.at or now}
        if self._job.kind == "customers":
            if entry.stored is not None:
                # What an export wrote is merged with its own times, when the changes are saved.
                operations = (CustomerUpsert(entry.source_id, entry.stored.identities),)
            return Work(self._source, "", "", now, operations, self._unrewarded, document=document)
        if entry.identity:
            key = f"identity:{entry.identity.hex()}"
        elif not key:
            key = self._ordinal(entry.content)
            operations = tuple([_with_id(each, key) for each in operations])
        elif self._source == SEGMENT.name:
            key = f"{key}:track"
        return Work(self._source, key, key, now, operations, self._unrewarded, document=document)

    def _ordinal(self, content: bytes) -> str:
        """Return the key of an event without an id: a digest of its content, and its number among equals."""
        found = blake2b(content, digest_size=12).digest()
        short = int.from_bytes(found[:8])  # a set of numbers is small, and most rows are there once
        if short not in self._seen:
            self._seen.add(short)
            return f"row_{found.hex()}"
        ordinal = self._repeated[short] = self._repeated.get(short, 1) + 1
        return f"row_{found.hex()}_{ordinal}"


class _Bodies:
    """Makes works of bodies as a source sends them, by the mapping files."""

    def __init__(self, job: ImportJob, mappings: MappingSet, unrewarded: Unrewarded | None) -> None:
        self._job = job
        self._mappings = mappings
        self._unrewarded = unrewarded

    def take(self, record: Record) -> Taken:
        found = self._decoded(record, record.raw, "")
        many = _many(record.raw) if found.refused else None
        if many is None:
            return found
        # One bad event must not cost its neighbours, so each is decoded alone.
        member, whole, items = many
        found = Taken(record)
        for place, item in enumerate(items):
            part = msgspec.json.encode({**whole, member: [item]})
            alone = self._decoded(record, part, f"{member}[{place}]")
            found.works += alone.works
            found.refused += alone.refused
            found.source_ids += alone.source_ids
            found.ignored += alone.ignored
        return found

    def _decoded(self, record: Record, raw: bytes, path: str) -> Taken:
        taken, job = Taken(record), self._job
        try:
            decoded = SOURCES[job.options.source].decode_recorded(raw, job.created_at)
        except Refused as error:
            taken.refused.append(_row(record, error.message, raw=raw, path=path))
            return taken
        taken.ignored = decoded.dropped
        taken.refused += [_row(record, each.reason, raw=raw, path=path) for each in decoded.quarantined]
        for message in decoded.messages:
            try:
                self._take_message(taken, message)
            except (MappingError, BadRow) as error:
                reason = error.message if isinstance(error, MappingError) else error.reason
                taken.refused.append(_row(record, reason, raw=raw, path=path))
        return taken

    def _take_message(self, taken: Taken, message: Message) -> None:
        self._expect_past(message)
        operations = tuple(each for each in self._mappings.operations(message) if isinstance(each, _HISTORIC))
        if not operations:
            taken.ignored += 1
            return
        message_id = message.document.get("messageId")
        taken.works.append(
            Work(
                message.source,
                message.key,
                message_id if isinstance(message_id, str) else message.key,
                message.received_at,
                operations,
                self._unrewarded,
                document=message.document,
            )
        )
        taken.source_ids += tuple({each.source_id for each in operations})
        taken.flagged = taken.flagged or any(getattr(each, "misfits", ()) for each in operations)

    def _expect_past(self, message: Message) -> None:
        at = parse_timestamp(message.document.get("timestamp"))
        if at is not None and at > self._job.created_at + CLOCK_SKEW:
            raise BadRow(f"timestamp {at:%Y-%m-%d} lies in the future", "timestamp")


def _many(raw: bytes) -> tuple[str, dict[str, Any], list[Any]] | None:
    """Return the list of events in a body, its name and the rest; None where it has no more than one."""
    try:
        whole = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    for member in ("events", "batch"):
        items = whole.get(member) if isinstance(whole, dict) else None
        if isinstance(items, list) and len(items) > 1:
            return member, whole, items
    return None


#: Members of bodies that name a person, the surest first.
_NAMING = ("userId", "user_id", "customer_id", "customerid", "source_id", "anonymousId", "mpid")


def named_in(raw: bytes) -> str:
    """Return the ids in a body that could not be decoded, so that an erasure finds it; empty for none."""
    try:
        whole = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    places = [whole]
    if isinstance(whole, dict):
        for member in ("user_identities", "batch"):
            found = whole.get(member)
            places += found if isinstance(found, list) else [found]
    for name in _NAMING:
        for place in places:
            found = place.get(name) if isinstance(place, dict) else None
            if isinstance(found, (str, int)) and not isinstance(found, bool) and found:
                return str(found)
    return ""


def _with_id(operation: Operation, id_: str) -> Operation:
    if isinstance(operation, EventOccurred):
        return msgspec.structs.replace(operation, event=msgspec.structs.replace(operation.event, id=id_))
    return operation


def _row(record: Record, reason: str, column: str = "", *, raw: bytes = b"", path: str = "") -> RefusedRow:
    return RefusedRow(record.row, record.line, reason, column, raw=raw or record.raw, path=path)


def _refused(record: Record, reason: str, column: str = "") -> Taken:
    return Taken(record, refused=[_row(record, reason, column)])
