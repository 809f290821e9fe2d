"""The presets of a Segment destination (`metadata.json` of action-destinations) as entries of a mapping file.

A preset says what its destination is sent; here the same paths fill the fields of our actions: those of a
customer or an event that have the name, and all others as traits or attributes. What cannot be taken over is
in the notes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec import Struct

from adapter.mapping import subscriptions
from adapter.mapping.actions.actions import ACTIONS
from adapter.mapping.engine.errors import SubscriptionError
from adapter.mapping.engine.interpret import ROOT_DIRECTIVE
from adapter.mapping.files.fields import problems
from adapter.mapping.subscriptions import Condition, Group

#: What destinations call the key of a customer, and the name of an event.
_IDS: Final = ("source_id", "userId", "user_id", "external_id", "externalId", "customer_id")
_NAMES: Final = ("event", "event_name", "eventName", "name")
_EVENTS: Final = ("track", "page", "screen")
_BY_TYPE: Final = {
    "identify": "customer.upsert",
    "group": "customer.group",
    **dict.fromkeys(_EVENTS, "event"),
}
_REST: Final = {"customer.upsert": "traits", "customer.group": "traits", "event": "attributes"}


class Presets(Struct, frozen=True):
    """The content of a mapping file, and a line for all that is not in it."""

    file: dict[str, Any]
    notes: tuple[str, ...]


class NoPresets(ValueError):
    """The document has no presets."""


def import_presets(document: Any) -> Presets:
    """Return the presets of a destination's `metadata.json` as a mapping file; raises NoPresets."""
    presets = document.get("presets") if isinstance(document, dict) else None
    if not isinstance(presets, list) or not presets:
        raise NoPresets("has no `presets`, as a destination's metadata.json has")
    notes: list[str] = []
    entries: dict[str, dict[str, Any]] = {}
    for preset in presets:
        entry = _entry(preset, notes) if isinstance(preset, dict) else None
        if entry is not None:
            name = _unused(entry["name"], entries)
            entries[name] = {**entry, "name": name}
    return Presets({"source": "segment", "mappings": [*entries.values()]}, tuple(notes))


def _unused(name: str, taken: Mapping[str, Any]) -> str:
    return next(
        each for each in (name, *(f"{name} {at}" for at in range(2, len(taken) + 3))) if each not in taken
    )


def _entry(preset: dict[str, Any], notes: list[str]) -> dict[str, Any] | None:
    name = str(preset.get("name") or preset.get("partnerAction") or "Preset")
    subscribe, given = preset.get("subscribe"), preset.get("mapping")
    if not isinstance(subscribe, str) or not isinstance(given, dict):
        notes.append(f"{name}: left out: it has no subscription or no mapping")
        return None
    try:
        types = {*_types(subscriptions.parse(subscribe))}
    except SubscriptionError as error:
        notes.append(f"{name}: left out: `subscribe`: {error}")
        return None
    actions = {_BY_TYPE.get(kind, "") for kind in types}
    if len(actions) != 1 or "" in actions:
        notes.append(
            f"{name}: left out: no action takes messages of type {' and '.join(sorted(types)) or 'any'}"
        )
        return None
    action = actions.pop()
    return {
        "name": name,
        "subscribe": subscribe,
        "action": action,
        "fields": _fields(name, action, given, notes),
    }


def _types(ast: Group | Condition) -> Iterator[str]:
    """Yield the types of messages that a subscription names."""
    if isinstance(ast, Group):
        for child in ast.children:
            yield from _types(child)
    elif ast.field == "type" and ast.operator == "=":
        yield str(ast.value)


def _fields(name: str, action: str, given: dict[str, Any], notes: list[str]) -> dict[str, Any]:
    left = _sound(name, given, notes)
    _flatten_customer(left)
    own = {field.name for field in ACTIONS[action].fields} - {"traits", "attributes", "context", "id"}
    fields: dict[str, Any] = {"source_id": _taken(left, _IDS, {"@path": "$.userId"})}
    if action == "event":
        fields["name"] = _taken(left, _NAMES, {"@path": "$.event"})
        own = {"email"}
    elif action == "customer.group":
        fields["group_id"] = _taken(left, ("group_id", "groupId"), {"@path": "$.groupId"})
    fields |= {field: left.pop(field) for field in [*left] if field in own}
    rest = _REST[action]
    whole = left.pop(rest, None)
    if whole is not None and not left:
        return {**fields, rest: whole}
    if whole is not None:
        left = {"@merge": {"direction": "right", "objects": [whole, left]}}
    return {**fields, rest: left} if left else fields


def _flatten_customer(left: dict[str, Any]) -> None:
    """Put the ids and the email address of a `customer` object beside it, as our actions have them."""
    customer = left.get("customer")
    if type(customer) is not dict or any(key[:1] == "@" for key in customer):
        return
    moved = {key for key in customer if key in (*_IDS, "email") and key not in left}
    rest = {key: value for key, value in customer.items() if key not in moved}
    left |= {key: customer[key] for key in moved}
    del left["customer"]
    if rest:
        left["customer"] = rest


def _taken(left: dict[str, Any], names: tuple[str, ...], default: Any) -> Any:
    """Take the first of the fields that is there, else the default."""
    return next((left.pop(name) for name in names if name in left), default)


def _sound(name: str, given: dict[str, Any], notes: list[str]) -> dict[str, Any]:
    """Return the fields that our files may have; reports the others."""
    sound: dict[str, Any] = {}
    for field, value in given.items():
        if field == ROOT_DIRECTIVE or field[:1] == "@":
            notes.append(f"{name}: `{field}` is left out: fields that read its result need it")
            continue
        found = problems({field: value})
        if found:
            notes.append(f"{name}: the field `{field}` is left out: {found[0][1]}")
        else:
            sound[field] = value
    return sound
