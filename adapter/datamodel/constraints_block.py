"""The constraints of a declaration as a `model.yaml` writes them, with what is wrong in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from adapter.datamodel.constraints import FORMATS, NONE, ORDERED, TEXTS, Constraints, is_pattern
from adapter.datamodel.types import MISFIT, Type
from adapter.files.problems import did_you_mean

CONSTRAINTS: Final = ("enum", "minimum", "maximum", "pattern", "format")
#: Reports a problem of one constraint: its key, what is wrong, and what to write.
Refuse = Callable[[str, str, str], None]


def read_constraints(kind: Type, block: Mapping[str, Any], refuse: Refuse) -> Constraints:
    """Return the constraints of a block; reports those that cannot hold, or not for this type."""
    if not any(key in block for key in CONSTRAINTS):
        return NONE
    least, most = (_bound(key, kind, block, refuse) for key in ("minimum", "maximum"))
    if least is not None and most is not None and least > most:
        refuse("minimum", f"`minimum` {least} is above `maximum` {most}", "exchange the two")
    return Constraints(_enum(kind, block, refuse), least, most, _pattern(kind, block, refuse),
                       _format(kind, block, refuse))  # fmt: skip


def _enum(kind: Type, block: Mapping[str, Any], refuse: Refuse) -> tuple[Any, ...]:
    values = block.get("enum", ())
    if "enum" not in block:
        return ()
    if not isinstance(values, list) or not values or kind.name == "object":
        refuse("enum", "`enum` is not a list of values", "write the values in brackets, as in [basic, gold]")
        return ()
    read = Type(kind.name).reader
    for value in values:
        if value is None or read(value) is MISFIT:
            refuse("enum", f"`{value}` in `enum` is not of the type `{kind.name}`", "correct it, or the type")
    return tuple(read(value) for value in values)


def _bound(key: str, kind: Type, block: Mapping[str, Any], refuse: Refuse) -> int | float | None:
    value = block.get(key)
    if key not in block:
        return None
    if type(value) not in (int, float):
        refuse(key, f"`{key}` is not a number", "write a number")
    elif kind.name not in ORDERED:
        refuse(key, f"`{kind}` has no {key}", "declare a `number` or `money`, or leave it out")
    else:
        return value
    return None


def _pattern(kind: Type, block: Mapping[str, Any], refuse: Refuse) -> str:
    text = block.get("pattern", "")
    if "pattern" not in block:
        return ""
    if not isinstance(text, str) or not text or not is_pattern(text):
        remedy = "write it in the syntax of RE2, which has no lookaround and no backreferences"
        refuse("pattern", f"`{text}` is not a regular expression that RE2 can read", remedy)
    elif kind.name not in TEXTS:
        refuse("pattern", f"`{kind}` has no pattern", "declare a `string`, or leave it out")
    else:
        return text
    return ""


def _format(kind: Type, block: Mapping[str, Any], refuse: Refuse) -> str:
    name = block.get("format", "")
    if "format" not in block:
        return ""
    if name not in FORMATS:
        near = did_you_mean(str(name), FORMATS)
        refuse("format", f"`{name}` is not a format", near or f"write one of {', '.join(FORMATS)}")
    elif kind.name not in TEXTS:
        refuse("format", f"`{kind}` has no format", "declare a `string`, or leave it out")
    else:
        return str(name)
    return ""
