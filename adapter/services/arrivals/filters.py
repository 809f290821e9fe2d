"""Filters of messages, and the part of a message that they and lists look at."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import Struct

from adapter.model.emails import normal
from adapter.model.journal import JournalEntry
from adapter.model.spelling import spelling


class _Head(Struct):
    type: Any = None
    event: Any = None


_HEAD: Final = msgspec.json.Decoder(_Head)


class Arrived:
    """A message of the journal with its place: the row's `number`, and the `place` in it from 0.

    What its document says is read once, and only where somebody asks.
    """

    __slots__ = ("_head", "entry", "number", "place")

    def __init__(self, number: int, place: int, entry: JournalEntry) -> None:
        self.number = number
        self.place = place
        self.entry = entry
        self._head: tuple[str, str] | None = None

    def named(self) -> tuple[str, str]:
        """Return the type of a message and the name of its event, empty where it has none."""
        if self._head is None:
            self._head = head_of(self.entry)
        return self._head


def head_of(entry: JournalEntry) -> tuple[str, str]:
    """Return the type of a message and the name of its event, empty where it has none."""
    try:
        head = _HEAD.decode(entry.document)
    except (msgspec.DecodeError, RecursionError):
        return "", ""
    return _text(head.type), _text(head.event)


def _text(value: Any) -> str:
    return str(value) if value else ""


class MessageFilter(Struct, frozen=True, kw_only=True):
    """Which messages are wanted: those for which all that is given holds.

    `events` are in their spelling, `email` is in its normal form, `reason` in lower case. `word` is the id of
    a message or a customer, or an address.
    """

    sources: frozenset[str] = frozenset()
    types: frozenset[str] = frozenset()
    events: frozenset[str] = frozenset()
    outcomes: frozenset[str] = frozenset()
    rules: frozenset[str] = frozenset()
    customer: str = ""
    email: str = ""
    message: str = ""
    reason: str = ""
    word: str = ""
    since: datetime | None = None

    @property
    def people(self) -> tuple[str, ...]:
        """What may name a person: such messages are found by an index."""
        return tuple(each for each in (self.customer, self.email, self.word) if each)

    @property
    def everything(self) -> bool:
        """Whether every message is wanted."""
        return self == _EVERYTHING

    def takes(self, arrived: Arrived, known: KnownPeople) -> bool:
        """Return whether a message is wanted; `known` has the names of the people that are asked for."""
        entry = arrived.entry
        return (
            (not self.sources or entry.source in self.sources)
            and (not self.outcomes or entry.outcome in self.outcomes)
            and (self.since is None or entry.received_at >= self.since)
            and (not self.rules or not self.rules.isdisjoint(entry.rules))
            and (not self.message or self.message in (entry.message_id, entry.key))
            and (not self.reason or self.reason in entry.reason.casefold())
            and (not self.customer or known.has(self.customer, entry.names))
            and (not self.email or known.has(self.email, entry.names))
            and (not self.word or self._is_word(entry, known))
            and (not self.types or arrived.named()[0] in self.types)
            and (not self.events or spelling(arrived.named()[1]) in self.events)
        )

    def _is_word(self, entry: JournalEntry, known: KnownPeople) -> bool:
        return self.word in (entry.message_id, entry.key) or known.has(self.word, entry.names)


_EVERYTHING: Final = MessageFilter()


class KnownPeople(Struct, frozen=True):
    """All names of the people whom a filter asks for, by what it says of them.

    `customers` has the ids of customers with an address.
    """

    names: dict[str, frozenset[str]] = {}
    customers: dict[str, tuple[str, ...]] = {}

    def has(self, person: str, names: Collection[str]) -> bool:
        """Return whether one of a message's names is one of a person's."""
        own = self.names.get(person)
        return not own.isdisjoint(names) if own else person in names or normal(person) in names


#: Without known people, names are compared as they are.
NO_PEOPLE: Final = KnownPeople()
