"""The pass over all customers' data that finds the ids of erased people in them.

There is no index of ids, as there is of addresses: it would cost every write. So all rows are read, a slice
at a time, once for up to a hundred erasures.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from adapter.model import codes
from adapter.model.mentions import texts_in
from adapter.model.removals import IdRemoval
from adapter.rules.history.history import History
from adapter.store.contract import Store
from adapter.store.scanning import Slice, Spot

#: Ids that are looked up in one step.
_IDS = 20
#: Redirects that are remembered; the targets of others are read again.
_REDIRECTS = 500_000
_JSON = (b"{", b"[", b'"')


class Pass:
    """One pass for some ids: first it looks up which of them others have, then it reads all rows.

    Its position is in memory only: after a restart the pass starts again.
    """

    def __init__(self, store: Store, ids: Iterable[str]) -> None:
        self._store = store
        self._unchecked = sorted(ids)
        self._ids: list[str] = []
        self._removal = IdRemoval(())
        self._spot: Spot | None = Spot()
        self._last: str | None = ""
        self._single: Spot | None = None
        self._again: list[str] = []
        self._known: set[int] = set()

    @property
    def done(self) -> bool:
        """Whether everything has been read."""
        return not self._unchecked and (not self._ids or (self._spot is None and self._single is None))

    async def step(self) -> dict[str, set[str]]:
        """Read one slice, and return the ids found, by customer. Raises Unavailable."""
        if self._unchecked:
            await self._check()
            return {}
        spot = self._single or self._spot
        if spot is None:
            return {}
        found = await self._store.scan(spot, self._looks)
        self._follow(spot, found)
        return found.owners

    async def _check(self) -> None:
        """Look up some ids, and search for those that no other customer and no code has."""
        ids, self._unchecked = self._unchecked[-_IDS:], self._unchecked[:-_IDS]
        self._ids += [each for each in ids if not await self._is_taken(each)]
        if not self._unchecked:
            self._removal = IdRemoval(self._ids)

    async def _is_taken(self, name: str) -> bool:
        """Return whether an id is also that of a customer, or a code."""
        if await self._store.customer(name) is not None or await self._store.meant([name]):
            return True
        return bool(await self._store.redemptions("code", codes.folded(name), 1))

    def _follow(self, spot: Spot, found: Slice) -> None:
        """Move on to the next slice; targets of merges that moved rows behind the position are read again."""
        if self._single is not None:
            self._single = found.spot
        else:
            self._spot = found.spot
            if found.spot is not None:
                self._last = found.spot.last if found.spot.table else self._last
        if len(self._known) < _REDIRECTS:
            self._known.update(hash(each) for each in found.joined if each[0] >= spot.first)
        for redirect in found.redirects:
            owner, seen = redirect[1], hash(redirect)
            if seen in self._known:
                self._known.discard(seen)
            elif (self._last is None or owner <= self._last) and owner not in self._again:
                self._again.append(owner)
        if self._single is None and self._again:
            self._single = Spot.only(self._again.pop())

    def _looks(self, table: str, values: Sequence[Any]) -> set[str]:
        """Return the ids (folded) that are to be removed from a row."""
        if table == "customers":
            body, history = values
            return self._in(table, body) | self._in_history(history)
        return {name for value in values for name in self._in(table, value)}

    def _in(self, table: str, value: Any) -> set[str]:
        if isinstance(value, str):
            return self._removal.found_in(value)
        if not isinstance(value, bytes) or not value.startswith(_JSON):
            return set()
        if self._removal.document(value, table) == value:
            return set()
        return self._removal.found_in(texts_in(value))

    def _in_history(self, history: bytes) -> set[str]:
        found: set[str] = set()

        def look(text: str) -> str:
            found.update(self._removal.found_in(text))
            return text

        if history:
            History.decode(history).rewritten(look)
        return found
