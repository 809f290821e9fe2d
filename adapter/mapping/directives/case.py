"""`@case`: text in lower or upper case; other values pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adapter.errors import MappingError
from adapter.mapping.engine.codegen import Value
from adapter.mapping.engine.directive import Directive, Report
from adapter.mapping.engine.options import Option, Options, Plain, Text
from adapter.mapping.engine.values import UNDEFINED, is_truthy

if TYPE_CHECKING:
    from adapter.mapping.engine.codegen import Emitter
    from adapter.mapping.engine.interpret import Resolver

WITHOUT_OPERATOR = '@case requires a "operator" key'


def _run(options: Any, payload: Any, resolver: Resolver) -> Any:
    if type(options) is not dict:
        raise MappingError('@case requires an object with a "operator" key')
    if not is_truthy(options.get("operator")):
        raise MappingError(WITHOUT_OPERATOR)
    if not is_truthy(options.get("value")):
        return UNDEFINED
    value = resolver.resolve(options["value"], payload)
    return recased(value, options["operator"]) if type(value) is str else value


def recased(value: str, operator: str) -> str:
    """Return the text in the case that the operator names."""
    if operator == "lower":
        return value.lower()
    if operator == "upper":
        return value.upper()
    raise MappingError('operator key should have a value of "lower" or "upper"')


def _emit(options: Any, emitter: Emitter, final: bool) -> Value:
    operator = options.get("operator")
    if not operator:
        return emitter.failing(WITHOUT_OPERATOR)
    if not is_truthy(options.get("value")):
        return Value("U")
    value = emitter.stored(emitter.value(options["value"], final=final))
    method = {"lower": f"{value.text}.lower()", "upper": f"{value.text}.upper()"}.get(operator)
    changed = method or emitter.call(recased, value.text, emitter.constant(operator))
    return value._replace(text=f"({changed} if type({value.text}) is str else {value.text})", simple=False)


def _lint(options: Any, report: Report) -> None:
    if options["operator"] not in ("lower", "upper"):
        report(("operator",), f"`{options['operator']}` is not known here", "write `lower` or `upper`")
    if options["value"] == "":
        report(("value",), "an empty value yields nothing", "write a directive")


CASE = Directive(
    "@case",
    Options({"operator": Option(Plain(), needed=True), "value": Option(Text(), needed=True)}),
    _run,
    _emit,
    _lint,
)
