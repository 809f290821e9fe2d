"""Where lists begin that are ordered by time."""

from __future__ import annotations

from datetime import datetime

from adapter.store.rows import LAST_ID, Cursor, cursor_text
from adapter.store.timestamps import micros


def cursor_before(moment: datetime) -> str:
    """Return what begins a list of decisions or events, the newest first, at a moment."""
    return cursor_text(Cursor(micros(moment), LAST_ID, 0))
