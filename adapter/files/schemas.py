"""Parts of the JSON Schemas with which editors complete and check mapping and rule files.

Draft 7, which the YAML servers of editors support. `scripts/schemas` writes them to `docs/schema/`.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

DRAFT = "http://json-schema.org/draft-07/schema#"
TEXT: Schema = {"type": "string", "minLength": 1}
_REFERENCE: Schema = {"type": "string", "pattern": "^adapter/[a-z-]+@[1-9][0-9]*$"}
EXTENDS: Schema = {
    "anyOf": [_REFERENCE, {"type": "array", "minItems": 1, "items": _REFERENCE}],
    "description": "A starter of the package, with its version: `adapter/segment@1`.",
}
DISABLE: Schema = {"type": "array", "items": TEXT}


def block(properties: dict[str, Schema], *required: str, **more: Any) -> Schema:
    """Return the schema of a block of these keys and no others."""
    closed = {"type": "object", "additionalProperties": False, "properties": properties}
    return {**closed, **({"required": list(required)} if required else {}), **more}


def table(of: Schema, **more: Any) -> Schema:
    """Return the schema of a block with any names."""
    return {"type": "object", "additionalProperties": of, **more}


def listed(item: Schema, **more: Any) -> Schema:
    """Return the schema of a list."""
    return {"type": "array", "items": item, **more}


def one_of(words: Any) -> Schema:
    """Return the schema of one of these words."""
    return {"enum": list(words)}


def said(schema: Schema, description: str) -> Schema:
    """Return the schema with a description, which editors show."""
    return {**schema, "description": description}


def file(title: str, schema: Schema, **definitions: Schema) -> Schema:
    """Return the schema of a whole file."""
    return {
        "$schema": DRAFT,
        "title": title,
        **schema,
        **({"definitions": definitions} if definitions else {}),
    }
