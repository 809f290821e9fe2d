"""Merge facts into a customer's profile: the last write wins by the time of the message.

CDPs guarantee no order: failed messages are sent again hours later, and a phone sends once it has a network.
So each fact stores its update time; older updates are ignored. A removed fact keeps its time, so that an
older message does not restore it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from adapter.model.customers import FIELDS, Customer
from adapter.model.operations import CustomerUpsert

#: The traits that form a name, in order.
_ORDER = ("first_name", "last_name")
_PARTS = frozenset(_ORDER)
#: Before any time.
_NEVER = -(2**63)
#: Prefixes of the names of traits and segments among the update times.
_TRAITS, _SEGMENTS = "traits.", "segments."


def merge_facts(customer: Customer, facts: CustomerUpsert, at: datetime | None) -> Customer:
    """Return the customer with the facts of a message at a time, without its identities; later facts win.

    Facts without a time count as the latest. The name is formed from the traits first_name and last_name
    where a message has one of them and no name.
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
    new = replace(customer, **changes, told_at=times)
    return new if _PARTS.isdisjoint(facts.traits) and not _names_name(facts) else _named(new)


def _names_name(facts: CustomerUpsert) -> bool:
    return "name" in facts.fields or "name" in facts.removed_fields


def _named(customer: Customer) -> Customer:
    """Return the customer with a name formed from the traits first_name and last_name, where it has none.

    It has no update time of its own, so that the name does not depend on the order of the facts. A name that
    was sent is kept unless both parts are known and a later one contradicts it: a first name alone does not
    shorten it, and it may contain a middle name.
    """
    if _PARTS.isdisjoint(customer.traits):
        return customer
    parts = {name: str(customer.traits.get(name) or "").strip() for name in _ORDER}
    first, last = parts.values()
    times, known = customer.told_at, customer.name
    made = f"{first} {last}".strip()
    if not made or made == known:
        return customer
    said_at = times.get("name", _NEVER)
    parts_at = max(times.get(_trait(name), _NEVER) for name in _ORDER if parts[name])
    if known is None:
        keep = parts_at < said_at  # it was removed since
    elif first and last and known in (first, last):
        keep = False  # it is only a part
    else:
        newer = (times.get(_trait(name), _NEVER) > said_at for name in _ORDER)
        in_place = (known.startswith(f"{first} "), known.endswith(f" {last}"))
        contradicted = any(later and not held for later, held in zip(newer, in_place, strict=True))
        keep = "name" in times and not (first and last and contradicted)
    return customer if keep else replace(customer, name=made)


def facts_of_both(older: Customer, into: Customer) -> Customer:
    """Return a customer with the facts of another too: of each fact the latest, removals included.

    Where the update times are unknown, the customer's own fact wins if it exists.
    """
    both = older.told_at.keys() & into.told_at.keys()
    later = {name: older.told_at[name] for name in both if older.told_at[name] > into.told_at[name]}
    fields = {
        name: getattr(older, name)
        for name in FIELDS
        if name in later or (getattr(into, name) is None and name not in into.told_at)
    }
    traits = older.traits | into.traits
    for name in _absent(_TRAITS, older.traits, into.traits, into.told_at.keys(), later.keys()):
        traits.pop(name, None)
    traits |= {name: older.traits[name] for name in _of(_TRAITS, later) if name in older.traits}
    left = _absent(_SEGMENTS, older.segments, into.segments, into.told_at.keys(), later.keys())
    segments = {*older.segments, *into.segments}.difference(left)
    told_at = older.told_at | into.told_at | later
    return _named(replace(into, **fields, traits=traits, segments=tuple(sorted(segments)), told_at=told_at))


def _absent(
    kind: str,
    older: Collection[str],
    into: Collection[str],
    updated: Collection[str],
    later: Collection[str],
) -> list[str]:
    """Return the facts that one of two customers has, and the one with the later update has not."""
    theirs, ours = set(older), set(into)
    gone = [name for name in theirs - ours if kind + name in updated and kind + name not in later]
    return gone + [name for name in _of(kind, later) if name not in theirs]


def _of(kind: str, names: Iterable[str]) -> list[str]:
    return [name.removeprefix(kind) for name in names if name.startswith(kind)]


def _without(customer: Customer, names: Sequence[str]) -> dict[str, Any]:
    """Return the fields that change when these fields, or parts of them, are removed."""
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
    names = [name for name in facts.fields if name in FIELDS]
    if facts.removed_fields:
        names += [field for field in map(_field, facts.removed_fields) if field in FIELDS]
    for prefix, some in (
        (_TRAITS, facts.traits),
        (_TRAITS, facts.removed_traits),
        (_SEGMENTS, facts.joined_segments),
        (_SEGMENTS, facts.left_segments),
    ):
        if some:
            names += [prefix + name for name in some]
    return names


def _current(facts: CustomerUpsert, times: dict[str, int], moment: int) -> CustomerUpsert:
    """Return the facts without a later update."""

    def is_current(name: str) -> bool:
        return times.get(name, moment) <= moment

    return replace(
        facts,
        fields={name: value for name, value in facts.fields.items() if is_current(name)},
        traits={name: value for name, value in facts.traits.items() if is_current(_trait(name))},
        removed_fields=tuple(name for name in facts.removed_fields if is_current(_field(name))),
        removed_traits=tuple(name for name in facts.removed_traits if is_current(_trait(name))),
        joined_segments=tuple(name for name in facts.joined_segments if is_current(_segment(name))),
        left_segments=tuple(name for name in facts.left_segments if is_current(_segment(name))),
    )


def _field(name: str) -> str:
    """Return the field that a name, or the name of a part, belongs to."""
    return name.partition(".")[0]


def _trait(name: str) -> str:
    return _TRAITS + name


def _segment(name: str) -> str:
    return _SEGMENTS + name
