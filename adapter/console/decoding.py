"""What the URL and forms say, as values of the types that pages and acts declare."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Struct

from adapter.errors import Unreadable

T = TypeVar("T", bound=Struct)
#: Larger numbers are no ids, and databases do not take them.
_LARGEST: Final = 2**62
#: Years of times: rules reckon days and months from them.
_EARLIEST, _LATEST = 1970, 9000


def decoded(kind: type[T], given: Iterable[tuple[str, Any]]) -> T:
    """Return a query or a form; empty fields count as absent, repeated ones of a list are its elements.

    Raises Unreadable with what is wrong, and which names there are.
    """
    names = kind.__struct_encode_fields__
    lists = {field.encode_name for field in msgspec.structs.fields(kind) if _is_list(field.type)}
    values: dict[str, Any] = {}
    for name, value in given:
        if name not in names:
            known = ", ".join(f"`{each}`" for each in names) or "none"
            raise Unreadable(f"there is no `{name}` here; the names are: {known}")
        if name in lists:
            values.setdefault(name, []).append(value)
        elif value != "":
            values[name] = value
    try:
        found = msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        raise Unreadable(str(error)[:1].lower() + str(error)[1:]) from None
    for name in values:
        number = getattr(found, name, None)
        if isinstance(number, int) and abs(number) > _LARGEST:
            raise Unreadable(f"`{name}` is larger than any number here")
    return found


def moment_of(name: str, text: str) -> datetime:
    """Return the time that a field `name` says, in UTC where it names no zone; raises Unreadable."""
    try:
        found = datetime.fromisoformat(text)
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Unreadable(f"`{name}` is a time, as 2026-11-21T12:00 or 2026-11-21T12:00:00Z") from None
    if not _EARLIEST <= found.year <= _LATEST:
        raise Unreadable(f"`{name}` is a time between the years {_EARLIEST} and {_LATEST}")
    return found


def _is_list(kind: Any) -> bool:
    return getattr(kind, "__origin__", kind) in (list, tuple)
