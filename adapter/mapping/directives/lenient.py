"""`@lenient`: a value of a type where it can be read as one, else as it came. Ours; not known to Segment."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from adapter.errors import MappingError
from adapter.mapping.directives import _conversions
from adapter.mapping.engine.codegen import Value
from adapter.mapping.engine.directive import Directive, Report
from adapter.mapping.engine.directive_object import is_directive, name_of
from adapter.mapping.engine.options import Raw

if TYPE_CHECKING:
    from adapter.mapping.engine.codegen import Emitter
    from adapter.mapping.engine.interpret import Resolver

Convert = Callable[[Any], Any]


def _lenient(convert: Convert) -> Convert:
    def lenient(value: Any) -> Any:
        try:
            return convert(value)
        except MappingError:
            return value

    return lenient


_CONVERSIONS: dict[str, Convert] = {
    "@amount": _lenient(_conversions.amount),
    "@boolean": _lenient(_conversions.boolean),
    "@datetime": _lenient(_conversions.moment),
    "@number": _lenient(_conversions.number),
    "@string": _lenient(_conversions.string),
}
#: What tests for values that are of the type as they came.
_ALREADY = {
    "@amount": "type({0}) is int",
    "@boolean": "type({0}) is bool",
    "@number": "type({0}) is int or type({0}) is float",
    "@string": "type({0}) is str",
}
_REMEDY = f"write one of {', '.join(f'`{name}`' for name in _CONVERSIONS)} under it"


def _conversion(options: Any) -> str:
    """Return the name of the conversion under the directive; raises MappingError where there is none."""
    name = name_of(options) if is_directive(options) else ""
    if name not in _CONVERSIONS:
        raise MappingError(f"@lenient requires a conversion: {_REMEDY}")
    return name


def _run(options: Any, payload: Any, resolver: Resolver) -> Any:
    name = _conversion(options)
    return _CONVERSIONS[name](resolver.resolve(options[name], payload))


def _emit(options: Any, emitter: Emitter, final: bool) -> Value:
    try:
        name = _conversion(options)
    except MappingError as error:
        return emitter.failing(error.message)
    given = emitter.stored(emitter.value(options[name], final=False))
    value, converted = given.text, emitter.call(_CONVERSIONS[name], given.text)
    text = f"({value} if {_ALREADY[name].format(value)} else {converted})" if name in _ALREADY else converted
    return Value(text, holed=given.holed)


def _lint(options: Any, report: Report) -> None:
    try:
        _conversion(options)
    except MappingError:
        report((), "`@lenient` reads a value as a type, and names none", _REMEDY)


LENIENT = Directive("@lenient", Raw(), _run, _emit, _lint, portable=False)
