"""`@if`: one value or another."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from adapter.errors import MappingError
from adapter.mapping.engine.codegen import Value
from adapter.mapping.engine.directive import Branches, Directive, Keys, Report
from adapter.mapping.engine.directive_object import has_directive
from adapter.mapping.engine.javascript import text
from adapter.mapping.engine.options import Option, Options, Raw, Whatever
from adapter.mapping.engine.values import UNDEFINED, is_number, is_truthy

if TYPE_CHECKING:
    from adapter.mapping.engine.codegen import Emitter
    from adapter.mapping.engine.interpret import Resolver

NEITHER = '@if requires an "exists" key or a "blank" key'


def _run(options: Any, payload: Any, resolver: Resolver) -> Any:
    if type(options) is not dict:
        raise MappingError('@if requires an object with an "exists" key')
    if is_without_test(options):
        raise MappingError(NEITHER)
    holds = _holds(options, payload, resolver)
    if holds and "then" in options:
        return resolver.resolve(options["then"], payload)
    if not holds and is_truthy(options.get("else")):
        return resolver.resolve(options["else"], payload)
    return UNDEFINED


def _holds(options: dict[str, Any], payload: Any, resolver: Resolver) -> bool:
    if "exists" in options:
        value = resolver.resolve(options["exists"], payload)
        return value is not UNDEFINED and value is not None
    return is_filled(resolver.resolve(options.get("blank"), payload))


def is_filled(value: Any) -> bool:
    """Tell whether `blank` takes its `then`: the value is not null and not loosely equal to ''."""
    if type(value) is str:
        return value != ""
    if value is None or value is UNDEFINED:
        return False
    if type(value) is list:
        return text(value) != ""
    return bool(value) if is_number(value) or type(value) is bool else True


def is_without_test(options: Any) -> bool:
    """Tell whether neither test is there, as the reference sees it: a falsy literal counts as none."""
    return not is_truthy(options.get("exists")) and not is_truthy(options.get("blank"))


def _emit(options: Any, emitter: Emitter, final: bool) -> Value:
    if is_without_test(options):
        return emitter.failing(NEITHER)
    result = emitter.name()
    branches = []

    def write(mapping: Any) -> None:
        value = Value("U") if mapping is UNDEFINED else emitter.value(mapping, final=final)
        emitter.line(f"{result} = {value.text}")
        branches.append(value)

    emit_branches(options, emitter, write)
    misses = any(branch.misses for branch in branches)
    return Value(result, misses, any(branch.holed for branch in branches), simple=True)


def emit_branches(options: Any, emitter: Emitter, write: Callable[[Any], None]) -> None:
    """Write the test; `write` writes either branch, whose mapping is UNDEFINED where there is none."""
    exists = "exists" in options
    value = emitter.stored(emitter.value(options["exists" if exists else "blank"], final=False))
    with emitter.block(f"if {_there(value) if exists else _filled(value, emitter)}:"):
        emitter.scope.present |= {value.text}
        write(options.get("then", UNDEFINED))
    with emitter.block("else:"):
        otherwise = options.get("else")
        write(otherwise if is_truthy(otherwise) else UNDEFINED)


def _there(value: Value) -> str:
    return (
        f"{value.text} is not U and {value.text} is not None" if value.misses else f"{value.text} is not None"
    )


def _filled(value: Value, emitter: Emitter) -> str:
    return f"({value.text} != '' if type({value.text}) is str else {emitter.call(is_filled, value.text)})"


def _lint(options: Any, report: Report) -> None:
    if is_without_test(options):
        report((), "the test is an empty value, which the reference refuses", "test a directive")
    if "else" in options and not is_truthy(options["else"]):
        remedy = 'leave it out, or write {"@literal": …} around it to keep it'
        report(("else",), "an `else` of null, false, 0 or empty text is dropped", remedy)
    if "exists" in options and "blank" in options:
        report(("blank",), "`blank` is ignored next to `exists`", "keep one of the two")
    if "then" not in options and "else" not in options:
        report((), "`@if` without `then` and `else` yields nothing", "write what it should yield")


def _of(options: Any) -> list[tuple[Keys, Any]]:
    given = options if isinstance(options, dict) else {}
    return [((branch,), given[branch]) for branch in ("then", "else") if branch in given]


def _taken(options: Any, payload: Any, resolver: Resolver) -> str | None:
    if not isinstance(options, dict):
        return None
    return "then" if _holds(options, payload, resolver) else "else"


def _doubt(options: Any, report: Report) -> None:
    tested = options.get("exists", options.get("blank")) if isinstance(options, dict) else None
    if tested is not None and not has_directive(tested):
        report((), "the condition is the same for every message", "test a `@path`")


_OPTIONS = {
    "exists": Option(Raw()),
    "blank": Option(Whatever(), checked=False),
    "then": Option(Raw()),
    "else": Option(Raw()),
}

_SHAPE = Options(_OPTIONS, one_of=("exists", "blank"))

IF = Directive("@if", _SHAPE, _run, _emit, _lint, branches=Branches(_of, _taken), doubt=_doubt)
