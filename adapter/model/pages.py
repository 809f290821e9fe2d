"""Paginated lists."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")
U = TypeVar("U")


class Page(list[T]):
    """The rows of one page, in order.

    `next` is the `before` of the next page; None on the last one.
    """

    next: str | None = None

    def of(self, rows: Iterable[U]) -> Page[U]:
        """Return other rows as this page."""
        page = Page(rows)
        page.next = self.next
        return page
