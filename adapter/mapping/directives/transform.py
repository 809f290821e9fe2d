"""`@transform`: a mapping over the result of another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adapter.mapping.directive import Directive
from adapter.mapping.shapes import Members, Option, Options

if TYPE_CHECKING:
    from adapter.mapping.interpret import Resolver


def run(options: Any, payload: Any, resolver: Resolver) -> Any:
    applied = resolver.transform(options["apply"], payload)
    return resolver.resolve(options["mapping"], applied)


_OPTIONS = {
    "apply": Option(Members(), required=True),
    "mapping": Option(Members(), required=True),
}

TRANSFORM = Directive("@transform", Options(_OPTIONS), run)
