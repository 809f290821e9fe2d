"""A message as lists show it, and the id by which it is found again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from hashlib import blake2b
from typing import Final, Literal

from msgspec import Struct

from adapter.errors import NotFound
from adapter.model.emails import normal
from adapter.model.journal import JournalEntry, JournalOutcome
from adapter.services.arrivals.filters import Arrived
from adapter.store.contract import Store

_ID: Final = re.compile(r"(\d{1,18})-(\d{1,6})-([0-9a-f]{8})")
_GONE: Final = "this message is not in the journal: it is too old, or it was removed by an erasure"


class PersonName(Struct, frozen=True):
    """An id of a person, or an email address: what is masked is found by the kind."""

    kind: Literal["id", "email"]
    value: str


class ListedMessage(Struct, frozen=True):
    """A message without its document. `customer` is the first id that it has, `names` counts them all."""

    id: str
    received_at: datetime
    source: str
    outcome: JournalOutcome
    reason: str
    type: str
    event: str
    message_id: str
    customer: PersonName | None
    names: int
    rules: tuple[str, ...]
    replayed: bool


def listed(arrived: Arrived) -> ListedMessage:
    """Return a message as lists show it."""
    entry, (kind, event) = arrived.entry, arrived.named()
    return ListedMessage(
        id_of(arrived), entry.received_at, entry.source, entry.outcome, entry.reason, kind, event,
        entry.message_id, next(people(entry.names), None), len(entry.names), entry.rules, entry.replayed,
    )  # fmt: skip


def people(names: Iterable[str]) -> Iterator[PersonName]:
    """Yield names of people with their kind."""
    return (PersonName("email" if normal(name) is not None else "id", name) for name in names)


def id_of(arrived: Arrived) -> str:
    """Return the id of a message: its row and place, and a digest, because erasures move places."""
    return f"{arrived.number}-{arrived.place}-{_digest(arrived.entry)}"


async def message_at(store: Store, id_: str) -> Arrived:
    """Return the message of an id; raises NotFound where it is gone, or Unavailable."""
    match = _ID.fullmatch(id_)
    if match is None:
        raise NotFound(_GONE)
    number, place = int(match[1]), int(match[2])
    for row in await store.fresh_journal(number - 1, (), 1):
        entries = row.entries() if row.number == number else []
        near = sorted(range(len(entries)), key=lambda at: abs(at - place))
        for at in near:
            if _digest(entries[at]) == match[3]:
                return Arrived(number, at, entries[at])
    raise NotFound(_GONE)


def _digest(entry: JournalEntry) -> str:
    named = f"{entry.source}\0{entry.key}\0{entry.message_id}\0{entry.received_at.timestamp():.6f}"
    return blake2b(named.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()
