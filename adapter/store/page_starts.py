"""Where pages of lists that are ordered by time begin."""

from __future__ import annotations

from datetime import datetime

from adapter.store.paging import LAST_ID, LAST_TEXT, Cursor, cursor_text
from adapter.store.timestamps import micros

#: The highest tie of each list that `cursor_at` can make a cursor for.
_HIGHEST: dict[str, str | int] = {
    "events": LAST_TEXT, "decisions": LAST_ID, "discounts": LAST_ID, "deliveries": LAST_TEXT,
    "deliveries_to": LAST_ID, "redemptions": LAST_TEXT,
}  # fmt: skip


def cursor_at(kind: str, at: datetime, skip: int) -> str:
    """Return where a list, newest first, goes on: all later rows, and `skip` of that moment, were seen."""
    return cursor_text(Cursor(micros(at), _HIGHEST[kind], skip))
