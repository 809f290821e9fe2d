"""`@lower`, `@upper`, `@trim`: text, or each text of a list. Ours; Segment does not know them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from adapter.mapping.directives._conversions import absent, is_absent
from adapter.mapping.directives._converting import Conversion, converting, refuse_kind
from adapter.mapping.engine.directive import Directive
from adapter.mapping.engine.options import Raw


def changed(value: Any, name: str, change: Callable[[str], str]) -> Any:
    """Return text changed, or a list of texts with each of them; in a list null stays, blank text goes."""
    if is_absent(value):
        return absent(value)
    if type(value) is str:
        return change(value)
    if type(value) is not list:
        refuse_kind(name, value, "text, nor a list of texts")
    for item in value:
        if item is not None and type(item) is not str:
            refuse_kind(name, item, "text, and it is in a list of texts")
    return [item if item is None else change(item) for item in value if item is None or item.strip()]


def _changing(name: str, change: Callable[[str], str]) -> Directive:
    convert = partial(changed, name=name, change=change)
    return converting(name, Raw(), lambda options: Conversion((options,), convert))


LOWER = _changing("@lower", str.lower)
UPPER = _changing("@upper", str.upper)
TRIM = _changing("@trim", str.strip)
