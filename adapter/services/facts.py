"""Facts about a customer, the latest of which stands, whatever the order in which they arrive.

CDPs promise no order: what failed is sent again hours later, and a phone sends once it has a network. So a
customer remembers when each fact was told, and one told before what stands is passed over. A fact that was
removed leaves its time behind, so that an older message does not bring it back.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from adapter.model.customers import FIELDS, Customer
from adapter.model.operations import CustomerUpsert


def told(customer: Customer, facts: CustomerUpsert, at: datetime | None) -> Customer:
    """Return the customer by facts told at a moment, identities apart; what was told later stands.

    Facts without a moment count as the latest there are.
    """
    times = customer.told_at
    if at is not None:
        moment = int(at.timestamp() * 1000)
        if times and moment < max(times.values()):
            facts = _current(facts, times, moment)
        times = times | dict.fromkeys(_names(facts), moment)
    changes = _without(customer, facts.removed_fields)
    changes |= {name: value for name, value in facts.fields.items() if name in FIELDS}
    if facts.traits or facts.removed_traits:
        kept = {name: value for name, value in customer.traits.items() if name not in facts.removed_traits}
        changes["traits"] = kept | facts.traits
    if facts.joined_segments or facts.left_segments:
        stay = set(customer.segments).union(facts.joined_segments).difference(facts.left_segments)
        changes["segments"] = tuple(sorted(stay))
    return replace(customer, **changes, told_at=times)


def facts_of_both(older: Customer, into: Customer) -> Customer:
    """Return a customer with the facts of another too: of each, what was told last, its absence included."""

    def side(name: str, *, known: bool) -> Customer:
        """Return whose fact stands; where no times tell, that of the customer if they have it."""
        theirs, ours = older.told_at.get(name), into.told_at.get(name)
        if theirs is not None and ours is not None:
            return older if theirs > ours else into
        return into if known or ours is not None else older

    fields = {name: getattr(side(name, known=getattr(into, name) is not None), name) for name in FIELDS}
    traits = {
        name: stands.traits[name]
        for name in older.traits | into.traits
        if name in (stands := side(_trait(name), known=name in into.traits)).traits
    }
    segments = [
        name
        for name in {*older.segments, *into.segments}
        if name in side(_segment(name), known=name in into.segments).segments
    ]
    latest = older.told_at | into.told_at
    told_at = {name: max(at, older.told_at.get(name, at)) for name, at in latest.items()}
    return replace(into, **fields, traits=traits, segments=tuple(sorted(segments)), told_at=told_at)


def _without(customer: Customer, names: Sequence[str]) -> dict[str, Any]:
    """Return the fields that change when these, or parts of them, go."""
    changes: dict[str, Any] = {}
    for name in names:
        field, _, part = name.partition(".")
        if part and field == "address":
            whole = changes.get(field, customer.address) or {}
            changes[field] = {key: value for key, value in whole.items() if key != part} or None
        elif name in FIELDS:
            changes[name] = None
    return changes


def _names(facts: CustomerUpsert) -> list[str]:
    return [
        *(name for name in facts.fields if name in FIELDS),
        *(field for field in map(_field, facts.removed_fields) if field in FIELDS),
        *(_trait(name) for name in facts.traits),
        *(_trait(name) for name in facts.removed_traits),
        *(_segment(name) for name in facts.joined_segments),
        *(_segment(name) for name in facts.left_segments),
    ]


def _current(facts: CustomerUpsert, times: dict[str, int], moment: int) -> CustomerUpsert:
    """Return those facts of which nothing later is known."""

    def stands(name: str) -> bool:
        return times.get(name, moment) <= moment

    return replace(
        facts,
        fields={name: value for name, value in facts.fields.items() if stands(name)},
        traits={name: value for name, value in facts.traits.items() if stands(_trait(name))},
        removed_fields=tuple(name for name in facts.removed_fields if stands(_field(name))),
        removed_traits=tuple(name for name in facts.removed_traits if stands(_trait(name))),
        joined_segments=tuple(name for name in facts.joined_segments if stands(_segment(name))),
        left_segments=tuple(name for name in facts.left_segments if stands(_segment(name))),
    )


def _field(name: str) -> str:
    """Return the field that a name, or the name of a part, belongs to."""
    return name.partition(".")[0]


def _trait(name: str) -> str:
    return f"traits.{name}"


def _segment(name: str) -> str:
    return f"segments.{name}"
