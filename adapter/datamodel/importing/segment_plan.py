"""Segment tracking plans: those of the Public API, and of the Config API before it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from adapter.datamodel.importing.imported import Collected, Imported, members
from adapter.datamodel.importing.json_schema import Schemas

#: Parts of a message's schema that are read; the rest of it describes Segment's own fields.
_PARTS = frozenset({"properties", "traits", "context"})
_UNEXPRESSED = {"GROUP": "groups are not customers", "PAGE": "views of pages are not declared",
                "SCREEN": "views of screens are not declared"}  # fmt: skip


def rules_of(document: Any) -> Any:
    """Return the rules of a tracking plan, or an answer of the API with one; None for other documents."""
    for path in ((), ("data",), ("data", "trackingPlan"), ("trackingPlan",)):
        rules = members(document, *path).get("rules")
        if isinstance(rules, list) or (isinstance(rules, dict) and "events" in rules):
            return rules
    return None


def segment_plan(document: Any) -> Imported:
    """Return the model of a tracking plan."""
    collected = Collected()
    # What is declared of an identify wins over what tracks say of the same traits.
    for place, kind, rule in sorted(_rules(rules_of(document)), key=lambda each: each[1] != "IDENTIFY"):
        _add(collected, place, kind, rule)
    return collected.imported("segment tracking plan")


def _rules(rules: Any) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield each rule with its place and type; those of the old API in the form of the new one."""
    if isinstance(rules, list):
        for number, rule in enumerate(rules):
            if isinstance(rule, dict):
                yield f"/rules/{number}/jsonSchema", str(rule.get("type", "")).upper(), rule
        return
    for number, event in enumerate(rules.get("events") or []):
        told = {
            "key": event.get("name"),
            "jsonSchema": event.get("rules"),
            "description": event.get("description"),
        }
        yield f"/rules/events/{number}/rules", "TRACK", told
    for name, kind in (("identify", "IDENTIFY"), ("group", "GROUP"), ("global", "COMMON")):
        if members(rules, name):
            yield f"/rules/{name}", kind, {"jsonSchema": rules[name]}


def _add(collected: Collected, place: str, kind: str, rule: dict[str, Any]) -> None:
    if kind in _UNEXPRESSED or kind not in ("TRACK", "IDENTIFY", "COMMON"):
        name = rule.get("key") or kind
        collected.note(
            place, f"not expressed: the {kind} rule `{name}`: {_UNEXPRESSED.get(kind, 'an unknown type')}"
        )
        return
    schema = rule.get("jsonSchema")
    schemas = Schemas(schema, collected.note)
    parts, at = members(schema, "properties"), f"{place}/properties"
    if kind == "TRACK":
        described = rule.get("description") or members(schema).get("description")
        attributes = schemas.members(parts.get("properties"), f"{at}/properties")
        collected.event(place, str(rule.get("key", "")), attributes, described)
    elif kind == "IDENTIFY":
        collected.traits(place, schemas.members(parts.get("traits"), f"{at}/traits"))
    elif members(parts, "properties", "properties"):
        collected.note(f"{at}/properties", "not expressed: attributes that all events share")
    _context(collected, schemas, parts.get("context"), f"{at}/context")
    for name in sorted(parts.keys() - _PARTS):
        collected.note(f"{at}/{name}", f"not expressed: `{name}` of the message")


def _context(collected: Collected, schemas: Schemas, context: Any, place: str) -> None:
    """Add what is declared of a message's context; traits in it are those of the customer."""
    found = schemas.members(context, place)
    traits = found.pop("traits", None)
    if traits is not None:
        collected.traits(f"{place}/properties/traits", traits.of)
    collected.context(place, found)
