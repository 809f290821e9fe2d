"""`@json`: a value to JSON text, or JSON text to its value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adapter.errors import MappingError
from adapter.mapping.engine import javascript
from adapter.mapping.engine.codegen import Value
from adapter.mapping.engine.directive import Directive, Report
from adapter.mapping.engine.options import Option, Options, Plain, Raw
from adapter.mapping.engine.values import UNDEFINED, is_truthy

if TYPE_CHECKING:
    from adapter.mapping.engine.codegen import Emitter
    from adapter.mapping.engine.interpret import Resolver

WITHOUT_VALUE = '@json requires a "value" key'


def _run(options: Any, payload: Any, resolver: Resolver) -> Any:
    if type(options) is not dict:
        raise MappingError('@json requires an object with a "value" key')
    if not is_truthy(options.get("mode")):
        raise MappingError('@json requires a "mode" key')
    if not is_truthy(options.get("value")):
        raise MappingError(WITHOUT_VALUE)
    value = resolver.resolve(options["value"], payload)
    if options["mode"] == "encode":
        return javascript.stringify(value)
    return decoded(value) if options["mode"] == "decode" else UNDEFINED


def decoded(value: Any) -> Any:
    """Return what the JSON text says; text that is no JSON, and all that is no text, as it is."""
    if type(value) is not str:
        return value
    try:
        return javascript.parse(value)
    except ValueError:
        return value


def _emit(options: Any, emitter: Emitter, final: bool) -> Value:
    if not is_truthy(options["value"]):
        return emitter.failing(WITHOUT_VALUE)
    value = emitter.value(options["value"], final=False)
    if options["mode"] == "encode":
        return Value(emitter.call(javascript.stringify, value.text), value.misses)
    if options["mode"] == "decode":
        return Value(emitter.call(decoded, value.text), value.misses, value.holed)
    emitter.stored(value)
    return Value("U")


def _lint(options: Any, report: Report) -> None:
    if not is_truthy(options["value"]):
        report(("value",), "an empty value fails when the mapping runs", "write a directive")


_OPTIONS = {
    "value": Option(Raw(), required=True),
    "mode": Option(Plain(choices=("encode", "decode")), required=True),
}

JSON = Directive("@json", Options(_OPTIONS), _run, _emit, _lint)
