"""For tests and tools: mappings interpreted, as the reference does, and the source that compilation makes.

A server runs the compiled form alone; `transform` is the yardstick that it is compared with.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapter.errors import MappingError
from adapter.mapping.compiler import source_of
from adapter.mapping.directives import DIRECTIVES
from adapter.mapping.engine import segment_validate
from adapter.mapping.engine.codegen import Emitter
from adapter.mapping.engine.interpret import Resolver, root_of
from adapter.mapping.engine.values import as_json, type_of


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


def source(mapping: Any) -> str:
    """Return the Python source that `compile` makes."""
    emitter = Emitter(DIRECTIVES, Resolver(DIRECTIVES))
    return source_of(emitter, emitter.value(root_of(mapping), final=True))
