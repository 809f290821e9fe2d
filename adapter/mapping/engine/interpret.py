"""Mapping by walking the mapping, as the reference does: the yardstick for the compiled form.

Follows packages/core/src/mapping-kit/index.ts of segmentio/action-destinations.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from adapter.errors import MappingError
from adapter.mapping.engine import paths
from adapter.mapping.engine.directive_object import is_directive, name_of
from adapter.mapping.engine.javascript import keys
from adapter.mapping.engine.segment_validate import Shaped, validate
from adapter.mapping.engine.values import UNDEFINED, remove_undefined, type_of

ROOT_DIRECTIVE = "__segment_internal_directive"
Tables = Mapping[str, Mapping[str, Any]]


class Runnable(Shaped, Protocol):
    """What interpretation needs of a directive."""

    @property
    def run(self) -> Callable[[Any, Any, Resolver], Any]:
        """Return the function of options, payload and resolver that yields the raw value."""
        ...


class Resolver:
    """Resolves mappings against payloads; `tables` are what `@lookup` looks into."""

    def __init__(self, directives: Mapping[str, Runnable], tables: Tables | None = None) -> None:
        self.directives = directives
        self.tables = tables or {}

    def resolve(self, mapping: Any, payload: Any) -> Any:
        """Return the raw value: UNDEFINED where there is none, also inside."""
        if type(mapping) is list:
            return [self.resolve(item, payload) for item in mapping]
        if type(mapping) is not dict:
            return mapping
        if is_directive(mapping):
            return self.run(name_of(mapping), mapping, payload)
        return {key: self.resolve(mapping[key], payload) for key in keys(mapping)}

    def run(self, name: str, mapping: dict[str, Any], payload: Any) -> Any:
        """Run one directive."""
        directive = self.directives.get(name)
        if directive is None:
            raise MappingError(f"{name} is not a valid directive, got undefined")
        return directive.run(mapping[name], payload, self)

    def read(self, payload: Any, path: str) -> Any:
        """Return the value at a path of the payload."""
        return paths.get(payload, path)

    def item(self, items: list[Any], index: int) -> Any:
        """Return one item of a list as the payload of what is resolved for it."""
        return items[index]

    def transform(self, mapping: Any, payload: Any) -> Any:
        """Return the mapped value without undefined members; validates first."""
        payload = {} if payload is UNDEFINED else payload
        if type(payload) is not dict:
            raise MappingError(f"data must be an object, got {type_of(payload)}")
        root = root_of(mapping)
        validate(root, self.directives)
        return remove_undefined(self.resolve(root, payload))


def root_of(mapping: Any) -> Any:
    """Return the mapping that is resolved: spread to an object, the root directive in its place."""
    spread = _spread(mapping)
    if ROOT_DIRECTIVE not in spread:
        return spread
    root = spread.pop(ROOT_DIRECTIVE)
    members = _spread(root)
    if len(members) > 1:
        raise MappingError("The root mapping must only have a single directive object")
    name = next(iter(members), "")
    options = members.get(name)
    if type(options) is list:
        return {name: options}
    if type(options) is not dict:
        raise MappingError("The root directive must be an object")
    return {name: {**options, "mapping": spread}}


def _spread(mapping: Any) -> dict[str, Any]:
    if type(mapping) is dict:
        return dict(mapping)
    if mapping is None or mapping is UNDEFINED:
        raise MappingError("Cannot convert undefined or null to object")
    if type(mapping) in (list, str):
        return {str(index): item for index, item in enumerate(mapping)}
    return {}
