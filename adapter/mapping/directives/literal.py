"""`@literal`: the value itself; directives inside it run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adapter.mapping.directive import Directive
from adapter.mapping.shapes import Raw

if TYPE_CHECKING:
    from adapter.mapping.interpret import Resolver


def run(options: Any, payload: Any, resolver: Resolver) -> Any:
    return resolver.resolve(options, payload)


LITERAL = Directive("@literal", Raw(), run)
