"""`@first`: the first of several values that is there and not null. Ours; Segment does not know it."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from adapter.errors import MappingError
from adapter.mapping.directive import Directive
from adapter.mapping.emit import Value
from adapter.mapping.shapes import Items, Raw
from adapter.mapping.values import UNDEFINED, type_of

if TYPE_CHECKING:
    from adapter.mapping.emit import Emitter
    from adapter.mapping.interpret import Resolver


def _run(options: Any, payload: Any, resolver: Resolver) -> Any:
    if type(options) is not list:
        raise MappingError(f"@first expected array, got {type_of(options)}")
    for option in options:
        value = resolver.resolve(option, payload)
        if value is not UNDEFINED and value is not None:
            return value
    return UNDEFINED


def _emit(options: Any, emitter: Emitter, final: bool) -> Value:
    result = emitter.name()
    holed, sure = False, False
    with ExitStack() as blocks:
        for option in options:
            value = emitter.value(option, final=final)
            emitter.line(f"{result} = {value.text}")
            holed = holed or value.holed
            sure = option is not None and type(option) is not dict
            if sure:
                break
            blocks.enter_context(emitter.block(f"if {result} is U or {result} is None:"))
        else:
            emitter.line(f"{result} = U")
    return Value(result, misses=not sure, holed=holed, simple=True)


FIRST = Directive("@first", Items(Raw()), _run, _emit, portable=False)
