"""The names that rules may use, from the shop's data model."""

from __future__ import annotations

from collections.abc import Mapping

from adapter.datamodel.coerce import declared_spellings
from adapter.datamodel.declarations import DataModel, Declared
from adapter.datamodel.types import Type
from adapter.model.event_names import EventNames
from adapter.rules.expressions import Kind, Names

_KINDS: dict[str, Kind] = {
    "string": "text", "number": "number", "boolean": "boolean", "date": "text", "datetime": "text",
    "money": "number", "currency": "text", "object": "object", "any": "any",
}  # fmt: skip
#: What `user.x` has of every customer, besides the traits.
_OF_EVERY_CUSTOMER: dict[str, Kind] = {
    "source_id": "text", "name": "text", "email": "text", "phone": "text", "birthdate": "text",
    "description": "text", "address": "object", "segments": "list",
}  # fmt: skip


def names(model: DataModel) -> Names:
    """Return what conditions may name; dates and moments are text, as in the events that carry them.

    Unless the model quarantines what it does not declare, a name that it does not know is only doubtful,
    save one that is nearly one that it does.
    """
    attributes = {name: {one.type for one in found} for name, found in model.attributes().items()}
    kinds = {name: _kind(found.pop()) for name, found in attributes.items() if len(found) == 1}
    traits = _kinds(model.traits) | _OF_EVERY_CUSTOMER
    context = _kinds(model.context or {})
    spelled = [(name, name) for name in declared_spellings(model.events).values()]
    return Names(
        attributes=frozenset(attributes),
        traits=frozenset(traits),
        context=frozenset(context),
        events=frozenset(model.events),
        dates=_dates(model),
        types=_paths("attributes", kinds) | _paths("traits", traits) | _paths("context", context),
        by_event={name: _kinds(event.attributes) for name, event in model.events.items()},
        elements={name: _elements(event.attributes) for name, event in model.events.items()},
        members={name: _members(event.attributes) for name, event in model.events.items()},
        where=model.file,
        spelled=EventNames.of(spelled, model.events),
        doubts=None if model.unknown == "quarantine" else [],
    )


def _dates(model: DataModel) -> frozenset[str]:
    """Return the paths that are a day alone; of an attribute all events must say so."""
    named: dict[str, Mapping[str, tuple[Declared, ...]]] = {
        "attributes": model.attributes(),
        "traits": {name: (one,) for name, one in model.traits.items()},
        "context": {name: (one,) for name, one in (model.context or {}).items()},
    }
    found = {
        f"{root}.{name}"
        for root, declared in named.items()
        for name, each in declared.items()
        if {str(one.type) for one in each} == {"date"}
    }
    return frozenset({*found, "traits.birthdate"})


def _kinds(declared: Mapping[str, Declared]) -> dict[str, Kind]:
    return {name: _kind(one.type) for name, one in declared.items()}


def _elements(declared: Mapping[str, Declared]) -> dict[str, Kind]:
    """Return the elements of the lists among the declared."""
    return {name: _KINDS[one.type.name] for name, one in declared.items() if one.type.many}


def _members(declared: Mapping[str, Declared]) -> dict[str, dict[str, Kind]]:
    """Return the members of the objects, and of the lists' objects, among the declared."""
    return {name: _kinds(one.of) for name, one in declared.items() if one.of}


def _kind(kind: Type) -> Kind:
    return "list" if kind.many else _KINDS[kind.name]


def _paths(root: str, kinds: Mapping[str, Kind]) -> dict[str, Kind]:
    return {f"{root}.{name}": kind for name, kind in kinds.items()}
