"""`@number`, `@string`, `@boolean`, `@datetime`: a value of a type. Ours; Segment does not know them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from adapter.mapping import conversions
from adapter.mapping.directive import Directive
from adapter.mapping.emit import Value
from adapter.mapping.shapes import Raw

if TYPE_CHECKING:
    from adapter.mapping.emit import Emitter
    from adapter.mapping.interpret import Resolver


def _typed(name: str, convert: Callable[[Any], Any]) -> Directive:
    def run(options: Any, payload: Any, resolver: Resolver) -> Any:
        return convert(resolver.resolve(options, payload))

    def emit(options: Any, emitter: Emitter, final: bool) -> Value:
        return Value(emitter.call(convert, emitter.value(options, final=False).text))

    return Directive(name, Raw(), run, emit, portable=False)


NUMBER = _typed("@number", conversions.number)
STRING = _typed("@string", conversions.string)
BOOLEAN = _typed("@boolean", conversions.boolean)
DATETIME = _typed("@datetime", conversions.moment)
