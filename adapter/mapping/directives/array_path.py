"""`@arrayPath`: the list at a path, each item given a shape."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from adapter.errors import MappingError
from adapter.mapping.directives.path import lint_path, reads
from adapter.mapping.engine import paths
from adapter.mapping.engine.codegen import Scope, Value
from adapter.mapping.engine.directive import Directive, Report
from adapter.mapping.engine.options import PathAndShape
from adapter.mapping.engine.values import UNDEFINED, type_of

if TYPE_CHECKING:
    from adapter.mapping.engine.codegen import Emitter
    from adapter.mapping.engine.interpret import Resolver


def _run(options: Any, payload: Any, resolver: Resolver) -> Any:
    if type(options) is not list:
        raise MappingError(f"@arrayPath expected array, got {type_of(options)}")
    path = options[0] if options else UNDEFINED
    shape = options[1] if len(options) > 1 else None
    if type(path) is str:
        root = resolver.read(payload, paths.without_root(path))
    else:
        root = resolver.resolve(path, payload)
    if type(root) not in (dict, list) or type(shape) is not dict or not shape:
        return root
    items = root if type(root) is list else [root]
    return [resolver.resolve(shape, resolver.item(items, index)) for index in range(len(items))]


def _emit(options: Any, emitter: Emitter, final: bool) -> Value:
    path, shape = options[0], options[1] if len(options) > 1 else None
    root = emitter.read(paths.without_root(path)) if type(path) is str else emitter.value(path, final=False)
    if type(shape) is not dict or not shape:
        return root
    root = emitter.stored(root)
    result, items = emitter.name(), emitter.name()
    with emitter.block(f"if type({root.text}) is dict or type({root.text}) is list:"):
        emitter.line(f"{items} = {root.text} if type({root.text}) is list else [{root.text}]")
        shaped = emit_items(shape, items, result, emitter, final=final, holed=root.holed)
    with emitter.block("else:"):
        emitter.line(f"{result} = {emitter.finished(root).text if final else root.text}")
    return Value(result, root.misses, not final and (shaped or root.holed), simple=True)


def emit_items(
    shape: Any, items: str, result: str, emitter: Emitter, *, final: bool, holed: bool, skipping: bool = False
) -> bool:
    """Write the loop that gives each item its shape; return whether the result may hold UNDEFINED.

    Items of one list mostly are objects with the same members. So they are taken as such, which is faster,
    until the first item that is not. Where `skipping`, items without a value are left out.
    """
    item = emitter.name()
    emitter.line(f"{result} = []")
    shaping = _Shaping(shape, item, result, final, holed, skipping)
    before, emitter.looping = (emitter.looping, emitter.hopeful), True
    if not before[0] and not holed:
        items = _emit_hope(shaping, items, emitter)
    emitter.hopeful = False
    with emitter.block(f"for {item} in {items}:"):
        may_miss = _emit_item(shaping, emitter)
    emitter.looping, emitter.hopeful = before
    return may_miss


def _emit_hope(shaping: _Shaping, items: str, emitter: Emitter) -> str:
    """Write the fast loop; return the name of the items that it leaves over."""
    left, item = emitter.name(), shaping.item
    emitter.line(f"{left} = {emitter.call(iter, items)}")
    with emitter.block("try:"), emitter.hoping(), emitter.block(f"for {item} in {left}:"):
        _emit_item(shaping, emitter)
    emitter.line(f"except (KeyError, TypeError): {left} = {emitter.call(chain, f'({item},)', left)}")
    return left


class _Shaping(NamedTuple):
    shape: Any
    item: str
    result: str
    final: bool
    holed: bool
    skipping: bool


def _emit_item(shaping: _Shaping, emitter: Emitter) -> bool:
    with emitter.within(Scope(shaping.item, is_object=False, holed=shaping.holed)):
        value = emitter.value(shaping.shape, final=shaping.final)
        if value.misses and (shaping.final or shaping.skipping):
            value = emitter.stored(value)
            kept = f"None if {value.text} is U else {value.text}"
            guard = f"if {value.text} is not U: " if shaping.skipping else ""
            emitter.line(f"{guard}{shaping.result}.append({value.text if guard else kept})")
        else:
            emitter.line(f"{shaping.result}.append({value.text})")
    return (value.misses and not shaping.skipping) or value.holed


def _lint(options: Any, report: Report) -> None:
    if type(options[0]) is str:
        lint_path(options[0], lambda message, remedy: report((0,), message, remedy))


def _reads(options: Any) -> list[str]:
    return reads(options[0]) if isinstance(options, list) and options else []


ARRAY_PATH = Directive("@arrayPath", PathAndShape(), _run, _emit, _lint, scopes=(1,), reads=_reads)
