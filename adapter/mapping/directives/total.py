"""`@total`: what the items of a list cost together. Ours; Segment does not know it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from adapter.errors import MappingError
from adapter.mapping.directives.array_path import emit_items
from adapter.mapping.directives.list_ops import as_items
from adapter.mapping.engine.codegen import Value
from adapter.mapping.engine.directive import Directive
from adapter.mapping.engine.options import Option, Options, Raw
from adapter.mapping.engine.values import UNDEFINED
from adapter.model.amounts import amount_of

if TYPE_CHECKING:
    from adapter.mapping.engine.codegen import Emitter
    from adapter.mapping.engine.interpret import Resolver

_MISSING = '@total requires an object with an "items" key and a "price" key'


def _run(options: Any, payload: Any, resolver: Resolver) -> Any:
    if type(options) is not dict or "items" not in options or "price" not in options:
        raise MappingError(_MISSING)
    items = as_items(resolver.resolve(options["items"], payload))
    if items is UNDEFINED:
        return UNDEFINED
    item = _shape(options)
    return total([resolver.resolve(item, resolver.item(items, index)) for index in range(len(items))])


def _shape(options: dict[str, Any]) -> dict[str, Any]:
    return {name: options[name] for name in ("price", "quantity") if name in options}


def total(lines: list[dict[str, Any]]) -> Any:
    """Return the exact sum of prices times quantities, UNDEFINED where one cannot be read, or there is none.

    An item that says no quantity is one.
    """
    if not lines:
        return UNDEFINED
    found = Decimal(0)
    for line in lines:
        price, quantity = amount_of(line["price"]), _quantity(line.get("quantity"))
        if price is None or quantity is None:
            return UNDEFINED
        found += Decimal(repr(price)) * Decimal(repr(quantity))
    return int(found) if found == found.to_integral_value() else float(found)


def _quantity(value: Any) -> int | float | None:
    blank = value is None or value is UNDEFINED or (type(value) is str and not value.strip())
    return 1 if blank else amount_of(value)


def _emit(options: Any, emitter: Emitter, final: bool) -> Value:
    items = emitter.stored(
        Value(emitter.call(as_items, emitter.value(options["items"], final=False).text), holed=True)
    )
    lines = emitter.name()
    with emitter.block(f"if {items.text} is not U:"):
        emit_items(_shape(options), items.text, lines, emitter, final=False, holed=True, skipping=False)
        emitter.line(f"{lines} = {emitter.call(total, lines)}")
    emitter.line(f"else: {lines} = U")
    return Value(lines, simple=True)


_OPTIONS = {
    "items": Option(Raw(), required=True),
    "price": Option(Raw(), required=True),
    "quantity": Option(Raw()),
}

TOTAL = Directive(
    "@total", Options(_OPTIONS), _run, _emit, portable=False, result="number", scopes=("price", "quantity")
)
