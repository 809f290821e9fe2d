"""A data model as a Segment tracking plan, or as an mParticle data plan.

Shapes: `PUT /tracking-plans/{id}/rules` of Segment's Public API; `POST .../plans` of mParticle's Data
Planning API. What a plan cannot express is in the notes, each with its place in the model.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from adapter.datamodel.declarations import DataModel, Declared
from adapter.datamodel.types import Type

_DRAFT: Final = "http://json-schema.org/draft-07/schema#"
_SCHEMAS: Final[Mapping[str, dict[str, Any]]] = {
    "string": {"type": "string"}, "number": {"type": "number"}, "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"}, "datetime": {"type": "string", "format": "date-time"},
    "money": {"type": "number"}, "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
    "object": {"type": "object"}, "any": {},
}  # fmt: skip


class Exported(NamedTuple):
    """A plan, and what of the model it does not express."""

    plan: dict[str, Any]
    notes: list[str]


def segment_tracking_plan(model: DataModel) -> Exported:
    """Return the rules of a tracking plan: a TRACK rule an event, IDENTIFY for traits, COMMON for context."""
    notes = _notes(model)
    rules = [
        _rule(_sent(name), "TRACK", "properties", _object(event.attributes), event.description)
        for name, event in model.events.items()
    ]
    if model.traits:
        rules.append(_rule("", "IDENTIFY", "traits", _object(model.traits)))
    if model.context:
        rules.append(_rule("", "COMMON", "context", _object(model.context)))
    return Exported({"rules": rules}, notes)


def mparticle_data_plan(model: DataModel, plan_id: str = "behaviour_discounts") -> Exported:
    """Return a data plan with one version: a custom event an event, and the user attributes."""
    notes = [*_notes(model), *(f"context.{name}: a data plan has no context" for name in model.context or {})]
    points = [
        _custom_event(name, event.attributes, event.description) for name, event in model.events.items()
    ]
    if model.traits:
        points.append(_point("user_attributes", {}, _object(model.traits), ""))
    version = {"version": 1, "version_document": {"data_points": points}}
    return Exported({"data_plan_id": plan_id, "data_plan_name": "Behaviour discounts",
                     "data_plan_versions": [version]}, notes)  # fmt: skip


def _sent(name: str) -> str:
    """Return the spelling in which senders send an event, as Segment's specification has it."""
    return name.replace("_", " ").title()


def _rule(key: str, kind: str, part: str, schema: dict[str, Any], description: str = "") -> dict[str, Any]:
    told = {"description": description} if description else {}
    whole = {"$schema": _DRAFT, "type": "object", **told, "properties": {part: schema}}
    return {"key": key, "type": kind, "version": 1, "jsonSchema": whole}


def _custom_event(name: str, attributes: Mapping[str, Declared], description: str) -> dict[str, Any]:
    own = _object(attributes)
    data = {"type": "object", "properties": {"custom_attributes": own},
            "required": ["custom_attributes"] if own.get("required") else []}  # fmt: skip
    criteria = {"event_name": _sent(name), "custom_event_type": "other"}
    return _point("custom_event", criteria, {"properties": {"data": data}}, description)


def _point(kind: str, criteria: dict[str, str], schema: dict[str, Any], description: str) -> dict[str, Any]:
    validator = {"type": "json_schema", "definition": schema}
    return {"description": description, "match": {"type": kind, "criteria": criteria}, "validator": validator}


def _object(declared: Mapping[str, Declared]) -> dict[str, Any]:
    required = [name for name, one in declared.items() if one.required]
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {name: _schema(one) for name, one in declared.items()},
    }
    return {**schema, "required": required} if required else schema


def _schema(declared: Declared) -> dict[str, Any]:
    schema = _object(declared.of) if declared.of else dict(_SCHEMAS[declared.type.name])
    schema |= declared.constraints.plain()
    if declared.type.many:
        schema = {"type": "array", "items": schema} if schema else {"type": "array"}
    return {**schema, "description": declared.description} if declared.description else schema


def _notes(model: DataModel) -> list[str]:
    notes = []
    if model.unknown != "allow":
        notes.append(f"unknown: `{model.unknown}` is not expressed; plans have such a setting of their own")
    for place, declared in _all(model):
        if declared.type.name == "money":
            notes.append(f"{place}: `{declared.type}` is `{Type('number', declared.type.many)}`")
        if declared.misfit != model.misfit:
            notes.append(f"{place}: `misfit: {declared.misfit}` is not expressed")
    return notes


def _all(model: DataModel) -> list[tuple[str, Declared]]:
    groups = {"traits": model.traits, "context": model.context or {}}
    groups |= {f"events.{name}": event.attributes for name, event in model.events.items()}
    return [found for at, declared in groups.items() for found in _below(at, declared)]


def _below(at: str, declared: Mapping[str, Declared]) -> list[tuple[str, Declared]]:
    return [
        found
        for name, one in declared.items()
        for found in [(f"{at}.{name}", one), *_below(f"{at}.{name}", one.of)]
    ]
