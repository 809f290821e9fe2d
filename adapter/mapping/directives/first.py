"""`@first`: the first of several values that says something. Ours; Segment does not know it."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from adapter.errors import MappingError
from adapter.mapping.engine.codegen import Value
from adapter.mapping.engine.directive import Branches, Directive, Keys, Report
from adapter.mapping.engine.directive_object import has_directive
from adapter.mapping.engine.options import Items, Raw
from adapter.mapping.engine.values import UNDEFINED, type_of

if TYPE_CHECKING:
    from adapter.mapping.engine.codegen import Emitter
    from adapter.mapping.engine.interpret import Resolver


def _run(options: Any, payload: Any, resolver: Resolver) -> Any:
    if type(options) is not list:
        raise MappingError(f"@first expected array, got {type_of(options)}")
    for option in options:
        value = resolver.resolve(option, payload)
        if is_told(value):
            return value
    return UNDEFINED


def is_told(value: Any) -> bool:
    """Tell whether `@first` takes a value: it is neither missing nor null nor blank text."""
    if type(value) is str:
        return value != "" and not value.isspace()
    return value is not UNDEFINED and value is not None


def _emit(options: Any, emitter: Emitter, final: bool) -> Value:
    result = emitter.name()
    holed, sure = False, False
    with ExitStack() as blocks:
        for option in options:
            value = emitter.value(option, final=final)
            emitter.line(f"{result} = {value.text}")
            holed = holed or value.holed
            sure = type(option) is not dict and is_told(option)
            if sure:
                break
            blocks.enter_context(emitter.block(f"if {_passed_over(result)}:"))
        else:
            emitter.line(f"{result} = U")
    return Value(result, misses=not sure, holed=holed, simple=True)


def _passed_over(name: str) -> str:
    blank = f"type({name}) is str and (not {name} or {name}.isspace())"
    return f"{name} is U or {name} is None or {blank}"


def _of(options: Any) -> list[tuple[Keys, Any]]:
    return [((at,), part) for at, part in enumerate(options)] if isinstance(options, list) else []


def _taken(options: Any, payload: Any, resolver: Resolver) -> int | None:
    values = enumerate(options) if isinstance(options, list) else ()
    return next((at for at, part in values if is_told(resolver.resolve(part, payload))), None)


def _doubt(options: Any, report: Report) -> None:
    for (at,), part in _of(options)[:-1]:
        if part is not None and not has_directive(part):
            message = "never reached: the value before it is always there"
            report((int(at) + 1,), message, "drop it, or move the fixed value to the end")
            return


FIRST = Directive(
    "@first", Items(Raw()), _run, _emit, portable=False, branches=Branches(_of, _taken), doubt=_doubt
)
