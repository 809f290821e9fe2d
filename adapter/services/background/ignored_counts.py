"""Count messages that no mapping takes, by source, type and event name, without personal data.

Counts are kept in memory, which costs the hot path one dictionary look-up, and added to the store every
`interval`. Counts that are not added yet are lost when the process is killed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from adapter.model.ids import is_utf8
from adapter.model.ignored import Ignored
from adapter.model.messages import Message
from adapter.services.background.sweeps import kept_for
from adapter.services.periodic import pause, tried
from adapter.settings.values import Settings
from adapter.store.contract import Store

#: Maximum number of names between two rounds, and in the store; others are counted under an empty name.
MOST_NAMES = 500
#: Longer names are counted under an empty name; so are those that may contain an email address.
_LONGEST = 100
#: Maximum interval between purges of expired names.
_IDLE = timedelta(hours=1)
_Key = tuple[str, str, str]


class IgnoredCounts:
    """Counts ignored messages; a name is kept for `keep` after its last message, without limit if None."""

    def __init__(
        self,
        store: Store,
        clock: Callable[[], datetime],
        keep: timedelta | None,
        interval: timedelta = timedelta(seconds=10),
    ) -> None:
        self._store = store
        self._clock = clock
        self._keep = keep
        self._interval = interval
        self._counted: dict[_Key, Ignored] = {}
        self._added_at: datetime | None = None

    def follow(self, settings: Settings) -> None:
        """Keep names as long as these settings keep decisions."""
        self._keep = kept_for(settings.retention.decision_days)

    def note(self, message: Message) -> None:
        """Count one message."""
        document = message.document
        key = (message.source, _word(document.get("type")), _word(document.get("event")))
        before = self._counted.get(key)
        if before is None and len(self._counted) >= MOST_NAMES:
            key = (message.source, "", "")
            before = self._counted.get(key)
        at = message.received_at
        count, first = (before.count, before.first_at) if before else (0, at)
        self._counted[key] = Ignored(*key, count + 1, first, at)

    async def add(self) -> None:
        """Add the counts to the store, and purge expired names. Raises Unavailable."""
        now = self._clock()
        if not self._counted and self._added_at is not None and now - self._added_at < _IDLE:
            return
        counted, self._counted = self._counted, {}
        try:
            before = None if self._keep is None else now - self._keep
            await self._store.add_ignored(list(counted.values()), MOST_NAMES, before)
        except BaseException:
            self._counted = _summed(counted, self._counted)
            raise
        self._added_at = now

    async def run(self, stop: asyncio.Event) -> None:
        """Add every `interval` until `stop` is set, and then once more."""
        while not stop.is_set():
            await pause(stop, self._interval)
            await tried("count messages that no mapping takes", self.add)


def _word(value: object) -> str:
    fits = isinstance(value, str) and len(value) <= _LONGEST and "@" not in value and is_utf8(value)
    return str(value) if fits else ""


def _summed(before: dict[_Key, Ignored], since: dict[_Key, Ignored]) -> dict[_Key, Ignored]:
    summed = dict(before)
    for key, each in since.items():
        if (first := before.get(key)) is not None:
            summed[key] = Ignored(*key, first.count + each.count, first.first_at, each.last_at)
        elif len(summed) < MOST_NAMES:
            summed[key] = each
    return summed
