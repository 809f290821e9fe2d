"""`@number`, `@amount`, `@string`, `@boolean`, `@datetime`, `@object`: a value of a type.

Ours; Segment does not know them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from adapter.mapping.directives import _conversions
from adapter.mapping.engine.codegen import Value
from adapter.mapping.engine.directive import Directive, ResultType
from adapter.mapping.engine.options import Raw

if TYPE_CHECKING:
    from adapter.mapping.engine.codegen import Emitter
    from adapter.mapping.engine.interpret import Resolver


def _typed(name: str, result: ResultType, convert: Callable[[Any], Any], already: str = "") -> Directive:
    """Return the directive that converts to a type; `already` tests for values that came in it."""

    def run(options: Any, payload: Any, resolver: Resolver) -> Any:
        return convert(resolver.resolve(options, payload))

    def emit(options: Any, emitter: Emitter, final: bool) -> Value:
        given = emitter.stored(emitter.value(options, final=False))
        value, converted = given.text, emitter.call(convert, given.text)
        text = f"({value} if {already.format(value)} else {converted})" if already else converted
        return Value(text, holed=given.holed)

    return Directive(name, Raw(), run, emit, portable=False, result=result)


NUMBER = _typed("@number", "number", _conversions.number, "type({0}) is int or type({0}) is float")
AMOUNT = _typed("@amount", "number", _conversions.amount, "type({0}) is int")
STRING = _typed("@string", "text", _conversions.string, "type({0}) is str")
BOOLEAN = _typed("@boolean", "boolean", _conversions.boolean, "type({0}) is bool")
DATETIME = _typed("@datetime", "datetime", _conversions.moment)
OBJECT = _typed("@object", "object", _conversions.members, "type({0}) is dict")
