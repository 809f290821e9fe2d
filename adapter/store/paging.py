"""Pages of rows: where one begins, what goes into it, and the text that continues it."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from adapter.errors import Unreadable
from adapter.model.pages import Page
from adapter.store.values import PAGE_BYTES

T = TypeVar("T")
#: No id or moment is above it, and no text above the other.
LAST_ID = 2**63 - 1
LAST_TEXT = "\U0010ffff"
#: No moment is below it, and no text or number below the others.
FIRST_MOMENT, FIRST_TEXT, FIRST_ID = -(2**63), "", -1
#: The number of rows in a page that is read as a whole.
MANY_ROWS = 1_000


class Cursor(Struct, frozen=True, array_like=True):
    """Where a page ended: the moment and the id or number of its last row; so many of its rows have both."""

    moment: int
    tie: str | int
    skip: int


def read_cursor(before: str | None, highest: str | int, moment_: int = LAST_ID) -> Cursor:
    """Return where a page begins, at `moment_` and `highest` where it is the first; raises Unreadable."""
    if before is None:
        return Cursor(moment_, highest, 0)
    try:
        found = msgspec.json.decode(urlsafe_b64decode(before.encode() + b"=="), type=Cursor)
    except (ValueError, msgspec.DecodeError) as error:
        raise Unreadable("`before` is the `next` of the page before, as it was given") from error
    if type(found.tie) is not type(highest) or not 0 <= found.skip <= LAST_ID or abs(found.moment) > LAST_ID:
        raise Unreadable("`before` is the `next` of the page of another list")
    return found


def page(
    rows: Iterable[tuple[bytes, int, Any]], begun: Cursor, limit: int, read: Callable[[bytes], T]
) -> Page[T]:
    """Return a page of rows of body, moment and id or number; no more are taken than go into it, and one."""
    found, size, last = Page[T](), 0, begun
    for body, moment_, tie in rows:
        full = len(found) == limit
        if not full:
            same = (moment_, tie) == (last.moment, last.tie)
            last = Cursor(moment_, tie, last.skip + 1 if same else 1)
            found.append(read(body))
            size += len(body)
        if full or size >= PAGE_BYTES:
            found.next = cursor_text(last)
            break
    return found


def owned_page(
    rows: Iterable[Sequence[Any]],
    names: Mapping[str, str],
    begun: Cursor,
    limit: int,
    read: Callable[[str, bytes], T],
) -> Page[T]:
    """Return a page of rows of body, moment, id and the key of the customer whose they are."""
    keyed = [((row[3], row[0]), row[1], row[2]) for row in rows]
    found, last = Page[T](), begun
    for (key, body), moment_, tie in keyed[:limit]:
        same = (moment_, tie) == (last.moment, last.tie)
        last = Cursor(moment_, tie, last.skip + 1 if same else 1)
        found.append(read(names.get(key, key), body))
    if len(keyed) > limit:
        found.next = cursor_text(last)
    return found


def cursor_text(cursor: Cursor) -> str:
    """Return where a page ended as the text that continues it."""
    return urlsafe_b64encode(msgspec.json.encode(cursor)).decode().rstrip("=")
