"""What happened: recorded events of a store, exported files, or raw payloads through the mappings."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct

from adapter.bulk.compression import decompressed
from adapter.bulk.records import Record
from adapter.errors import MappingError, Refused
from adapter.model.customers import Customer
from adapter.model.encoding import encode
from adapter.model.event_names import EventNames
from adapter.model.events import Event
from adapter.model.imports import ImportJob, ImportOptions
from adapter.model.messages import Message
from adapter.model.operations import EventOccurred
from adapter.model.times import message_time, parse_timestamp
from adapter.services.bulk.reader import Input, opened
from adapter.services.bulk.rows import RowTaker
from adapter.services.ingest.mapper import Mapper, Policy
from adapter.services.ingest.work_item import Work
from adapter.services.loaded_files import LoadedFiles
from adapter.services.simulation.spool import Spool
from adapter.sources.registry import SOURCES, source_of
from adapter.store.contract import Store
from adapter.store.rows import read_event

#: Customers that are read at a time.
_PAGE = 200
#: The source of events that a store has recorded.
RECORDED = "recorded"
#: Members of which a body of a source has one, and an exported event none.
_OF_BODIES = frozenset(("batch", "messageId", "anonymousId", "writeKey", "user_identities"))


class Traffic(Struct):
    """What happened: `works` to be decided in their order, and events `before` the window, to be folded in.

    `customers` are as they are today; where they are `recorded`, traits and segments are not of the time.
    `messages` counts what was read, `ignored` what no mapping takes, `quarantined` what cannot be used.
    """

    works: Spool
    before: Spool
    customers: list[Customer] = []
    recorded: bool = False
    messages: int = 0
    ignored: int = 0
    quarantined: int = 0

    def timed(self) -> Iterator[Work]:
        """Yield the works in the order of time."""
        for at, value in self.works:
            yield value if isinstance(value, Work) else _recorded(at, *value)

    def history(self) -> Iterator[tuple[str, Event]]:
        """Yield the events before the window, with the customer's id."""
        for _, (source_id, body) in self.before:
            yield source_id, read_event(body)


def _recorded(at: datetime, source_id: str, body: bytes) -> Work:
    event = read_event(body)
    return Work(
        RECORDED, "", event.id, at, (EventOccurred(source_id, event),), decided_at=at
    )  # fmt: skip


async def of_store(
    traffic: Traffic, store: Store, since: datetime, until: datetime, names: EventNames
) -> None:
    """Add the recorded events of a store; it may be closed, and in use by a server. Raises Unavailable."""
    traffic.recorded = True
    async for customer, key, events in _histories(store):
        source_id = customer.source_id if customer is not None else key
        if customer is not None:
            traffic.customers.append(customer)
        for event in events:
            if event.occurred_at >= until:
                continue
            spool = traffic.works if event.occurred_at >= since else traffic.before
            traffic.messages += event.occurred_at >= since
            spool.add(event.occurred_at, (source_id, encode(names.renamed(event))))


async def _histories(store: Store) -> AsyncIterator[tuple[Customer | None, str, list[Event]]]:
    after = ""
    while page := await store.customer_histories(after, _PAGE):
        for each in page:
            yield each.customer, each.source_id, each.events
        after = page[-1].source_id


def of_file(
    traffic: Traffic, given: Input, files: LoadedFiles, source: str, *, now: datetime,
    tell: Callable[[str], None],
) -> None:  # fmt: skip
    """Add a file: bodies of a source, or events as they are exported (CSV, JSON lines, Parquet).

    `source` says who sent its bodies; without it, bodies are recognised by their shape. `tell` gets why a row
    is left out. Raises InvalidImport where the file cannot be read at all.
    """
    first = _first(given)
    body = isinstance(first, list) or (isinstance(first, dict) and _is_body(first))
    if source or body:
        sender = source or source_of(first).name
        _bodies(traffic, given, files, sender, now=now, tell=tell)
    else:
        _rows(traffic, given, files, now, tell)


def _first(given: Input) -> Any:
    """Return the first JSON value of a file; None where it has none."""
    head = _head(given)
    for text in (head.splitlines()[0] if head else b"", head):
        try:
            return msgspec.json.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
    return {"batch": []} if head.startswith((b"{\n", b"[")) else None


def _head(given: Input) -> bytes:
    """Return the beginning of a file, decompressed."""
    return next(decompressed(given.chunks()), b"").lstrip()


def _is_body(value: dict[str, Any]) -> bool:
    if not _OF_BODIES.isdisjoint(value):
        return True
    return any(
        source.recognises(value) for source in SOURCES.values() if source is not SOURCES["segment"]
    ) or (isinstance(value.get("type"), str) and "userId" in value)


def _bodies(
    traffic: Traffic, given: Input, files: LoadedFiles, source: str, *, now: datetime,
    tell: Callable[[str], None],
) -> None:  # fmt: skip
    moment = [now]
    mapper = Mapper(files, Policy(), lambda: moment[0])
    for record in _texts(given, source):
        try:
            decoded = SOURCES[source].decode_recorded(record.raw, now)
        except Refused as error:
            tell(f"{given.name}:{record.line}: {error.message}")
            traffic.quarantined += 1
            continue
        traffic.quarantined += len(decoded.quarantined)
        for message in decoded.messages:
            at = moment[0] = time_of(message)
            traffic.messages += 1
            _take(traffic, mapper.works([message])[0], at)


def time_of(message: Message) -> datetime:
    """Return when a message is decided in a simulation: when it was received, else when it happened."""
    received = parse_timestamp(message.document.get("receivedAt"))
    return received or message_time(message.document, message.received_at).at


def _take(traffic: Traffic, work: Work | None, at: datetime) -> None:
    if work is None:
        traffic.ignored += 1
        return
    traffic.quarantined += work.quarantine is not None
    received = min(work.received_at, at)
    traffic.works.add(at, msgspec.structs.replace(work, decided_at=at, received_at=received))


def _texts(given: Input, source: str) -> Iterator[Record]:
    """Yield the bodies of a file: one on each line, or one that stands over several lines."""
    whole = b"".join(decompressed(given.chunks())) if _stands_alone(given) else None
    if whole is not None:
        yield Record(1, 1, raw=whole)
        return
    yield from opened(given, "events", ImportOptions(source=source)).records


def _stands_alone(given: Input) -> bool:
    head = _head(given).split(b"\n", 1)[0].rstrip()
    try:
        msgspec.json.decode(head)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return head[:1] in (b"{", b"[")
    return False


def _rows(
    traffic: Traffic, given: Input, files: LoadedFiles, now: datetime, tell: Callable[[str], None]
) -> None:
    options = ImportOptions(evaluate=True)
    job = ImportJob("simulation", "events", given.name, now, options)
    taker = RowTaker(job, files.mappings)
    source = opened(given, "events", options)
    if source.header:
        taker.columns.take_header(source.header)
    for record in source.records:
        try:
            taken = taker.take(record)
        except MappingError as error:
            tell(f"{given.name}:{record.line}: {error.message}")
            continue
        for refused in taken.refused:
            tell(f"{given.name}:{refused.line}: {refused.reason}")
            traffic.quarantined += 1
        for work in taken.works:
            traffic.messages += 1
            times = [each.event.occurred_at for each in work.operations if isinstance(each, EventOccurred)]
            _take(traffic, msgspec.structs.replace(work, unrewarded=None), min(times, default=now))


def utc(moment: datetime) -> datetime:
    """Return an aware moment in UTC; one without a zone is taken for UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
