"""Merge the window slots of merged customers; the store only writes the result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from adapter.model.counter_key import ScopedKey
from adapter.model.discounts import DiscountRecord
from adapter.rules.guardrails.window_slots import MARK, Limit, keeping_slots, merged
from adapter.store.transaction_contract import Transaction


class SlotMerges(Struct, frozen=True):
    """The effect of merges on counters.

    `joined` has the merged customers by their target customer. `more` is added to the sum of their counters.
    `rewritten` are their open discounts that release no slot any more.
    """

    joined: Mapping[str, Sequence[str]] = {}
    more: Mapping[ScopedKey, int] = {}
    rewritten: Sequence[DiscountRecord] = ()


async def slot_merges(
    transaction: Transaction, joined: Mapping[str, Sequence[str]], now: datetime
) -> SlotMerges:
    """Return the effect of merges on slots; reads nothing where there are no merges."""
    people = {owner: [owner, *sources] for owner, sources in joined.items() if owner}
    asked = sorted({name for names in people.values() for name in names if name})
    if not asked:
        return SlotMerges(joined)
    slots = await transaction.counters_of(asked, MARK)
    more: dict[ScopedKey, int] = {}
    limits: dict[str, frozenset[Limit]] = {}
    for owner, names in people.items():
        held = [slots[name] for name in names if name in slots]
        found = merged(held, int(now.timestamp())) if len(held) > 1 else None
        if found is not None and found.limits:
            more |= {(owner, key): n for key, n in found.more.items()}
            limits |= dict.fromkeys(names, found.limits)
    return SlotMerges(joined, more, await _without_slots(transaction, limits))


async def _without_slots(
    transaction: Transaction, limits: Mapping[str, frozenset[Limit]]
) -> list[DiscountRecord]:
    """Return the open discounts that change, by customers whose limits were reassigned."""
    held = await transaction.open_discounts(sorted(limits)) if limits else []
    kept = [keeping_slots(each, limits[each.source_id]) for each in held]
    return [new for new, old in zip(kept, held, strict=True) if new is not old]
