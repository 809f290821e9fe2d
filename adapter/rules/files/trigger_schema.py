"""The JSON Schema of triggers."""

from __future__ import annotations

from adapter.files.schemas import TEXT, Schema, block, listed
from adapter.rules.blocks.schema import LENGTH, WORDS

_SCALAR: Schema = {"type": ["string", "number", "boolean"]}
_TRUE: Schema = {"const": True}


def schema() -> Schema:
    """Return the schema of a trigger."""
    members = {"event": TEXT, "unless": TEXT, "within": LENGTH, "per": TEXT}
    absence = block(members, "event", "unless", "within")
    trait = block({"trait": TEXT, "to": _SCALAR, "from": _SCALAR}, "trait")
    segment = block(
        {"segment": TEXT, "entered": _TRUE, "left": _TRUE},
        "segment",
        oneOf=[{"required": ["entered"]}, {"required": ["left"]}],
    )
    zone, late = {"time_zone": TEXT}, {"if_late": TEXT}
    every = block({"every": TEXT, "for": TEXT, **zone, **late}, "every")
    on_date = block(
        {"on": TEXT, "before": LENGTH, "after": LENGTH, "at": TEXT, "repeat": {"enum": ["yearly", "once"]},
         **zone, **late},
        "on", "at",
    )  # fmt: skip
    life = block(
        {
            "discount": {"enum": ["issued", "applied", "any"]},
            "of": WORDS,
            "unused_for": LENGTH,
            "expires_in": LENGTH,
        },
        "discount",
        oneOf=[{"required": ["unused_for"]}, {"required": ["expires_in"]}],
    )
    return {"anyOf": [TEXT, listed(TEXT, minItems=1), absence, trait, segment, every, on_date, life]}
