"""`@lenient`: a value of a type where it can be read as one, else as it came. Ours; not known to Segment."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from adapter.errors import MappingError
from adapter.mapping.directives._converting import Conversion, Converting, converting
from adapter.mapping.directives.date import date_conversion
from adapter.mapping.directives.type_casts import CONVERTING
from adapter.mapping.engine.directive import Report
from adapter.mapping.engine.directive_object import is_directive, name_of
from adapter.mapping.engine.options import Raw

_CONVERTING: dict[str, Converting] = {
    **{name: CONVERTING[name] for name in ("@amount", "@boolean", "@datetime", "@number", "@string")},
    "@date": date_conversion,
}
_REMEDY = f"write one of {', '.join(f'`{name}`' for name in _CONVERTING)} under it"


@lru_cache(maxsize=64)
def _lenient(convert: Callable[..., Any]) -> Callable[..., Any]:
    """Return the same function for the same conversion, so that a compiled mapping has it once."""

    def lenient(value: Any, *others: Any) -> Any:
        try:
            return convert(value, *others)
        except MappingError:
            return value

    return lenient


def _conversion(options: Any) -> Conversion:
    name = name_of(options) if is_directive(options) else ""
    if name not in _CONVERTING:
        raise MappingError(f"@lenient requires a conversion: {_REMEDY}")
    conversion = _CONVERTING[name](options[name])
    return conversion._replace(convert=_lenient(conversion.convert))


def _lint(options: Any, report: Report) -> None:
    name = name_of(options) if is_directive(options) else ""
    if name not in _CONVERTING:
        report((), "`@lenient` reads a value as a type, and names none", _REMEDY)


LENIENT = converting("@lenient", Raw(), _conversion, _lint)
