"""Propose a data model from recorded messages: for each name the narrowest type of all its values."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

from adapter.datamodel.declarations import DataModel, Declared, DeclaredEvent
from adapter.datamodel.types import MISFIT, Type
from adapter.files.dumping import dump
from adapter.model.operations import CustomerUpsert, EventOccurred, Operation

#: Tried in this order; text of digits may be an id, so a number needs one value sent as a number.
_TYPES = ("boolean", "money", "number", "date", "datetime", "object", "string")
_MONEY = re.compile(
    r"(?:^|_)(amount|cart_value|cost|discount|lifetime_value|price|revenue|shipping|subtotal|tax|total|value)$"
)
#: Events of a name that must all have an attribute before it is proposed as required.
_OFTEN = 20


class ModelInference:
    """Collects the values of customers and events: call `take` with operations, then `model`."""

    def __init__(self) -> None:
        self._traits: dict[str, list[Any]] = defaultdict(list)
        self._context: dict[str, list[Any]] = defaultdict(list)
        self._events: Counter[str] = Counter()
        self._attributes: dict[str, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))

    def take(self, operations: Iterable[Operation]) -> None:
        """Add operations as the mappings returned them, before they were coerced."""
        for operation in operations:
            if isinstance(operation, CustomerUpsert):
                _add(self._traits, operation.traits)
            elif isinstance(operation, EventOccurred):
                event = operation.event
                self._events[event.name] += 1
                _add(self._attributes[event.name], event.attributes)
                _add(self._context, event.context)

    def model(self) -> DataModel:
        """Return the proposed model; names are in the order of their first occurrence."""
        events = {
            name: DeclaredEvent({
                attribute: Declared(type_of(attribute, values), len(values) == count >= _OFTEN)
                for attribute, values in self._attributes[name].items()
            })
            for name, count in self._events.items()
        }  # fmt: skip
        return DataModel(_declared(self._traits), events, _declared(self._context))


def type_of(name: str, values: Iterable[Any]) -> Type:
    """Return the type to declare for a name with these values; nulls do not count."""
    seen = [value for value in values if value is not None]
    if any(isinstance(value, list) for value in seen):
        lists = all(isinstance(value, list) for value in seen)
        items = [item for value in seen if isinstance(value, list) for item in value]
        return Type(type_of(name, items).name if lists else "any", many=lists)
    fitting = [kind for kind in _TYPES if seen and _all_are(kind, name, seen)]
    return Type(fitting[0] if fitting else "any")


def model_yaml(model: DataModel) -> str:
    """Return the text of a `model.yaml` for a model."""
    return dump(model_value(model)) + "\n"


def model_value(model: DataModel) -> dict[str, Any]:
    """Return a model as a `model.yaml` has it."""
    return {
        "unknown": model.unknown,
        "misfit": model.misfit,
        "traits": _plain(model.traits),
        "context": _plain(model.context or {}),
        "events": {name: _event(event) for name, event in model.events.items()},
    }


def _event(event: DeclaredEvent) -> dict[str, Any]:
    told = {"description": event.description} if event.description else {}
    return {**told, "attributes": _plain(event.attributes)}


def _add(seen: dict[str, list[Any]], values: dict[str, Any]) -> None:
    for name, value in values.items():
        seen[name].append(value)


def _declared(seen: dict[str, list[Any]]) -> dict[str, Declared]:
    return {name: Declared(type_of(name, values)) for name, values in seen.items()}


def _all_are(kind: str, name: str, values: list[Any]) -> bool:
    if kind == "money" and not _MONEY.search(name):
        return False
    if kind in ("money", "number", "datetime") and not _looks_like(kind, values):
        return False
    if kind == "boolean" and not any(
        isinstance(value, bool) or str(value).lower() in ("true", "false") for value in values
    ):
        return False
    if kind == "object" and not any(isinstance(value, dict) for value in values):
        return False
    read = Type(kind).reader
    return all(read(value) is not MISFIT for value in values)


def _looks_like(kind: str, values: list[Any]) -> bool:
    """Return whether the values look like the type, and are not only readable as it."""
    if kind == "datetime":
        return all(isinstance(value, str) and value[10:11] in ("T", " ") for value in values)
    sent = any(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    return sent or any(isinstance(value, str) and "." in value for value in values)


def _plain(declared: dict[str, Declared]) -> dict[str, Any]:
    return {name: _entry(one) for name, one in declared.items()}


def _entry(one: Declared) -> Any:
    """Return a declaration as a `model.yaml` has it: the type alone where it says no more."""
    more: dict[str, Any] = {"required": True} if one.required else {}
    more |= one.constraints.plain()
    if one.description:
        more["description"] = one.description
    if one.of:
        more["of"] = _plain(one.of)
    return {"type": str(one.type), **more} if more else str(one.type)
