"""What visitors of the role `read` do not see: the values of `console.mask`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from adapter.console.visitor import Visitor
from adapter.services.ingest.journal_mask import MASKED
from adapter.settings.values import Settings

#: Members that name what their sibling `value` is the value of.
_NAMING: Final = ("name", "path", "field", "key", "kind", "column")
#: A shorter value stands in too many texts by chance.
_SHORTEST: Final = 4
#: Where a value may end in a text: `ann@shop.example` does not stand in `joann@shop.example`.
_EDGE: Final = r"(?<![^\W_]){}(?![^\W_])"


def masked(value: Any, visitor: Visitor, settings: Settings) -> Any:
    """Return what a visitor may see of plain JSON values: all, but for the role `read` and a mask.

    Values under a masked name are replaced at any depth, in any case of letters, also where an object says
    the name and the value in two members; and wherever a text repeats one of these values.
    """
    names = frozenset(each.casefold() for each in settings.console.mask)
    if not names or visitor.can("operate"):
        return value
    hidden = sorted({each for each in _hidden(value, names) if len(each) >= _SHORTEST}, key=len, reverse=True)
    repeated = re.compile("|".join(_EDGE.format(re.escape(each)) for each in hidden)) if hidden else None
    return _without(value, names, repeated)


def _without(value: Any, names: frozenset[str], repeated: re.Pattern[str] | None) -> Any:
    if isinstance(value, dict):
        return {
            key: MASKED
            if _is_hidden(key, value, names) and below is not None
            else _without(below, names, repeated)
            for key, below in value.items()
        }
    if isinstance(value, list):
        return [_without(each, names, repeated) for each in value]
    return repeated.sub(MASKED, value) if repeated is not None and isinstance(value, str) else value


def _is_hidden(key: str, object_: dict[str, Any], names: frozenset[str]) -> bool:
    if key.casefold() in names:
        return True
    return key == "value" and any(_last(object_.get(naming)) in names for naming in _NAMING)


def _last(path: Any) -> str:
    """Return the last part of a path such as `traits.address.email` or `$.traits['email']`."""
    return re.split(r"[.\[\]'\"/]+", path.strip("]'\""))[-1].casefold() if isinstance(path, str) else ""


def _hidden(value: Any, names: frozenset[str]) -> Iterator[str]:
    """Yield the texts and numbers under masked names."""
    if isinstance(value, dict):
        for key, below in value.items():
            yield from _scalars(below) if _is_hidden(key, value, names) else _hidden(below, names)
    elif isinstance(value, list):
        for each in value:
            yield from _hidden(each, names)


def _scalars(value: Any) -> Iterable[str]:
    if isinstance(value, dict | list):
        below = value.values() if isinstance(value, dict) else value
        return [text for each in below for text in _scalars(each)]
    return [] if value is None or isinstance(value, bool) else [str(value)]
