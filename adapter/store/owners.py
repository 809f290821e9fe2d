"""Whose rows are: customers are merged, and some go by another id than the key of their rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from msgspec.structs import replace

from adapter.model.customers import SOURCE_ID
from adapter.model.deliveries import Delivery
from adapter.model.discounts import DiscountRecord
from adapter.model.timers import Timer
from adapter.store.rows import read_customer
from adapter.store.values import Identity

_Owned = TypeVar("_Owned", Delivery, Timer)


def given_to(held: DiscountRecord, owners: Mapping[str, str]) -> DiscountRecord:
    """Return a discount after merges, with its owner and the scopes of its reservations replaced."""
    owner = owners.get(held.source_id, held.source_id)
    claims = tuple(replace(claim, scope=owners.get(claim.scope, claim.scope)) for claim in held.claims)
    return replace(held, source_id=owner, claims=claims)


def own_names(rows: Iterable[tuple[str, bytes]]) -> dict[str, str]:
    """Return, of customers' keys and bodies, the ids that those kept under another id go by."""
    known = {key: read_customer(body).known_as for key, body in rows}
    return {key: name for key, name in known.items() if name}


def owned(found: Iterable[_Owned], names: Mapping[str, str]) -> list[_Owned]:
    """Return what belongs to customers with the ids that they go by, where those are not their keys."""
    return [replace(each, source_id=names.get(each.source_id, each.source_id)) for each in found]


def leading(names: Iterable[Identity], key: str, own: str) -> list[Identity]:
    """Return the names that lead to a customer's own id, where the store has them lead to a key."""
    return [(kind, key if (kind, value) == (SOURCE_ID, own) else value) for kind, value in names]


def final_owners(moved: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return, for merges in their order, where each customer's things end up."""
    owners: dict[str, str] = {}
    for old, new in reversed(moved):
        owners[old] = owners.get(new, new)
    return {old: owner for old, owner in owners.items() if old != owner}
