"""What a mapping writes, as far as its file says: events, and traits and attributes by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from adapter.files.problems import Mark
from adapter.mapping.directives import DIRECTIVES, directives_of
from adapter.mapping.files.mapping_file import Mapping
from adapter.mapping.subscriptions.satisfiable import ways
from adapter.model.event_names import event_name
from adapter.model.spelling import spelling

Keys = tuple[str | int, ...]


class Written(Struct, frozen=True):
    """A trait or an attribute that a mapping names outright, the value it gives it, and where."""

    name: str
    value: Any
    at: Mark


class EventNames(Struct, frozen=True):
    """The names of the events that a mapping can record; not `all` when they also come from messages."""

    names: dict[str, Mark]
    all: bool


def traits(mapping: Mapping) -> list[Written]:
    """Return the customer's traits that a mapping names; what it passes on as it came is not among them."""
    return _members(mapping, "traits") if mapping.action == "customer.upsert" else []


def identities(mapping: Mapping) -> list[Written]:
    """Return the kinds of identities that a mapping names."""
    return _members(mapping, "identities")


def attributes(mapping: Mapping) -> list[Written]:
    """Return the event's attributes that a mapping names."""
    return _members(mapping, "attributes") if mapping.action == "event" else []


def passes_on(mapping: Mapping, field: str) -> bool:
    """Say whether a field may hold members that the mapping does not name."""
    return any(
        key[:1] == "@" and (key not in DIRECTIVES or DIRECTIVES[key].parts is None)
        for key in _keys(mapping.fields.get(field))
    )


def event_names(mapping: Mapping) -> EventNames:
    """Return the events that a mapping records: literal names, and those that its look-up tables give."""
    if mapping.action != "event":
        return EventNames({}, all=True)
    names: dict[str, Mark] = {}
    complete = True
    for name, at in _names(mapping, mapping.fields.get("name"), ("name",)):
        if name is None:
            complete = False
        else:
            names.setdefault(event_name(name), at)
    return EventNames(names, complete)


def _members(mapping: Mapping, field: str) -> list[Written]:
    return [
        Written(name, value, mapping.field_mark(*keys))
        for keys, name, value in _named(mapping.fields.get(field), (field,))
    ]


def _named(value: Any, keys: Keys) -> Iterator[tuple[Keys, str, Any]]:
    """Yield the members that an object is given by name, through merges and branches."""
    if not isinstance(value, dict):
        return
    for inner, place in _parts(value, keys):
        yield from _named(inner, place)
    if not any(key[:1] == "@" for key in value):
        for name, member in value.items():
            if not any(directive.removes for directive, _ in directives_of(member)):
                yield (*keys, name), name, member


def _parts(value: dict[str, Any], keys: Keys) -> Iterator[tuple[Any, Keys]]:
    """Yield the alternatives and the merged objects that a directive holds, each with its place."""
    for directive, options in directives_of(value):
        for inner, part in directive.parts(options) if directive.parts else ():
            yield part, (*keys, directive.name, *inner)


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
        for part, _ in _parts(value, ()):
            yield from _keys(part)


def _names(mapping: Mapping, value: Any, keys: Keys) -> Iterator[tuple[str | None, Mark]]:
    """Yield the texts that a value can be; None means any text of a message."""
    if isinstance(value, str):
        yield value, mapping.value_mark(*keys)
        return
    parts = list(_parts(value, keys)) if isinstance(value, dict) else []
    for part, place in parts:
        yield from _names(mapping, part, place)
    directive, options = next(directives_of(value), (None, None))
    if directive and directive.looks_up and isinstance(options, dict) and type(options.get("table")) is str:
        yield from _of_table(mapping, options, (*keys, directive.name))
    elif directive and directive.literal:
        yield from _names(mapping, options, (*keys, directive.name))
    elif not parts:
        yield None, mapping.value_mark(*keys)


def _of_table(mapping: Mapping, lookup: dict[str, Any], keys: Keys) -> Iterator[tuple[str | None, Mark]]:
    table = lookup["table"]
    taken = _events_taken(mapping) if lookup.get("value") == {"@path": "$.event"} else None
    for key, name in mapping.tables.get(table, {}).items():
        if isinstance(name, str) and (taken is None or spelling(key) in taken):
            yield name, mapping.document.mark("tables", table, key)
    if "default" in lookup:
        yield from _names(mapping, lookup["default"], (*keys, "default"))


def _events_taken(mapping: Mapping) -> set[str] | None:
    """Return the spellings of `event` that a mapping subscribes to, None when it may be any."""
    taken: set[str] = set()
    for way in ways(mapping.filter):
        named = [test for test in way if test.field == "event" and test.operator in ("=", "spelled")]
        if not named:
            return None
        taken.update(spelling(str(test.value)) for test in named)
    return taken
