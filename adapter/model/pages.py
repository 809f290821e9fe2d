"""Lists that are returned a page at a time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")
U = TypeVar("U")


class Page(list[T]):
    """Rows in their order, as many as go into one answer.

    `next` given as `before` returns those that follow, if any do; None where none does.
    """

    next: str | None = None

    def of(self, rows: Iterable[U]) -> Page[U]:
        """Return other rows as this page."""
        page = Page(rows)
        page.next = self.next
        return page
