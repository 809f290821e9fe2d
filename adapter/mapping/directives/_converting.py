"""Directives that make one value of one other, by options that a file writes out."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from adapter.errors import MappingError
from adapter.mapping.engine.codegen import Value
from adapter.mapping.engine.directive import Directive, Report, ResultType
from adapter.mapping.engine.options import Shape
from adapter.mapping.engine.values import type_of

if TYPE_CHECKING:
    from adapter.mapping.engine.codegen import Emitter
    from adapter.mapping.engine.interpret import Resolver

_KINDS = {"object": "an object", "array": "a list", "string": "text", "number": "a number",
          "boolean": "a boolean", "null": "null"}  # fmt: skip


class Conversion(NamedTuple):
    """What options amount to: the `arguments` are resolved, the value first, and `convert` takes them.

    `already` is an expression that tests whether a value, `{0}`, is its own result.
    """

    arguments: tuple[Any, ...]
    convert: Callable[..., Any]
    already: str = ""


#: Returns the conversion that options ask for; raises MappingError where they are ill-shaped.
Converting = Callable[[Any], Conversion]


def resolved(conversion: Conversion, payload: Any, resolver: Resolver) -> Any:
    """Return what an interpreted conversion yields."""
    return conversion.convert(*(resolver.resolve(argument, payload) for argument in conversion.arguments))


def emitted(conversion: Conversion, emitter: Emitter) -> Value:
    """Write a conversion."""
    given = [emitter.stored(emitter.value(argument, final=False)) for argument in conversion.arguments]
    value = given[0].text
    text = emitter.call(conversion.convert, *(argument.text for argument in given))
    if conversion.already:
        text = f"({value} if {conversion.already.format(value)} else {text})"
    return Value(text, holed=given[0].holed)


def converting(
    name: str,
    shape: Shape,
    conversion_of: Converting,
    lint: Callable[[Any, Report], None] | None = None,
    result: ResultType | None = None,
) -> Directive:
    """Return the directive of a conversion; it is ours, and Segment does not know it."""

    def run(options: Any, payload: Any, resolver: Resolver) -> Any:
        return resolved(conversion_of(options), payload, resolver)

    def emit(options: Any, emitter: Emitter, final: bool) -> Value:
        try:
            conversion = conversion_of(options)
        except MappingError as error:
            return emitter.failing(error.message)
        return emitted(conversion, emitter)

    return Directive(name, shape, run, emit, lint, portable=False, result=result)


def refuse_kind(name: str, value: Any, wanted: str) -> NoReturn:
    """Raise MappingError with the kind of a value, not the value: text may be about a person."""
    kind = f"text of {len(value)} characters" if type(value) is str else _KINDS[type_of(value)]
    raise MappingError(f"{name}: {kind} is not {wanted}")
