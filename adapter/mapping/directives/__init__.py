"""The directives, one module each: mapping-kit's own, then ours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from adapter.mapping.directives.array_path import ARRAY_PATH
from adapter.mapping.directives.case import CASE
from adapter.mapping.directives.date import DATE
from adapter.mapping.directives.exclude_when_null import EXCLUDE_WHEN_NULL
from adapter.mapping.directives.first import FIRST
from adapter.mapping.directives.flatten import FLATTEN
from adapter.mapping.directives.if_then import IF
from adapter.mapping.directives.json_text import JSON
from adapter.mapping.directives.lenient import LENIENT
from adapter.mapping.directives.liquid import LIQUID
from adapter.mapping.directives.list_ops import FILTER, MAP
from adapter.mapping.directives.literal import LITERAL
from adapter.mapping.directives.lookup import LOOKUP
from adapter.mapping.directives.merge import MERGE
from adapter.mapping.directives.money import MONEY
from adapter.mapping.directives.path import PATH
from adapter.mapping.directives.regex import REGEX
from adapter.mapping.directives.replace import REPLACE
from adapter.mapping.directives.split import SPLIT
from adapter.mapping.directives.template import TEMPLATE
from adapter.mapping.directives.text_changes import LOWER, TRIM, UPPER
from adapter.mapping.directives.total import TOTAL
from adapter.mapping.directives.transform import TRANSFORM
from adapter.mapping.directives.type_casts import AMOUNT, BOOLEAN, DATETIME, NUMBER, OBJECT, STRING
from adapter.mapping.engine.directive import Directive

_ALL = (
    IF, CASE, REPLACE, ARRAY_PATH, PATH, JSON, FLATTEN, MERGE, TEMPLATE, LITERAL, TRANSFORM,
    EXCLUDE_WHEN_NULL, LIQUID, NUMBER, STRING, BOOLEAN, DATETIME, OBJECT, MONEY, FIRST, LOOKUP, FILTER,
    MAP, AMOUNT, LENIENT, TOTAL, DATE, LOWER, REGEX, SPLIT, TRIM, UPPER,
)  # fmt: skip

#: Every directive by its name.
DIRECTIVES: dict[str, Directive] = {directive.name: directive for directive in _ALL}


def directives_of(value: Any) -> Iterator[tuple[Directive, Any]]:
    """Yield the directives, with their options, that a mapped value itself is; none of plain values."""
    if isinstance(value, dict):
        yield from ((DIRECTIVES[name], options) for name, options in value.items() if name in DIRECTIVES)
