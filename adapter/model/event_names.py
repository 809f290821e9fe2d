"""Names of events: their form in snake_case, and how other spellings resolve to it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from hashlib import sha256

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from adapter.model.events import Event
from adapter.model.spelling import spelling

_WORD_STARTS = re.compile(r"(?<=[^\W_A-Z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_BETWEEN_WORDS = re.compile(r"[\W_]+")


@lru_cache(maxsize=4096)
def event_name(sent: str) -> str:
    """Return an event's name in snake_case.

    A capital starts a word after a small letter or a digit, and before a small letter within a run of
    capitals; all other characters separate words. So `Order Completed`, `order-completed` and
    `orderCompleted` are `order_completed`, `FAQRead` is `faq_read`. A name without any letter or digit is
    only trimmed.
    """
    words = _BETWEEN_WORDS.sub("_", _WORD_STARTS.sub("_", sent).lower()).strip("_")
    return words or sent.strip()


class EventNames(Struct, frozen=True):
    """The event names of the mapping files, and the spellings that resolve to them.

    `by_spelling` has each such name by its spelling; names of `kept` are never renamed. `digest` identifies
    the set of names; it is empty where no spelling resolves to a name.
    """

    by_spelling: Mapping[str, str] = {}
    kept: frozenset[str] = frozenset()
    digest: str = ""

    @classmethod
    def of(cls, given: Iterable[tuple[str, str]], kept: Iterable[str]) -> EventNames:
        """Return the names for pairs of a name as sent and the name that a mapping gives it.

        A spelling with two such names resolves to none: events stored under it keep their names.
        """
        by_spelling: dict[str, str] = {}
        for sent, name in given:
            key = spelling(sent)
            by_spelling[key] = name if by_spelling.get(key, name) == name else ""
        by_spelling = {key: name for key, name in by_spelling.items() if name}
        names = frozenset(kept) | frozenset(by_spelling.values())
        content = msgspec.json.encode([sorted(by_spelling.items()), sorted(names)])
        return cls(by_spelling, names, sha256(content).hexdigest()[:16] if by_spelling else "")

    def current(self, name: str) -> str:
        """Return the current name of events with this name."""
        return name if name in self.kept else self.by_spelling.get(spelling(name), name)

    def meant(self, written: str) -> str:
        """Return the current event name for a name in a file, in any spelling."""
        return self.current(event_name(written))

    def renamed(self, event: Event) -> Event:
        """Return an event under its current name."""
        name = self.current(event.name)
        return event if name == event.name else replace(event, name=name)
