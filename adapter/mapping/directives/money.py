"""`@money`: an amount in minor units of its currency. Ours; Segment does not know it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adapter.errors import MappingError
from adapter.mapping.directives import _conversions
from adapter.mapping.directives._locales import lint_locale
from adapter.mapping.engine.codegen import Value
from adapter.mapping.engine.directive import Directive, Report
from adapter.mapping.engine.options import Option, Options, Plain, Raw, Text
from adapter.mapping.engine.values import UNDEFINED

if TYPE_CHECKING:
    from adapter.mapping.engine.codegen import Emitter
    from adapter.mapping.engine.interpret import Resolver


def _run(options: Any, payload: Any, resolver: Resolver) -> Any:
    if type(options) is not dict:
        raise MappingError('@money requires an object with an "amount" key and a "currency" key')
    amount = resolver.resolve(options.get("amount", UNDEFINED), payload)
    currency = resolver.resolve(options.get("currency", UNDEFINED), payload)
    rounding = options.get("rounding", "half_up")
    if "locale" not in options:
        return _conversions.money(amount, currency, rounding)
    return _conversions.money_in(amount, currency, rounding, resolver.resolve(options["locale"], payload))


def _emit(options: Any, emitter: Emitter, final: bool) -> Value:
    amount = emitter.value(options["amount"], final=False)
    currency = emitter.value(options["currency"], final=False)
    rounding = emitter.constant(options.get("rounding", "half_up"))
    if "locale" not in options:
        return Value(emitter.call(_conversions.money, amount.text, currency.text, rounding))
    locale = emitter.value(options["locale"], final=False)
    return Value(emitter.call(_conversions.money_in, amount.text, currency.text, rounding, locale.text))


_OPTIONS = {
    "amount": Option(Raw(), required=True),
    "currency": Option(Raw(), required=True),
    "locale": Option(Text()),
    "rounding": Option(Plain(choices=_conversions.ROUNDINGS)),
}


def _lint(options: Any, report: Report) -> None:
    lint_locale(options, report)
    currency = options["currency"]
    if type(currency) is dict:
        if "@literal" not in currency:
            return
        currency = currency["@literal"]
    if not _conversions.is_currency(currency):
        report(
            ("currency",), f"`{currency}` is no currency", "write the three letters of ISO 4217, as in EUR"
        )


MONEY = Directive("@money", Options(_OPTIONS), _run, _emit, _lint, portable=False, result="money")
