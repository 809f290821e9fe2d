"""`@arrayPath`: the list at a path, each item given a shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adapter.errors import MappingError
from adapter.mapping import paths
from adapter.mapping.directive import Directive
from adapter.mapping.shapes import PathAndShape
from adapter.mapping.values import UNDEFINED, type_of

if TYPE_CHECKING:
    from adapter.mapping.interpret import Resolver


def run(options: Any, payload: Any, resolver: Resolver) -> Any:
    if type(options) is not list:
        raise MappingError(f"@arrayPath expected array, got {type_of(options)}")
    path = options[0] if options else UNDEFINED
    shape = options[1] if len(options) > 1 else None
    if type(path) is str:
        root = resolver.read(payload, paths.without_root(path))
    else:
        root = resolver.resolve(path, payload)
    if type(root) not in (dict, list) or type(shape) is not dict or not shape:
        return root
    items = root if type(root) is list else [root]
    return [resolver.resolve(shape, resolver.item(items, index)) for index in range(len(items))]


ARRAY_PATH = Directive("@arrayPath", PathAndShape(), run)
