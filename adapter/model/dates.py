"""Dates that customers have, such as a birthdate: the day of the year, and the year where it is said."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterable
from datetime import date
from typing import Any

from msgspec import Struct

from adapter.model.customers import FIELDS, Customer

_DATE = re.compile(r"(?:(\d{4})-|--)?(\d{2})-?(\d{2})(?:[T ].*)?", re.ASCII)
_LEAP_YEAR = 2000


class CustomerDate(Struct, frozen=True):
    """A date; `year` is None where it is not said."""

    month: int
    day: int
    year: int | None = None

    @property
    def month_day(self) -> int:
        """The day of the year as a number: 1231 is 31 December."""
        return self.month * 100 + self.day


def date_of(value: Any) -> CustomerDate | None:
    """Return the date of `1990-02-28`, `1990-02-28T08:00:00Z`, `02-28` or `--02-28`, else None."""
    found = _DATE.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        return None
    year = int(found[1]) if found[1] else None
    month, day = int(found[2]), int(found[3])
    if year == 0 or not 1 <= month <= 12 or not 1 <= day <= monthrange(year or _LEAP_YEAR, month)[1]:
        return None
    return CustomerDate(month, day, year)


def month_days(day: date) -> tuple[int, ...]:
    """Return the days of the year that a day celebrates: 29 February on the 28th of common years."""
    here = day.month * 100 + day.day
    common = monthrange(day.year, 2)[1] == 28
    return (here, 229) if here == 228 and common else (here,)


def trait_at(customer: Customer, path: str) -> Any:
    """Return a standard field or a trait by its path; None where there is none."""
    if path in FIELDS:
        return getattr(customer, path)
    if path in customer.traits:
        return customer.traits[path]
    found: Any = customer.traits
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found


def dated(customer: Customer, traits: Iterable[str]) -> list[tuple[str, int]]:
    """Return traits of a customer that are dates, with their days of the year."""
    found = ((path, date_of(trait_at(customer, path))) for path in traits)
    return [(path, value.month_day) for path, value in found if value is not None]
