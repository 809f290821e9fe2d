"""Which kind of plan a document is."""

from __future__ import annotations

from typing import Any

from adapter.datamodel.importing.imported import Collected, Imported, NotAPlan, members
from adapter.datamodel.importing.json_schema import Schemas
from adapter.datamodel.importing.mparticle_plan import mparticle_plan, points_of
from adapter.datamodel.importing.segment_plan import rules_of, segment_plan


def read_plan(document: Any, event: str | None = None) -> Imported:
    """Return the model of a plan; raises NotAPlan.

    A JSON Schema alone describes one event's attributes, and is of the `event` that is given, or of its
    `title`.
    """
    if rules_of(document) is not None:
        return segment_plan(document)
    if points_of(document) is not None:
        return mparticle_plan(document)
    schema = members(document)
    if not any(key in schema for key in ("properties", "allOf", "$ref")):
        raise NotAPlan("is neither a tracking plan (`rules`), a data plan (`data_points`) nor a JSON Schema")
    title = schema.get("title")
    name = event or (title if isinstance(title, str) else "")
    if not name.strip():
        raise NotAPlan("is a JSON Schema without a `title`; name its event with --event")
    collected = Collected()
    attributes = Schemas(document, collected.note).members(document, "")
    collected.event("", name, attributes, schema.get("description"))
    return collected.imported("json schema")
