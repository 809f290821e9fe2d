"""Rows of the reads for figures of rules, as both engines return them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

from adapter.model.pages import Page
from adapter.store.checkout_values import BookedFigures, Issued
from adapter.store.rows import read_held

_EPOCH = date(1970, 1, 1)


def issued_page(rows: Sequence[Sequence[Any]], limit: int) -> Page[Issued]:
    """Return rows of code, body and whether it was booked; one without a body was erased meanwhile."""
    found = Page(Issued(read_held(body), bool(booked)) for _, body, booked in rows if body is not None)
    found.next = rows[-1][0] if len(rows) == limit else None
    return found


def booked_figures(rows: Iterable[Sequence[Any]]) -> list[BookedFigures]:
    """Return rows whose day is counted from 1970, and the rest as it is."""
    return [BookedFigures(_EPOCH + timedelta(days=day), *rest) for day, *rest in rows]
