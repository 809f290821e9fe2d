"""JSON Schemas of mapping files and of their cases, made from the tables that the loader checks with.

Written to `docs/schema/` by `scripts/schemas`.
"""

from __future__ import annotations

from typing import Any

from adapter.files.schemas import DISABLE, DRAFT, EXTENDS, TEXT
from adapter.mapping.actions.actions import ACTIONS, Action
from adapter.mapping.directives import DIRECTIVES
from adapter.mapping.engine.interpret import ROOT_DIRECTIVE
from adapter.mapping.engine.options import (
    Flag,
    Items,
    Members,
    Options,
    PathAndShape,
    Plain,
    Raw,
    Shape,
    Text,
    ValueWithOptions,
    Whole,
)
from adapter.model.sources import SOURCES

_VALUE = {"$ref": "#/definitions/value"}
_DIRECTIVE = {"$ref": "#/definitions/directive"}
_OBJECT = {"$ref": "#/definitions/object"}


def mappings_schema() -> dict[str, Any]:
    """Return the schema of a mapping file."""
    return {
        "$schema": DRAFT,
        "title": "Mapping file",
        "description": "How what a source sends becomes customers, events and moves of discounts.",
        "type": "object",
        "anyOf": [{"required": ["source", "mappings"]}, {"required": ["extends"]}],
        "additionalProperties": False,
        "properties": {
            "extends": EXTENDS,
            "disable": {**DISABLE, "description": "The starter's mappings that do not run, by name."},
            "source": {"enum": sorted(SOURCES), "description": "The source whose messages it maps."},
            "tables": {
                "type": "object",
                "additionalProperties": {"type": "object"},
                "description": "Tables that `@lookup` looks into, by name.",
            },
            "mappings": {"type": "array", "minItems": 1, "items": _mapping()},
        },
        "definitions": _definitions(),
    }


def _mapping() -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["name", "subscribe", "action", "fields"],
        "additionalProperties": False,
        "properties": {
            "name": {**TEXT, "description": "What it does, in a few words; unique within its source."},
            "subscribe": {**TEXT, "description": 'Which messages it takes: `type = "track"`.'},
            "events": {"type": "array", "minItems": 1, "items": TEXT, "description":
                       "Of these only those whose `event` is one of these names, in any spelling."},
            "action": {"anyOf": [{"const": action.name, "description": _sentence(action.meaning)}
                                 for action in ACTIONS.values()]},
            "fields": {"type": "object"},
        },
        "allOf": [
            {"if": {"properties": {"action": {"const": action.name}}, "required": ["action"]},
             "then": {"properties": {"fields": _fields(action)}}}
            for action in ACTIONS.values()
        ],
    }  # fmt: skip


_ROOT = {
    "type": "object",
    "description": "A directive over the message; the fields beside it read its result.",
    "minProperties": 1,
    "maxProperties": 1,
    "patternProperties": {"^@": {"type": ["object", "array"]}},
    "additionalProperties": False,
}


def _fields(action: Action) -> dict[str, Any]:
    named = {
        "type": "object",
        "required": list(action.required),
        "additionalProperties": False,
        "properties": {
            field.name: {"allOf": [_VALUE], "description": _described(field.meaning, field.default)}
            for field in action.fields
        }
        | {ROOT_DIRECTIVE: _ROOT},
    }
    return {"anyOf": [named, _DIRECTIVE]}


def _definitions() -> dict[str, Any]:
    return {
        "value": {
            "anyOf": [
                {"type": ["string", "number", "boolean", "null"]},
                {"type": "array", "items": _VALUE},
                _DIRECTIVE,
                _OBJECT,
            ]
        },
        "object": {"type": "object", "propertyNames": {"pattern": "^(?!@)"}, "additionalProperties": _VALUE},
        "directive": {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": False,
            "properties": {
                **{name: _shape(directive.shape) for name, directive in sorted(DIRECTIVES.items())},
                "_metadata": {},
            },
        },
    }


def _shape(shape: Shape) -> dict[str, Any]:
    match shape:
        case Raw():
            return _VALUE
        case Text():
            return {"anyOf": [{"type": "string"}, _DIRECTIVE]}
        case Members():
            return {"anyOf": [_DIRECTIVE, _OBJECT]}
        case Flag():
            return {"type": "boolean"}
        case Plain():
            return _plain(shape)
        case Whole():
            return {"type": "integer", "minimum": shape.least, "maximum": shape.most}
        case ValueWithOptions():
            return {"anyOf": [_shape(shape.options), _VALUE]}
        case Items():
            return {"type": "array", "items": _shape(shape.of)}
        case PathAndShape():
            items = [_shape(Text()), _VALUE]
            return {"type": "array", "minItems": 1, "maxItems": 2, "items": items}
        case Options():
            return _options(shape)
    return {}


def _plain(shape: Plain) -> dict[str, Any]:
    limits = {"minLength": shape.least, "maxLength": shape.most, "enum": list(shape.choices) or None}
    return {"type": "string", **{name: limit for name, limit in limits.items() if limit is not None}}


def _options(shape: Options) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "type": "object",
        "required": [name for name, option in shape.named.items() if option.required or option.needed],
        "additionalProperties": False,
        "properties": {name: _shape(option.shape) for name, option in shape.named.items()},
    }
    if shape.one_of:
        schema["anyOf"] = [{"required": [name]} for name in shape.one_of]
    return schema


def cases_schema() -> dict[str, Any]:
    """Return the schema of a file of cases."""
    listed = {"anyOf": [TEXT, {"type": "array", "items": TEXT}]}
    shared = {
        "only": {
            **listed,
            "description": "The mappings that run, or files of them: `segment.yaml`. Else all do.",
        },
        "ignore": {**listed, "description": "Parts of operations that are not compared: `event.context`."},
    }
    case = {
        "type": "object",
        "required": ["name"],
        "additionalProperties": False,
        "oneOf": [{"required": ["payload"]}, {"required": ["file"]}],
        "properties": {
            "name": {**TEXT, "description": "What should happen, in a sentence."},
            "payload": {"description": "The body, as the source sends it."},
            "file": {**TEXT, "description": "The file that holds the body, from this file's directory on."},
            "received_at": {**TEXT, "description": "The time of receipt, ISO-8601."},
            **shared,
            "expect": {"type": "array", "items": {"type": "object"}, "description": "The operations."},
            "quarantined": {**listed, "description": "Why messages cannot be mapped."},
        },
    }
    return {
        "$schema": DRAFT,
        "title": "Cases of mappings",
        "type": "object",
        "required": ["source", "cases"],
        "additionalProperties": False,
        "properties": {
            "source": {"enum": sorted(SOURCES)},
            **shared,
            "cases": {"type": "array", "items": case},
        },
    }


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _described(meaning: str, default: str) -> str:
    return _sentence(meaning) + (f" Default: {default}." if default else "")
