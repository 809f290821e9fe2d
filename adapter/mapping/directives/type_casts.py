"""`@number`, `@amount`, `@string`, `@boolean`, `@datetime`, `@object`: a value of a type.

Ours; Segment does not know them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adapter.errors import MappingError
from adapter.mapping.directives import _conversions
from adapter.mapping.directives._converting import Conversion, Converting, converting
from adapter.mapping.directives._locales import lint_locale
from adapter.mapping.engine.options import Option, Options, Raw, Text, ValueWithOptions, has_options

Convert = Callable[..., Any]
_WITH_LOCALE = ValueWithOptions(
    Options({"value": Option(Raw(), required=True), "locale": Option(Text(), required=True)})
)


def _plainly(convert: Convert, already: str = "") -> Converting:
    """Return what reads a value; `already` tests for values that came in the type."""
    return lambda options: Conversion((options,), convert, already)


def _by_locale(name: str, convert: Convert, convert_in: Convert, already: str) -> Converting:
    """Return what reads a value, of text as the option `locale` says where it is given."""

    def conversion(options: Any) -> Conversion:
        if not has_options(options):
            return Conversion((options,), convert, already)
        if "locale" not in options:
            raise MappingError(f'{name} with a "value" key requires a "locale" key')
        return Conversion((options["value"], options["locale"]), convert_in, already)

    return conversion


#: What the directives of this module read, by their names.
CONVERTING: dict[str, Converting] = {
    "@number": _by_locale("@number", _conversions.number, _conversions.number_in,
                          "type({0}) is int or type({0}) is float"),
    "@amount": _by_locale("@amount", _conversions.amount, _conversions.amount_in, "type({0}) is int"),
    "@string": _plainly(_conversions.string, "type({0}) is str"),
    "@boolean": _plainly(_conversions.boolean, "type({0}) is bool"),
    "@datetime": _plainly(_conversions.moment),
    "@object": _plainly(_conversions.members, "type({0}) is dict"),
}  # fmt: skip

NUMBER = converting("@number", _WITH_LOCALE, CONVERTING["@number"], lint_locale, "number")
AMOUNT = converting("@amount", _WITH_LOCALE, CONVERTING["@amount"], lint_locale, "number")
STRING = converting("@string", Raw(), CONVERTING["@string"], result="text")
BOOLEAN = converting("@boolean", Raw(), CONVERTING["@boolean"], result="boolean")
DATETIME = converting("@datetime", Raw(), CONVERTING["@datetime"], result="datetime")
OBJECT = converting("@object", Raw(), CONVERTING["@object"], result="object")
