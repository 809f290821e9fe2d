"""`@merge`: several objects in one, the later (or the earlier) winning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adapter.errors import MappingError
from adapter.mapping.directive import Directive, is_directive
from adapter.mapping.emit import Value
from adapter.mapping.javascript import code_units
from adapter.mapping.shapes import Items, Members, Option, Options, Plain
from adapter.mapping.values import UNDEFINED, as_json, is_truthy, type_of

if TYPE_CHECKING:
    from adapter.mapping.emit import Emitter
    from adapter.mapping.interpret import Resolver

_Fields = list[tuple[str, Value]]

WITHOUT_DIRECTION = '@merge requires a "direction" key'


def _run(options: Any, payload: Any, resolver: Resolver) -> dict[str, Any]:
    if type(options) is not dict:
        raise MappingError('@merge requires an object with an "objects" key and a "direction" key')
    if not is_truthy(options.get("direction")):
        raise MappingError(WITHOUT_DIRECTION)
    direction = resolver.resolve(options["direction"], payload)
    given = options.get("objects")
    if not is_truthy(given):
        raise MappingError('@merge requires a "objects" key')
    if type(given) is not list:
        raise MappingError(f"@merge: expected opts.array, got {type_of(given)}")
    objects = [resolver.resolve(item, payload) for item in given]
    if direction == "left":
        objects.reverse()
    return merged(objects)


def merged(objects: list[Any]) -> dict[str, Any]:
    """Return `Object.assign({}, ...objects)`: text and lists spread by index, the rest adds nothing."""
    result: dict[str, Any] = {}
    for members in objects:
        if type(members) is dict:
            result.update(members)
        elif type(members) in (list, str):
            items = code_units(members) if type(members) is str else members
            result.update((str(index), item) for index, item in enumerate(items))
    return result


def _emit(options: Any, emitter: Emitter, final: bool) -> Value:
    if not options.get("direction"):
        return emitter.failing(WITHOUT_DIRECTION)
    parts = [_part(item, emitter, final) for item in options["objects"]]
    if options["direction"] == "left":
        parts.reverse()
    result = emitter.name()
    for place, part in enumerate(parts):
        _add(result, part, emitter, first=place == 0, final=final)
    if not parts:
        emitter.line(f"{result} = {{}}")
    holed = not final and any(part.holed if isinstance(part, Value) else True for part in parts)
    return Value(result, misses=False, holed=holed, simple=True)


def _add(result: str, part: Value | _Fields, emitter: Emitter, *, first: bool, final: bool) -> None:
    if isinstance(part, Value):
        if first:
            emitter.line(f"{result} = {{}}")
        if final and part.holed:
            emitter.line(emitter.call(_overlay, result, part.text))
            return
        emitter.line(f"if type({part.text}) is dict: {result}.update({part.text})")
        emitter.line(f"else: {emitter.call(_spread, result, part.text)}")
    elif first:
        emitter.line(f"{result} = {{{', '.join(f'{key}: {value.text}' for key, value in part)}}}")
        for key, value in part:
            if value.misses and final:
                emitter.line(f"if {value.text} is U: del {result}[{key}]")
    else:
        for key, value in part:
            emitter.put(
                result,
                key,
                value,
                otherwise=f"{result}.pop({key}, None)" if final else f"{result}[{key}] = U",
            )


def _part(item: Any, emitter: Emitter, final: bool) -> Value | _Fields:
    if is_directive(item):
        return emitter.stored(emitter.value(item, final=False))
    return [(key, emitter.stored(value)) for key, value in emitter.fields(item, final=final)]


def _spread(result: dict[str, Any], members: Any) -> None:
    result.update(merged([members]))


def _overlay(result: dict[str, Any], members: Any) -> None:
    """Merge members of which some may be UNDEFINED: those overwrite what was there, and vanish."""
    for key, value in merged([members]).items():
        if value is UNDEFINED:
            result.pop(key, None)
        else:
            result[key] = as_json(value)


_OPTIONS = {
    "direction": Option(Plain(choices=("left", "right")), needed=True),
    "objects": Option(Items(Members()), required=True),
}

MERGE = Directive("@merge", Options(_OPTIONS), _run, _emit)
