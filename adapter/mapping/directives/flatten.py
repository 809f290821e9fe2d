"""`@flatten`: nested objects and lists as one flat object with joined keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adapter.errors import MappingError
from adapter.mapping.directive import Directive
from adapter.mapping.javascript import keys
from adapter.mapping.shapes import Any_, Option, Options, Plain, Raw
from adapter.mapping.values import UNDEFINED, is_truthy

from adapter.mapping.emit import Value

if TYPE_CHECKING:
    from adapter.mapping.emit import Emitter
    from adapter.mapping.interpret import Resolver

WITHOUT_SEPARATOR = '@flatten requires a "separator" key'


def run(options: Any, payload: Any, resolver: Resolver) -> dict[str, Any]:
    if type(options) is not dict:
        raise MappingError('@flatten requires an object with a "separator" key')
    if not is_truthy(options.get("separator")):
        raise MappingError(WITHOUT_SEPARATOR)
    separator = resolver.resolve(options["separator"], payload)
    if type(separator) is not str:
        raise MappingError("@flatten requires a string separator")
    value = resolver.resolve(options.get("value", UNDEFINED), payload)
    return flattened(value, separator, is_truthy(options.get("omitArrays")))


def flattened(value: Any, separator: str, omit_arrays: bool) -> dict[str, Any]:
    """Return the leaves by joined key; empty objects and lists leave nothing, a lone leaf stands under ''."""
    result: dict[str, Any] = {}
    _gather(value, "", separator, omit_arrays, result)
    return result


def _gather(value: Any, prefix: str, separator: str, omit_arrays: bool, result: dict[str, Any]) -> None:
    if type(value) is dict:
        lead = prefix + separator if prefix else ""
        for key in keys(value):
            item = value[key]
            if type(item) is dict or type(item) is list:
                _gather(item, lead + key, separator, omit_arrays, result)
            else:
                result[lead + key] = item
    elif type(value) is list and not omit_arrays:
        lead = prefix + separator if prefix else ""
        for index, item in enumerate(value):
            _gather(item, f"{lead}{index}", separator, omit_arrays, result)
    else:
        result[prefix] = value


def emit(options: Any, emitter: Emitter, final: bool) -> Value:
    if not options.get("separator"):
        return emitter.failing(WITHOUT_SEPARATOR)
    value = emitter.value(options["value"], final=False)
    omitted = emitter.constant(is_truthy(options.get("omitArrays")))
    text = emitter.call(flattened, value.text, emitter.constant(options["separator"]), omitted)
    return Value(text, misses=False, holed=value.misses or value.holed)


_OPTIONS = {
    "separator": Option(Plain(), needed=True),
    "value": Option(Raw(), required=True),
    "omitArrays": Option(Any_(), checked=False),
}

FLATTEN = Directive("@flatten", Options(_OPTIONS), run, emit)
