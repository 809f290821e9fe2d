"""`@transform`: a mapping over the result of another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adapter.errors import MappingError
from adapter.mapping.directive import Directive
from adapter.mapping.shapes import Members, Option, Options
from adapter.mapping.values import is_truthy

if TYPE_CHECKING:
    from adapter.mapping.interpret import Resolver


def run(options: Any, payload: Any, resolver: Resolver) -> Any:
    if type(options) is not dict:
        raise MappingError('@transform requires an object with an "apply" key and a "mapping" key')
    for key in ("mapping", "apply"):
        if not is_truthy(options.get(key)):
            raise MappingError(f'@transform requires a "{key}" key')
    if type(options["apply"]) is not dict:
        raise MappingError('@transform "apply" key should be an object')
    applied = resolver.transform(options["apply"], payload)
    return resolver.resolve(options["mapping"], applied)


_OPTIONS = {
    "apply": Option(Members(), required=True),
    "mapping": Option(Members(), required=True),
}

TRANSFORM = Directive("@transform", Options(_OPTIONS), run)
