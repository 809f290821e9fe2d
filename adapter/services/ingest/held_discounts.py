"""The discounts that a batch concerns, as each step leaves them: by code in any spelling, and by customer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

from adapter.errors import NotFound
from adapter.model.codes import folded, resolve
from adapter.model.discounts import DiscountRecord


class HeldDiscounts:
    """`by_code` has all of them, by the exact code; those a customer can still use are found by the id."""

    def __init__(self) -> None:
        self.by_code: dict[str, DiscountRecord] = {}
        self._spellings: defaultdict[str, set[str]] | None = None
        self._usable: defaultdict[str, dict[str, DiscountRecord]] = defaultdict(dict)

    def usable(self, owner: str) -> Collection[DiscountRecord]:
        """Return the discounts of a customer that are issued or applied, by their current id."""
        return self._usable[owner].values()

    def find(self, code: str) -> DiscountRecord:
        """Return the discount with a code in any spelling; raises NotFound."""
        exact = self.by_code.get(code)
        if exact is not None:
            return exact
        if self._spellings is None:
            self._spellings = defaultdict(set)
            for known in self.by_code:
                self._spellings[folded(known)].add(known)
        alike = {spelled: self.by_code[spelled] for spelled in self._spellings.get(folded(code), ())}
        held = resolve(code, alike)
        if held is None:
            raise NotFound(f"no discount `{code}` was issued here")
        return held

    def put(self, held: DiscountRecord, now: datetime) -> None:
        """Take a discount as it is now, in the place of what was known under its code."""
        self.by_code[held.discount.code] = held
        if self._spellings is not None:
            self._spellings[folded(held.discount.code)].add(held.discount.code)
        live = self._usable[held.source_id]
        if held.status_at(now) in ("issued", "applied"):
            live[held.discount.code] = held
        else:
            live.pop(held.discount.code, None)
