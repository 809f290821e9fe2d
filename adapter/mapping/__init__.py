"""The mapping language: Segment's directives and subscriptions, and our own beside them.

`transform` and `transform_batch` interpret; `compile` gives the fast form of the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapter.errors import MappingError
from adapter.mapping.compiler import Transform, compile  # noqa: A004 - the verb is right
from adapter.mapping.directives import DIRECTIVES
from adapter.mapping.engine import segment_validate
from adapter.mapping.engine.errors import InvalidMapping, SubscriptionError
from adapter.mapping.engine.interpret import Resolver, root_of
from adapter.mapping.engine.values import as_json, type_of
from adapter.mapping.subscriptions import matches

__all__ = [
    "InvalidMapping", "MappingError", "SubscriptionError", "Transform", "compile", "matches", "transform",
    "transform_batch",
]  # fmt: skip


def transform(mapping: Any, payload: Any, *, tables: Mapping[str, Mapping[str, Any]] | None = None) -> Any:
    """Return what a mapping makes of a payload, as `JSON.stringify` would show it.

    Members without a value are absent, list items without one are None, and so is a root directive
    without one. Raises InvalidMapping (the mapping is wrong) or MappingError (this payload cannot be
    mapped) with the reference's messages. Neither argument is changed; the result may share parts with them.
    """
    return as_json(Resolver(DIRECTIVES, tables).transform(mapping, payload))


def transform_batch(mapping: Any, payloads: Any) -> list[Any]:
    """Return what a mapping makes of each payload; items need not be objects, as in the reference."""
    if type(payloads) is not list:
        raise MappingError(f"data must be an array, got {type_of(payloads)}")
    root = root_of(mapping)
    segment_validate.validate(root, DIRECTIVES)
    resolver = Resolver(DIRECTIVES)
    return [as_json(resolver.resolve(root, payload)) for payload in payloads]
