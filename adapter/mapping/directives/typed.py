"""`@number`, `@amount`, `@string`, `@boolean`, `@datetime`, `@object`: a value of a type.

Ours; Segment does not know them.
"""

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


def _typed(name: str, convert: Callable[[Any], Any], already: str = "") -> Directive:
    """Return the directive that converts; `already` tests for values that are of the type as they came."""

    def run(options: Any, payload: Any, resolver: Resolver) -> Any:
        return convert(resolver.resolve(options, payload))

    def emit(options: Any, emitter: Emitter, final: bool) -> Value:
        value = emitter.stored(emitter.value(options, final=False)).text
        converted = emitter.call(convert, value)
        return Value(f"({value} if {already.format(value)} else {converted})" if already else converted)

    return Directive(name, Raw(), run, emit, portable=False)


NUMBER = _typed("@number", conversions.number, "type({0}) is int or type({0}) is float")
AMOUNT = _typed("@amount", conversions.amount, "type({0}) is int")
STRING = _typed("@string", conversions.string, "type({0}) is str")
BOOLEAN = _typed("@boolean", conversions.boolean, "type({0}) is bool")
DATETIME = _typed("@datetime", conversions.moment)
OBJECT = _typed("@object", conversions.members, "type({0}) is dict")
