"""Mappings compiled once, for the hot path."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adapter.errors import MappingError
from adapter.mapping.directives import DIRECTIVES
from adapter.mapping.interpret import Resolver, Tables, root_of
from adapter.mapping.validate import validate
from adapter.mapping.values import as_json, type_of

#: A compiled mapping: from a payload to what it becomes.
Transform = Callable[[dict[str, Any]], Any]


def compile(mapping: Any, *, tables: Tables | None = None) -> Transform:  # noqa: A001 - the verb is right
    """Return the mapping as a function; raises InvalidMapping when the mapping is wrong."""
    root = root_of(mapping)
    validate(root, DIRECTIVES)
    resolver = Resolver(DIRECTIVES, tables)

    def transform(payload: dict[str, Any]) -> Any:
        if type(payload) is not dict:
            raise MappingError(f"data must be an object, got {type_of(payload)}")
        return as_json(resolver.resolve(root, payload))

    return transform
