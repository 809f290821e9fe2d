"""Search the journal backwards, a page at a time; no search reads more than a bounded part of it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from msgspec import Struct

from adapter.errors import Unavailable, Unreadable
from adapter.model.emails import normal
from adapter.model.journal import JournalRow
from adapter.model.sources import SOURCES
from adapter.services.arrivals.filters import Arrived, KnownPeople, MessageFilter
from adapter.services.arrivals.listed import ListedMessage, listed
from adapter.services.read_timeout import ReadTimeout
from adapter.store.contract import Store
from adapter.store.erasures import meant

#: What one search reads at most: rows, messages in them, and their compressed bytes.
MOST_ROWS: Final = 1_000
MOST_MESSAGES: Final = 10_000
MOST_BYTES: Final = 8_000_000
#: Rows of the first and of further reads.
_FIRST, _FURTHER = 20, 100
#: Customers with one email address that are searched for.
_MOST_CUSTOMERS: Final = 5
#: A row begins with its oldest message; later ones of it were received up to so much later.
_WITHIN_ROW: Final = timedelta(seconds=30)
_CURSOR: Final = re.compile(r"(\d{1,18})-(\d{1,6})")

_TYPES: Final = {name: each.types for name, each in SOURCES.items()}

#: Reads rows with a number below the first argument (None: all), the latest first, no more than the second.
Rows = Callable[[int | None, int], Awaitable[list[JournalRow]]]


class FoundMessages(Struct, frozen=True):
    """A page of messages, the latest first; `next` continues it.

    `searched_back_to` is when the oldest message was received that was looked at. `complete` says that the
    search has come to the end of what is kept, or to the moment that the filter says. `newest` is the number
    of the newest row, from which the list can be followed.
    """

    messages: list[ListedMessage]
    next: str = ""
    searched_back_to: datetime | None = None
    complete: bool = False
    newest: int = 0


class Search:
    """Finds messages; `patience` bounds each read. Raises Unavailable."""

    def __init__(self, store: Store, patience: ReadTimeout) -> None:
        self._store = store
        self._patience = patience

    async def page(self, wanted: MessageFilter, before: str = "", limit: int = 50) -> FoundMessages:
        """Return a page of messages behind a cursor; raises Unreadable for another text."""
        number, place = _cursor(before)
        read = self._patience.read
        newest = 0
        if number is None:
            latest = await read(self._store.latest_journal(limit=1))
            newest = latest[0].number if latest else 0
        known = await read(known_people(self._store, wanted))
        for rows in await self._sources(wanted, known):
            found = await self._collected(_Collector(wanted, known, limit, number, place), rows)
            # A page goes on where the one before was read from: in the first of them that is not exhausted.
            if found.messages or (number is not None and not found.complete):
                break
        return found.page(newest)

    async def _collected(self, found: _Collector, rows: Rows) -> _Collector:
        before = None if found.number is None else found.number + 1
        size = _FIRST
        while not found.over:
            some = await self._patience.read(rows(before, size))
            # Many messages of one row are decoded: other requests go on meanwhile.
            await asyncio.to_thread(found.take, some)
            if len(some) < size:
                found.complete = not found.full
                break
            before, size = some[-1].number, _FURTHER
        return found

    async def _sources(self, wanted: MessageFilter, known: KnownPeople) -> list[Rows]:
        """Return what reads the rows in which wanted messages may stand, the best first."""
        of_message = wanted.message or wanted.word
        found = [await self._around(of_message)] if of_message else []
        if named := (wanted.customer or wanted.email or wanted.word):
            found.append(partial(self._of, (named, *known.customers.get(named, ()))))
        if named and (wanted.customer or wanted.email):
            return [each for each in found if each is not None]
        return [*(each for each in found if each is not None), self._store.latest_journal]

    async def _of(self, names: Sequence[str], before: int | None, limit: int) -> list[JournalRow]:
        found: dict[int, JournalRow] = {}
        for name in names:
            found |= {row.number: row for row in await self._store.latest_journal_of(name, before, limit)}
        return [found[number] for number in sorted(found, reverse=True)[:limit]]

    async def _around(self, message_id: str) -> Rows | None:
        """Return what reads the rows of the time when a message was committed; None where none was."""
        keys = [(source, f"{message_id}:{kind}") for source, types in _TYPES.items() for kind in types]
        seen = await self._patience.read(self._store.first_seen(keys))
        return Window(self._store, seen[0] - _WITHIN_ROW, seen[-1]).rows if seen else None


class Window:
    """Reads the rows that began between two moments."""

    def __init__(self, store: Store, since: datetime, until: datetime) -> None:
        self._store = store
        self._since = since
        self._until = until
        self._found: list[JournalRow] | None = None

    async def rows(self, before: int | None, limit: int) -> list[JournalRow]:
        """Return rows below a number, the latest first."""
        if self._found is None:
            self._found = await self._read()
        return [row for row in self._found if before is None or row.number < before][:limit]

    async def _read(self) -> list[JournalRow]:
        found: list[JournalRow] = []
        after = 0
        while len(found) < MOST_ROWS:
            some = await self._store.journal(after, _FURTHER, self._since)
            found += [row for row in some if row.at <= self._until]
            if len(some) < _FURTHER or some[-1].at > self._until:
                break
            after = some[-1].number
        return found[::-1]


class _Collector:
    """Collects a page from rows, and says when it is full or enough was read.

    It begins at the row `number` before the message at `place`; without a number at the latest.
    """

    def __init__(
        self, wanted: MessageFilter, known: KnownPeople, limit: int, number: int | None, place: int
    ) -> None:
        self.messages: list[ListedMessage] = []
        self.number = number
        self.complete = False
        self._wanted = wanted
        self._known = known
        self._limit = limit
        self._place = place
        self._last: tuple[int, int] | None = None
        self._back_to: datetime | None = None
        self._rows = self._read = self._bytes = 0

    @property
    def full(self) -> bool:
        """Whether no more messages go into the page, or no more may be read."""
        enough = self._rows >= MOST_ROWS or self._read >= MOST_MESSAGES or self._bytes >= MOST_BYTES
        return enough or len(self.messages) >= self._limit

    @property
    def over(self) -> bool:
        """Whether no more rows are needed."""
        return self.full or self.complete

    def take(self, rows: Sequence[JournalRow]) -> None:
        """Look at rows, the latest first, until the page is full."""
        for row in rows:
            if self.over:
                return
            if self._wanted.since is not None and row.at < self._wanted.since - _WITHIN_ROW:
                self.complete = True
                return
            self._take(row)

    def _take(self, row: JournalRow) -> None:
        entries = row.entries()
        self._rows, self._bytes = self._rows + 1, self._bytes + len(row.data)
        upto = min(self._place, len(entries)) if row.number == self.number else len(entries)
        for at in range(upto - 1, -1, -1):
            arrived = Arrived(row.number, at, entries[at])
            self._read += 1
            self._last, self._back_to = (row.number, at), arrived.entry.received_at
            if self._wanted.takes(arrived, self._known):
                self.messages.append(listed(arrived))
                if len(self.messages) >= self._limit:
                    return

    def page(self, newest: int) -> FoundMessages:
        """Return the page."""
        following = "" if self.complete or self._last is None else f"{self._last[0]}-{self._last[1]}"
        return FoundMessages(self.messages, following, self._back_to, self.complete, newest)


def _cursor(text: str) -> tuple[int | None, int]:
    """Return the row and the place at which a page begins."""
    if not text:
        return None, 0
    match = _CURSOR.fullmatch(text)
    if match is None:
        raise Unreadable("`before` is the `next` of the page before, as it was given")
    return int(match[1]), int(match[2])


async def known_people(store: Store, wanted: MessageFilter) -> KnownPeople:
    """Return all names of the people whom a filter asks for. Raises Unavailable."""
    names: dict[str, frozenset[str]] = {}
    customers: dict[str, tuple[str, ...]] = {}
    for person in wanted.people:
        address = normal(person)
        ids = [person] if address is None else await _addressed(store, address)
        own = {person} if address is None else {person, address}
        for id_ in ids:
            customer = await store.customer(id_)
            own |= meant({id_}, customer, ())
            own |= set(customer.merged) if customer is not None else set()
        names[person], customers[person] = frozenset(own), tuple(ids)
    return KnownPeople(names, customers)


async def _addressed(store: Store, address: str) -> list[str]:
    """Return customers with an address; none while addresses of some are not indexed yet."""
    try:
        return await store.addressed(address, limit=_MOST_CUSTOMERS)
    except Unavailable:
        return []
