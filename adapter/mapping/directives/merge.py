"""`@merge`: several objects in one, the later (or the earlier) winning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adapter.errors import MappingError
from adapter.mapping.directive import Directive
from adapter.mapping.javascript import code_units
from adapter.mapping.shapes import Items, Members, Option, Options, Plain
from adapter.mapping.values import is_truthy, type_of

if TYPE_CHECKING:
    from adapter.mapping.interpret import Resolver

WITHOUT_DIRECTION = '@merge requires a "direction" key'


def run(options: Any, payload: Any, resolver: Resolver) -> dict[str, Any]:
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


_OPTIONS = {
    "direction": Option(Plain(choices=("left", "right")), needed=True),
    "objects": Option(Items(Members()), required=True),
}

MERGE = Directive("@merge", Options(_OPTIONS), run)
