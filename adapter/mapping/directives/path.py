"""`@path`: what stands at a path."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adapter.errors import MappingError
from adapter.mapping import paths
from adapter.mapping.directive import Directive
from adapter.mapping.shapes import Text
from adapter.mapping.values import type_of

from adapter.mapping.emit import Value

if TYPE_CHECKING:
    from adapter.mapping.emit import Emitter
    from adapter.mapping.interpret import Resolver


def run(options: Any, payload: Any, resolver: Resolver) -> Any:
    path = as_path(resolver.resolve(options, payload))
    return resolver.read(payload, path)


def as_path(value: Any) -> str:
    """Return the path without its `$.`; raises MappingError when it is no text."""
    if type(value) is not str:
        raise MappingError(f"@path: expected string, got {type_of(value)}")
    return paths.without_root(value)


def emit(options: Any, emitter: Emitter, final: bool) -> Value:
    if type(options) is str:
        return emitter.read(paths.without_root(options))
    path = emitter.call(as_path, emitter.value(options, final=False).text)
    return Value(emitter.call(paths.get, emitter.scope.payload, path), holed=emitter.scope.holed)


PATH = Directive("@path", Text(), run, emit)
