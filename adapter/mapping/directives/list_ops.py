"""`@filter` and `@map`: lists filtered, and rebuilt item by item. Ours; Segment does not know them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adapter.errors import MappingError
from adapter.mapping.directives import _filters
from adapter.mapping.directives.array_path import emit_items
from adapter.mapping.engine.codegen import Value
from adapter.mapping.engine.directive import Directive, Report
from adapter.mapping.engine.options import Members, Option, Options, Raw, Whatever
from adapter.mapping.engine.values import UNDEFINED

if TYPE_CHECKING:
    from adapter.mapping.engine.codegen import Emitter
    from adapter.mapping.engine.interpret import Resolver


def as_items(value: Any) -> Any:
    """Return a list: a list as it is, one other value alone in a list, UNDEFINED for missing and null."""
    if type(value) is list or value is UNDEFINED:
        return value
    return UNDEFINED if value is None else [value]


def _run_filter(options: Any, payload: Any, resolver: Resolver) -> Any:
    items = as_items(_items(options, "@filter", "where", payload, resolver))
    where = resolver.resolve(options["where"], payload)
    holds = _filters.predicate(where)
    return items if items is UNDEFINED else [item for item in items if holds(item)]


def _emit_filter(options: Any, emitter: Emitter, final: bool) -> Value:
    items = emitter.value(options["items"], final=False)
    where = options["where"]
    if _filters.is_constant(where) and not any(_filters.problems(where)):
        text = emitter.call(_filtered, items.text, emitter.constant(_filters.predicate(where)))
    else:
        text = emitter.call(_filtered_by, items.text, emitter.value(where, final=False).text)
    return Value(text, holed=items.holed)


def _filtered_by(value: Any, where: Any) -> Any:
    return _filtered(value, _filters.predicate(where))


def _filtered(value: Any, holds: Any) -> Any:
    items = as_items(value)
    return items if items is UNDEFINED else [item for item in items if holds(item)]


def _lint_filter(options: Any, report: Report) -> None:
    for path, message, remedy in _filters.problems(options["where"]):
        report(("where", *path), message, remedy)


def _run_map(options: Any, payload: Any, resolver: Resolver) -> Any:
    items = as_items(_items(options, "@map", "to", payload, resolver))
    if items is UNDEFINED:
        return UNDEFINED
    shared = resolver.resolve(options.get("with", UNDEFINED), payload)
    found = []
    for index in range(len(items)):
        item = resolver.item(items, index)
        value = resolver.resolve(options["to"], joined(item, shared))
        if value is not UNDEFINED:
            found.append(value)
    return found


def joined(item: Any, shared: Any) -> Any:
    """Return an item with the members that `with` shares out; one that is not an object becomes `value`."""
    if type(shared) is not dict:
        return item
    return {**(item if type(item) is dict else {"value": item}), **shared}


def _emit_map(options: Any, emitter: Emitter, final: bool) -> Value:
    value = emitter.value(options["items"], final=False)
    items = emitter.stored(Value(emitter.call(as_items, value.text), holed=value.holed))
    holed = items.holed
    result = emitter.name()
    with emitter.block(f"if {items.text} is not U:"):
        if "with" in options:
            shared = emitter.stored(emitter.value(options["with"], final=False))
            holed = holed or shared.holed
            items = emitter.stored(Value(emitter.call(_all_joined, items.text, shared.text)))
        shaped = emit_items(
            options["to"], items.text, result, emitter, final=final, holed=holed, skipping=True
        )
    emitter.line(f"else: {result} = U")
    return Value(result, True, not final and shaped, simple=True)


def _all_joined(items: list[Any], shared: Any) -> list[Any]:
    return [joined(item, shared) for item in items]


def _items(options: Any, name: str, other: str, payload: Any, resolver: Resolver) -> Any:
    if type(options) is not dict or "items" not in options or other not in options:
        raise MappingError(f'{name} requires an object with an "items" key and a "{other}" key')
    return resolver.resolve(options["items"], payload)


_FILTER = {"items": Option(Raw(), required=True), "where": Option(Whatever(), required=True)}
_MAP = {
    "items": Option(Raw(), required=True),
    "to": Option(Raw(), required=True),
    "with": Option(Members()),
}

FILTER = Directive(
    "@filter", Options(_FILTER), _run_filter, _emit_filter, _lint_filter, portable=False, scopes=("where",)
)
MAP = Directive("@map", Options(_MAP), _run_map, _emit_map, portable=False, scopes=("to",))
