"""`@flatten`: nested objects and lists as one flat object with joined keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from adapter.errors import MappingError
from adapter.mapping.directive import Directive, Report
from adapter.mapping.emit import Value
from adapter.mapping.javascript import keys
from adapter.mapping.shapes import Option, Options, Plain, Raw, Whatever
from adapter.mapping.values import UNDEFINED, is_truthy

if TYPE_CHECKING:
    from adapter.mapping.emit import Emitter
    from adapter.mapping.interpret import Resolver

WITHOUT_SEPARATOR = '@flatten requires a "separator" key'


def _run(options: Any, payload: Any, resolver: Resolver) -> dict[str, Any]:
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


def flattener(separator: str, omit_arrays: bool) -> Callable[[Any], dict[str, Any]]:
    """Return `flattened` made faster: the same members, in the order in which they stand."""

    def flat(value: Any) -> dict[str, Any]:
        result: dict[str, Any] = {}
        if type(value) is dict:
            gather(value, "", result)
        elif value is not UNDEFINED:
            _gather(value, "", separator, omit_arrays, result)
        return result

    def gather(members: dict[str, Any], lead: str, result: dict[str, Any]) -> None:
        for key, item in members.items():
            if type(item) is str:  # the most frequent kind
                result[lead + key] = item
            elif type(item) is dict:
                if key.isdigit() or not key:  # JavaScript may visit it earlier, and another key may collide
                    _gather(members, lead.removesuffix(separator), separator, omit_arrays, result)
                    return
                gather(item, lead + key + separator, result)
            elif type(item) is list and not omit_arrays:
                _gather(item, lead + key, separator, omit_arrays, result)
            else:
                result[lead + key] = item

    return flat


def _gather(value: Any, prefix: str, separator: str, omit_arrays: bool, result: dict[str, Any]) -> None:
    lead = prefix + separator if prefix else ""
    if type(value) is dict:
        for key in keys(value):
            item = value[key]
            if type(item) is dict or type(item) is list:
                _gather(item, lead + key, separator, omit_arrays, result)
            else:
                result[lead + key] = item
    elif type(value) is list and not omit_arrays:
        for index, item in enumerate(value):
            _gather(item, f"{lead}{index}", separator, omit_arrays, result)
    else:
        result[prefix] = value


def _emit(options: Any, emitter: Emitter, final: bool) -> Value:
    if not options.get("separator"):
        return emitter.failing(WITHOUT_SEPARATOR)
    value = emitter.value(options["value"], final=False)
    separator, omitted = options["separator"], is_truthy(options.get("omitArrays"))
    if final:
        text = emitter.call(flattener(separator, omitted), value.text)
    else:
        text = emitter.call(flattened, value.text, emitter.constant(separator), emitter.constant(omitted))
    return Value(text, misses=False, holed=value.holed or (value.misses and not final))


def _lint(options: Any, report: Report) -> None:
    if options["separator"] == "":
        report(("separator",), "the separator is empty", "write the text that joins two keys, as in `.`")


_OPTIONS = {
    "separator": Option(Plain(), needed=True),
    "value": Option(Raw(), required=True),
    "omitArrays": Option(Whatever(), checked=False),
}

FLATTEN = Directive("@flatten", Options(_OPTIONS), _run, _emit, _lint)
