"""`@merge`: several objects in one, the later (or the earlier) winning."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from adapter.errors import MappingError
from adapter.mapping.directives.if_then import emit_branches, is_without_test
from adapter.mapping.engine.codegen import Value
from adapter.mapping.engine.directive import Directive, Keys
from adapter.mapping.engine.directive_object import is_directive, name_of
from adapter.mapping.engine.javascript import code_units
from adapter.mapping.engine.options import Items, Members, Option, Options, Plain
from adapter.mapping.engine.values import UNDEFINED, as_json, is_truthy, type_of

if TYPE_CHECKING:
    from adapter.mapping.engine.codegen import Emitter
    from adapter.mapping.engine.interpret import Resolver

_Fields = list[tuple[str, Value]]

#: Lists and text spread by index, as in JavaScript; no author means so many.
_MOST_SPREAD = 1_000
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
    objects = (resolver.resolve(item, payload) for item in given)
    # Merged as they are resolved, so that of two faults the same one is met as when compiled.
    return merged(reversed(list(objects)) if direction == "left" else objects)


def merged(objects: Iterable[Any]) -> dict[str, Any]:
    """Return `Object.assign({}, ...objects)`: text and lists spread by index, the rest adds nothing."""
    result: dict[str, Any] = {}
    for members in objects:
        if type(members) is dict:
            result.update(members)
        elif type(members) in (list, str):
            result.update((str(index), item) for index, item in enumerate(_spread_out(members)))
    return result


def _spread_out(members: list[Any] | str) -> list[Any] | str:
    """Return the items that spread; what is far too long for an object would fill memory with its keys."""
    if len(members) > _MOST_SPREAD:
        raise MappingError(f"@merge: {type_of(members)} of {len(members)} items was given for an object")
    if type(members) is str and code_units(members) != members:
        raise MappingError("@merge: text was given for an object, and half a character is no text")
    return members


def _emit(options: Any, emitter: Emitter, final: bool) -> Value:
    if not options.get("direction"):
        return emitter.failing(WITHOUT_DIRECTION)
    merge = _Merge(emitter, emitter.name(), final)
    if options["direction"] == "left":
        parts = [merge.part(item) for item in options["objects"]]
        merge.start(parts[-1] if parts else [])
        for part in reversed(parts[:-1]):
            merge.add(part)
    else:
        merge.start(merge.part(options["objects"][0]) if options["objects"] else [])
        for item in options["objects"][1:]:
            merge.write(item)
    return Value(merge.result, misses=False, holed=not final, simple=True)


class _Merge(NamedTuple):
    """Writes what merges parts into one object; a part is a value, or fields whose keys are known."""

    emitter: Emitter
    result: str
    final: bool

    def part(self, item: Any) -> Value | _Fields:
        """Write what resolves one of the objects."""
        if type(item) is not dict or is_directive(item):
            return self.emitter.stored(self.emitter.value(item, final=False))
        return [
            (key, self.emitter.stored(value)) for key, value in self.emitter.fields(item, final=self.final)
        ]

    def start(self, part: Value | _Fields) -> None:
        """Write the result with the first part in it."""
        line, result = self.emitter.line, self.result
        if not isinstance(part, Value):
            line(f"{result} = {{{', '.join(f'{key}: {value.text}' for key, value in part)}}}")
            for key, value in part:
                if value.misses and self.final:
                    line(f"if {value.text} is U: del {result}[{key}]")
        elif self.final and part.holed:
            line(f"{result} = {{}}")
            self.add(part)
        else:
            spread = self.emitter.call(_spread, part.text)
            line(f"{result} = {part.text}.copy() if type({part.text}) is dict else {spread}")

    def write(self, item: Any) -> None:
        """Write what resolves one of the objects and adds it; of `@if`, each branch adds its own."""
        if item is UNDEFINED:
            self.emitter.line("pass")
        elif is_directive(item) and name_of(item) == "@if" and self._has_branches(item):
            emit_branches(item["@if"], self.emitter, self.write)
        else:
            self.add(self.part(item))

    def _has_branches(self, item: dict[str, Any]) -> bool:
        return self.emitter.writes(item) and not is_without_test(item["@if"])

    def add(self, part: Value | _Fields) -> None:
        """Write what overlays the result with one more part."""
        line, result = self.emitter.line, self.result
        if not isinstance(part, Value):
            for key, value in part:
                otherwise = f"{result}.pop({key}, None)" if self.final else f"{result}[{key}] = U"
                self.emitter.put(result, key, value, otherwise=otherwise)
            if not part:
                line("pass")
        elif self.final and part.holed:
            line(self.emitter.call(_overlay, result, part.text))
        else:
            spread = self.emitter.call(_spread, part.text)
            line(f"{result} |= {part.text} if type({part.text}) is dict else {spread}")


def _spread(members: Any) -> dict[str, Any]:
    return merged([members])


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


def _parts(options: Any) -> list[tuple[Keys, Any]]:
    objects = options.get("objects") if isinstance(options, dict) else None
    return [(("objects", at), part) for at, part in enumerate(objects)] if isinstance(objects, list) else []


MERGE = Directive("@merge", Options(_OPTIONS), _run, _emit, result="object", merges=_parts)
