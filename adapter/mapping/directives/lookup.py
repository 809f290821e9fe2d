"""`@lookup`: a value translated by a table of the file. Ours; Segment does not know it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from adapter.errors import MappingError
from adapter.mapping.engine.codegen import Value
from adapter.mapping.engine.directive import Directive
from adapter.mapping.engine.javascript import text
from adapter.mapping.engine.options import Option, Options, Plain, Raw
from adapter.mapping.engine.values import UNDEFINED, is_number
from adapter.model.spelling import spelling

if TYPE_CHECKING:
    from adapter.mapping.engine.codegen import Emitter
    from adapter.mapping.engine.interpret import Resolver


_MISSING = "@lookup: there is no table {}"


def _run(options: Any, payload: Any, resolver: Resolver) -> Any:
    if type(options) is not dict or type(options.get("table")) is not str:
        raise MappingError('@lookup requires an object with a "table" key')
    key = resolver.resolve(options.get("value", UNDEFINED), payload)
    found = _look_up(options)(entries_of(options, resolver), key)
    return resolver.resolve(options.get("default", UNDEFINED), payload) if found is UNDEFINED else found


def table(name: str, resolver: Resolver) -> Mapping[str, Any]:
    """Return a table of the file; raises MappingError when there is none of that name."""
    found = resolver.tables.get(name)
    if found is None:
        raise MappingError(_MISSING.format(name))
    return found


def entries_of(options: Mapping[str, Any], resolver: Resolver) -> Mapping[str, Any]:
    """Return the entries of the table; where any `spelling` will do, by the spelling of their keys."""
    entries = table(options["table"], resolver)
    return entries if _look_up(options) is looked_up else {spelling(key): entries[key] for key in entries}


def _look_up(options: Mapping[str, Any]) -> Callable[[Mapping[str, Any], Any], Any]:
    return looked_up_by_spelling if options.get("spelling") == "any" else looked_up


def looked_up_by_spelling(entries: Mapping[str, Any], key: Any) -> Any:
    """Return the entry under a key in any spelling, as `looked_up` does."""
    return looked_up(entries, spelling(key) if type(key) is str else key)


def looked_up(entries: Mapping[str, Any], key: Any) -> Any:
    """Return the entry under a key, UNDEFINED where there is none; numbers and booleans are read as text."""
    if type(key) is not str:
        if type(key) is not bool and not is_number(key):
            return UNDEFINED
        key = text(key)
    return entries.get(key, UNDEFINED)


def _emit(options: Any, emitter: Emitter, final: bool) -> Value:
    key = emitter.value(options["value"], final=False)
    if options["table"] not in emitter.resolver.tables:
        emitter.stored(key)
        return emitter.failing(_MISSING.format(options["table"]))
    entries = emitter.constant(entries_of(options, emitter.resolver))
    key = emitter.stored(key)
    look_up = _look_up(options)
    text = emitter.call(look_up, entries, key.text)
    if look_up is looked_up:
        text = f"{entries}.get({key.text}, U) if type({key.text}) is str else {text}"
    result = emitter.stored(Value(text))
    if "default" not in options:
        return result
    with emitter.block(f"if {result.text} is U:"):
        value = emitter.value(options["default"], final=final)
        emitter.line(f"{result.text} = {value.text}")
    return Value(result.text, value.misses, value.holed, simple=True)


_OPTIONS = {
    "table": Option(Plain(), required=True),
    "value": Option(Raw(), required=True),
    "default": Option(Raw()),
    "spelling": Option(Plain(choices=("exact", "any"))),
}

LOOKUP = Directive("@lookup", Options(_OPTIONS), _run, _emit, portable=False, looks_up=True)
