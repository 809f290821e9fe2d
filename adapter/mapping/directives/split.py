"""`@split`: the parts of a text. Ours; Segment does not know it."""

from __future__ import annotations

from functools import partial
from typing import Any

from adapter.errors import MappingError
from adapter.mapping.directives._conversions import absent, is_absent
from adapter.mapping.directives._converting import Conversion, converting, refuse_kind
from adapter.mapping.engine.options import Flag, Option, Options, Plain, Raw, Whole
from adapter.mapping.engine.values import UNDEFINED

_LAST = 1000
_OPTIONS = {
    "value": Option(Raw(), required=True),
    "by": Option(Plain(least=1, most=20), required=True),
    "take": Option(Whole(-_LAST, _LAST)),
    "blanks": Option(Flag()),
}


def _conversion(options: Any) -> Conversion:
    if type(options) is not dict or "value" not in options or type(options.get("by")) is not str:
        raise MappingError('@split requires an object with a "value" key and a "by" key')
    take = options.get("take")
    if not options["by"] or (take is not None and type(take) is not int):
        raise MappingError('@split requires text under "by", and a whole number under "take"')
    return Conversion(
        (options["value"],), partial(split, by=options["by"], take=take, blanks=options.get("blanks") is True)
    )


def split(value: Any, by: str, take: int | None = None, *, blanks: bool = False) -> Any:
    """Return the parts of a text without surrounding blanks; a list of texts is taken as split already.

    Empty parts are left out of the list, unless `blanks`. `take` is the index of the one part to return, from
    0, or from -1 backwards, empty parts counted; UNDEFINED where there is no such part, or it is empty.
    """
    if is_absent(value):
        return absent(value)
    if type(value) is str:
        parts = [part.strip() for part in value.split(by)]
    elif type(value) is list and all(type(item) is str for item in value):
        parts = [item.strip() for item in value]
    else:
        refuse_kind("@split", value, "text, nor a list of texts")
    if take is None:
        return parts if blanks else [part for part in parts if part]
    return parts[take] if -len(parts) <= take < len(parts) and parts[take] else UNDEFINED


SPLIT = converting("@split", Options(_OPTIONS), _conversion)
