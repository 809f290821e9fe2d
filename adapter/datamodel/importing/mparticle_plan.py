"""mParticle data plans: a document, a version with one, or a whole plan, of which the last version counts."""

from __future__ import annotations

from typing import Any

from adapter.datamodel.importing.imported import Collected, Imported, members
from adapter.datamodel.importing.json_schema import Schemas

#: The criterion that names the event of a data point, by its type.
_NAMED_BY = {"custom_event": "event_name", "product_action": "action", "promotion_action": "action"}
#: The part of a commerce event's data that has its own fields.
_COMMERCE = {"product_action": "product_action", "promotion_action": "promotion_action"}


def points_of(document: Any) -> list[Any] | None:
    """Return the data points of a plan; None for other documents."""
    versions = members(document).get("data_plan_versions")
    version = versions[-1] if isinstance(versions, list) and versions else document
    for path in (("version_document",), ()):
        points = members(version, *path).get("data_points")
        if isinstance(points, list):
            return points
    return None


def mparticle_plan(document: Any) -> Imported:
    """Return the model of a data plan."""
    collected = Collected()
    versions = members(document).get("data_plan_versions")
    if isinstance(versions, list) and len(versions) > 1:
        collected.note("/data_plan_versions", f"only the last of {len(versions)} versions is read")
    for number, point in enumerate(points_of(document) or []):
        _add(collected, f"/data_points/{number}", members(point))
    return collected.imported("mparticle data plan")


def _add(collected: Collected, place: str, point: dict[str, Any]) -> None:
    kind, criteria = members(point, "match").get("type"), members(point, "match", "criteria")
    definition, at = members(point, "validator", "definition"), f"{place}/validator/definition"
    schemas = Schemas(definition, collected.note)
    if kind == "user_attributes":
        collected.traits(place, schemas.members(definition, at))
    elif kind in _NAMED_BY:
        name = str(criteria.get(_NAMED_BY[kind], ""))
        data = members(definition, "properties", "data")
        attributes = _attributes(collected, schemas, kind, data, f"{at}/properties/data")
        collected.event(place, name, attributes, point.get("description"))
        if kind in _COMMERCE:
            message = f"the event is `{name}` here; rename it if the mapping gives it another name"
            collected.note(f"{place}/match/criteria", message)
    else:
        named = " ".join(str(value) for value in criteria.values())
        collected.note(place, f"not expressed: the {kind} `{named}`" if named else f"not expressed: {kind}")


def _attributes(collected: Collected, schemas: Schemas, kind: str, data: Any, place: str) -> dict[str, Any]:
    """Return the attributes of an event, of which mParticle has the own fields of commerce apart."""
    parts = members(data, "properties")
    own = schemas.members(parts.get("custom_attributes"), f"{place}/properties/custom_attributes")
    part = _COMMERCE.get(kind, "")
    if part:
        commerce = schemas.members(parts.get(part), f"{place}/properties/{part}")
        own = {**{name: one for name, one in commerce.items() if name != "action"}, **own}
    for name in sorted(parts.keys() - {"custom_attributes", part}):
        collected.note(f"{place}/properties/{name}", f"not expressed: `{name}` of the event")
    return own
