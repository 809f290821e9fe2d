"""The changes of a customer by facts and merges."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec.structs import replace

from adapter.model.customers import LINKING, Customer
from adapter.model.encoding import encode
from adapter.model.operations import CustomerGroup, CustomerUpsert
from adapter.services.ingest.profile import facts_of_both, merge_facts

#: Bytes of the update time of one fact, without the fact's name: `"segments.":1772366400000,`.
_MOMENT = 28


def of_others(identities: Mapping[str, str], own: str) -> dict[str, str]:
    """Return identities without those that would make a customer anonymous."""
    return {kind: value for kind, value in identities.items() if kind not in LINKING or value != own}


def most_added(facts: CustomerUpsert | CustomerGroup) -> int:
    """Return an upper bound, in bytes, of the growth of a customer by facts, without reading the customer."""
    size = len(encode(facts))
    if isinstance(facts, CustomerGroup):
        return size
    given = (facts.fields, facts.traits, facts.joined_segments)
    taken = (facts.removed_fields, facts.removed_traits, facts.left_segments)
    # The update time of each fact is stored under its name, so no name occurs more than twice.
    return 2 * size + _MOMENT * sum(map(len, (*given, *taken)))


def upserted(customer: Customer, facts: CustomerUpsert, at: datetime | None) -> Customer:
    """Return the customer with facts of a message; `at` is the time of the message."""
    new = merge_facts(customer, facts, at)
    if not facts.identities:
        return new
    own = customer.source_id
    given = facts.identities if customer.anonymous else of_others(facts.identities, own)
    return replace(new, identities=customer.identities | given)


def grouped(customer: Customer, facts: CustomerGroup) -> Customer:
    """Return the customer in a group."""
    merged = customer.groups.get(facts.group_id, {}) | facts.traits
    return replace(customer, groups=customer.groups | {facts.group_id: merged})


def joined_into(older: Customer, into: Customer) -> Customer:
    """Return a customer merged with an `older` one: facts, identities and groups."""
    groups = {
        group_id: older.groups.get(group_id, {}) | into.groups.get(group_id, {})
        for group_id in older.groups | into.groups
    }
    return replace(
        facts_of_both(older, into),
        identities=older.identities | into.identities,
        groups=groups,
    )
