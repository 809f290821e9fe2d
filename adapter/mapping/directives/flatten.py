"""`@flatten`: nested objects and lists as one flat object with joined keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from adapter.errors import MappingError
from adapter.mapping.engine.codegen import Value
from adapter.mapping.engine.directive import Directive, Report
from adapter.mapping.engine.javascript import keys
from adapter.mapping.engine.options import Option, Options, Plain, Raw, Whatever
from adapter.mapping.engine.values import UNDEFINED, is_truthy

if TYPE_CHECKING:
    from adapter.mapping.engine.codegen import Emitter
    from adapter.mapping.engine.interpret import Resolver

#: How many characters of joined names one `@flatten` keeps, and what each name counts for beside its own.
ROOM, _ENTRY = 100_000, 100
#: An object inside the flattened one: what leads its names, the joined name by key, the object below by key.
_Place = tuple[str, dict[str, str], dict[str, "_Place"]]
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
    """Return the leaves by joined key; empty objects and lists leave nothing, a lone leaf has the key ''."""
    result: dict[str, Any] = {}
    _gather(value, "", separator, omit_arrays, result)
    return result


def flattener(
    separator: str, omit_arrays: bool
) -> Callable[[dict[str, Any], _Place, dict[str, Any]], dict[str, Any]]:
    """Return `flattened` made faster for objects: the same members, in the same order.

    It puts the leaves of the object at a place into what it is given, and returns that.
    """
    names = _Names(separator)

    def gather(members: dict[str, Any], place: _Place, result: dict[str, Any]) -> dict[str, Any]:
        lead, joined, below = place
        for key, item in members.items():
            if type(item) is str:  # the most frequent kind
                try:
                    result[joined[key]] = item
                except KeyError:
                    result[names.join(place, key)] = item
            elif type(item) is dict:
                try:
                    under = below[key]
                except KeyError:
                    if key.isdigit() or not key:  # JavaScript may visit it earlier, and another may collide
                        _gather(members, lead.removesuffix(separator), separator, omit_arrays, result)
                        return result
                    under = names.below(place, key)
                gather(item, under, result)
            elif type(item) is list and not omit_arrays:
                _gather(item, lead + key, separator, omit_arrays, result)
            else:
                try:
                    result[joined[key]] = item
                except KeyError:
                    result[names.join(place, key)] = item
        return result

    return gather


class _Names:
    """Joins names, each once: joined again they would have to be hashed again.

    Keys come from payloads, so there is no end of them; what is kept is bounded by `ROOM`.
    """

    def __init__(self, separator: str) -> None:
        self._separator = separator
        self._room = ROOM

    def join(self, place: _Place, key: str) -> str:
        lead, joined, _ = place
        name = lead + key
        if self._has_room(name):
            joined[key] = name
        return name

    def below(self, place: _Place, key: str) -> _Place:
        above, _, below = place
        lead = above + key + self._separator
        found: _Place = (lead, {}, {})
        if self._has_room(lead):
            below[key] = found
        return found

    def _has_room(self, name: str) -> bool:
        self._room -= len(name) + _ENTRY
        return self._room >= 0


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
    value = emitter.stored(value)
    text = emitter.call(flattened, value.text, emitter.constant(separator), emitter.constant(omitted))
    if final:
        top = emitter.constant(("", {}, {}))
        quick = emitter.call(flattener(separator, omitted), value.text, top, "{}")
        text = f"({quick} if type({value.text}) is dict else {{}} if {value.text} is U else {text})"
    return Value(text, misses=False, holed=value.holed or (value.misses and not final))


def _lint(options: Any, report: Report) -> None:
    if options["separator"] == "":
        report(("separator",), "the separator is empty", "write the text that joins two keys, as in `.`")


_OPTIONS = {
    "separator": Option(Plain(), needed=True),
    "value": Option(Raw(), required=True),
    "omitArrays": Option(Whatever(), checked=False),
}

FLATTEN = Directive("@flatten", Options(_OPTIONS), _run, _emit, _lint, result="object")
