"""`@template`: text with `{{placeholders}}`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adapter.errors import MappingError
from adapter.mapping import templates
from adapter.mapping.directive import Directive
from adapter.mapping.shapes import Text
from adapter.mapping.values import type_of

if TYPE_CHECKING:
    from adapter.mapping.interpret import Resolver


def run(options: Any, payload: Any, resolver: Resolver) -> str:
    template = resolver.resolve(options, payload)
    if type(template) is not str:
        raise MappingError(f"@template: expected string, got {type_of(template)}")
    return templates.render(template, payload, resolver.read)


TEMPLATE = Directive("@template", Text(), run)
