"""What facts and merges make of a customer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec.structs import replace

from adapter.model.customers import LINKING, Customer
from adapter.model.encoding import encode
from adapter.model.operations import CustomerGroup, CustomerUpsert
from adapter.services.ingest.profile import facts_of_both, told

#: What the moment of one fact takes beside the fact's name, in bytes: `"segments.":1772366400000,`.
_MOMENT = 28


def of_others(identities: Mapping[str, str], own: str) -> dict[str, str]:
    """Return identities without those that would make a customer anonymous."""
    return {kind: value for kind, value in identities.items() if kind not in LINKING or value != own}


def most_added(facts: CustomerUpsert | CustomerGroup) -> int:
    """Return the most bytes by which facts can make a customer grow, without looking at the customer."""
    size = len(encode(facts))
    if isinstance(facts, CustomerGroup):
        return size
    given = (facts.fields, facts.traits, facts.joined_segments)
    taken = (facts.removed_fields, facts.removed_traits, facts.left_segments)
    # The moment of each fact is kept under the fact's name: no name stands more than twice.
    return 2 * size + _MOMENT * sum(map(len, (*given, *taken)))


def upserted(customer: Customer, facts: CustomerUpsert, at: datetime | None) -> Customer:
    """Return the customer with facts that were told at a moment."""
    new = told(customer, facts, at)
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
    """Return a customer with all that another is known by."""
    groups = {
        group_id: older.groups.get(group_id, {}) | into.groups.get(group_id, {})
        for group_id in older.groups | into.groups
    }
    return replace(
        facts_of_both(older, into),
        identities=older.identities | into.identities,
        groups=groups,
    )
