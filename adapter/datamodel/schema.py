"""The JSON Schema of `model.yaml` and of its parts."""

from __future__ import annotations

from typing import get_args

from adapter.datamodel.constraints import FORMATS
from adapter.datamodel.declarations import Policy, UnknownPolicy
from adapter.datamodel.types import NAMES
from adapter.files.schemas import EXTENDS, TEXT, Schema, block, file, one_of, said, table

_DECLARED: Schema = {"$ref": "#/definitions/declared"}


def model_schema() -> Schema:
    """Return the schema of a data model."""
    events = table({"anyOf": [{"type": "null"}, _event()]}, propertyNames={"pattern": "^[^A-Z\\s]+$"})
    return file(
        "Data model",
        block({
            "extends": EXTENDS,
            "unknown": said(one_of(get_args(UnknownPolicy)), "Policy for names that are not declared."),
            "misfit": said(one_of(get_args(Policy)), "Policy for values that do not have the declared type."),
            "traits": said(table(_DECLARED), "Traits of customers."),
            "context": said(table(_DECLARED), "Context of events."),
            "events": said(events, "Events of customers, named in snake_case."),
        }),
        declared=_declared(),
    )  # fmt: skip


def _event() -> Schema:
    return block({
        "description": TEXT,
        "like": said(TEXT, "An event whose attributes it inherits; its own take precedence."),
        "attributes": table(_DECLARED),
    })  # fmt: skip


def _declared() -> Schema:
    types = one_of([*NAMES, *(f"array of {name}" for name in NAMES)])
    full = block({
        "type": types,
        "required": said({"type": "boolean"}, "Every such event has it; of a trait: it is never null."),
        "misfit": one_of(get_args(Policy)),
        "description": TEXT,
        "enum": said({"type": "array", "minItems": 1}, "The values that it may have."),
        "minimum": said({"type": "number"}, "The least value of a number or an amount."),
        "maximum": said({"type": "number"}, "The greatest value of a number or an amount."),
        "pattern": said(TEXT, "A regular expression (RE2) that is found in the text."),
        "format": one_of([*FORMATS]),
        "of": said(table(_DECLARED), "Members of the object, or of each object in the list."),
    }, "type")  # fmt: skip
    return {"anyOf": [types, full]}
