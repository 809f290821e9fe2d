"""Mapped values as an action's fields take them; what does not fit is a `MappingError`.

Messages name the field and the type that came, never the value: ids, emails and names are personal data.
(`conversions`, which is for amounts, flags and dates, shows short values.)
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, NoReturn

from adapter.errors import MappingError
from adapter.model import quantities as amount
from adapter.model.customers import LINKING
from adapter.model.ids import DEVICE, MAX_ID, RESERVED

_NUMBER = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?")


def identifier(value: Any, field: str) -> str | None:
    """Return an id as text: a number becomes its exact text, null and blank text are None."""
    if value is None:
        return None
    said: str = value if value.__class__ is str else _number_text(value, field, "text or a number")
    if len(said) > MAX_ID:
        raise MappingError(f"`{field}` is longer than {MAX_ID} characters")
    if "\0" in said:
        raise MappingError(f"`{field}` holds a NUL character")
    return said if said and not said.isspace() else None


def person(value: Any, field: str) -> str | None:
    """Return the id of a person, as `identifier` does."""
    said = identifier(value, field)
    if said is not None and said.startswith(RESERVED):
        prefix = said[: said.index(":") + 1]
        what = "devices are counted" if prefix == DEVICE else "values of keys are counted"
        raise MappingError(f"`{field}` begins with `{prefix}`, under which {what}, not people")
    return said


def identifiers(value: Any, field: str) -> tuple[str, ...]:
    """Return one id or a list of them, nulls and blanks left out, each once, in order."""
    items = value if isinstance(value, list) else (value,)
    found = dict.fromkeys(identifier(item, field) for item in items)
    return tuple(item for item in found if item is not None)


def identity_map(value: Any, field: str) -> dict[str, str]:
    """Return kind to id, nulls and blanks left out."""
    found: dict[str, str] = {}
    for kind, item in (mapping(value, field) or {}).items():
        said = (person if kind in LINKING else identifier)(item, f"{field}.{kind}")
        if said is not None:
            found[kind] = said
    return found


def text(value: Any, field: str) -> str | None:
    """Return trimmed text; numbers and booleans become text, null and blank text are None."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    said: str = value if value.__class__ is str else _number_text(value, field, "text")
    return said.strip() or None


def names(value: Any, field: str) -> tuple[str, ...]:
    """Return a text or a list of texts as texts, blanks left out, each once, in order."""
    if value is None:
        return ()
    items = value if isinstance(value, list) else (value,)
    found = dict.fromkeys(text(item, field) for item in items)
    return tuple(item for item in found if item is not None)


def mapping(value: Any, field: str) -> dict[str, Any] | None:
    """Return an object as it is; null is None."""
    if value is not None and not isinstance(value, dict):
        wrong_type(value, field, "an object")
    return value


def memberships(value: Any, field: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the segments joined (true) and left (false); nulls say nothing."""
    joined: list[str] = []
    left: list[str] = []
    for segment, member in (mapping(value, field) or {}).items():
        if member is True:
            joined.append(segment)
        elif member is False:
            left.append(segment)
        elif member is not None:
            wrong_type(member, f"{field}.{segment}", "true or false")
    return tuple(joined), tuple(left)


def units(value: Any, field: str) -> Decimal | None:
    """Return a number, or text that is one, of 0 or more, to a millionth; null and blank text are None."""
    said = text(value, field)
    if said is None:
        return None
    found = None if isinstance(value, bool) or not _NUMBER.fullmatch(said) else amount.units(Decimal(said))
    if found is None:
        raise MappingError(f"`{field}` is not a number of units, such as 12 or 2.5")
    return found


def wrong_type(value: Any, field: str, wanted: str) -> NoReturn:
    """Raise the error that says what came and what the field takes."""
    raise MappingError(f"`{field}` is {_described(value)}, but must be {wanted}")


def _number_text(value: Any, field: str, wanted: str) -> str:
    if value.__class__ is int:
        return str(value)
    if isinstance(value, float) and math.isfinite(value):
        return str(int(value)) if value.is_integer() and abs(value) < 1e21 else repr(value)
    if isinstance(value, Decimal) and value.is_finite():
        return format(value, "f")
    wrong_type(value, field, wanted)


_DESCRIBED: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, "a boolean"),
    ((int, float, Decimal), "a number"),
    (str, "text"),
    (dict, "an object"),
    (list, "a list"),
)


def _described(value: Any) -> str:
    for kinds, words in _DESCRIBED:
        if isinstance(value, kinds):
            return words
    return f"a {value.__class__.__name__}"


#: By kind of `actions.Field`: what turns a mapped value into the field's.
READERS: dict[str, Callable[[Any, str], Any]] = {
    "id": identifier,
    "ids": identifiers,
    "identities": identity_map,
    "text": text,
    "names": names,
    "object": mapping,
    "memberships": memberships,
    "units": units,
}
