"""The members of a document's objects, read by type; faults are gathered with their paths."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, TypeVar

from adapter.pricing.errors import OrderProblem
from adapter.pricing.numbers import MOST, scaled

#: Lines of items, and lines of shipping, that one order may have.
MOST_LINES = 500
T = TypeVar("T")
_CURRENCY = re.compile(r"[A-Za-z]{3}")
_RATE_DIGITS = 6
_NUMBERS = (int, float, str, Decimal)
_PLAIN = frozenset(_NUMBERS)


class Fields:
    """The members of one object."""

    def __init__(self, value: Any, path: str, problems: list[OrderProblem]) -> None:
        self.problems = problems
        self._path = path
        # Most of these calls read what JSON was decoded to; looking at a type costs less than `isinstance`.
        known = type(value) is dict or isinstance(value, Mapping)
        if not known:
            self.refuse("", "invalid_type", "must be an object")
        self._values: Mapping[str, Any] = value if known else {}

    def refuse(self, key: str, code: str, message: str) -> None:
        """Note a fault of one member."""
        path = f"{self._path}.{key}" if self._path and key else self._path or key
        self.problems.append(OrderProblem(path, code, message))

    def currency(self) -> str | None:
        """Return the code of a currency, in capitals."""
        value = self._values.get("currency")
        if isinstance(value, str) and _CURRENCY.fullmatch(value):
            return value.upper()
        self.refuse("currency", "invalid_currency", "must be the three letters of a currency, such as EUR")
        return None

    def name(self, key: str) -> str | None:
        """Return text, or a whole number as text; None where it is empty."""
        value = self._values.get(key)
        if value is None or type(value) is str:
            return value or None
        if isinstance(value, str):
            return value or None
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        self.refuse(key, "invalid_type", "must be text")
        return None

    def flag(self, key: str) -> bool:
        """Return true or false, false where there is none."""
        value = self._values.get(key)
        if value is None or isinstance(value, bool):
            return bool(value)
        self.refuse(key, "invalid_type", "must be true or false")
        return False

    def amount(
        self, key: str, places: int, code: str, *, required: bool = False, least: int = 0
    ) -> int | None:
        """Return a number of `least` or more, times `10 ** places`."""
        value = self._values.get(key)
        if value is None and not required:
            return None
        if type(value) not in _PLAIN and (isinstance(value, bool) or not isinstance(value, _NUMBERS)):
            message = "is missing" if value is None else "must be a number, or a number as text"
            self.refuse(key, code if value is None else "invalid_type", message)
            return None
        number = scaled(value, places)
        if number is None or not least <= number <= MOST:
            finest = f"at most {places} decimals" if places else "no decimals"
            above = "above 0" if least else "of 0 or more"
            self.refuse(key, code, f"must be a number {above}, with {finest}")
            return None
        return number

    def rate(self) -> Decimal | None:
        """Return the tax rate in per cent."""
        number = self.amount("tax_rate", _RATE_DIGITS, "invalid_tax_rate")
        return None if number is None else Decimal(number).scaleb(-_RATE_DIGITS)

    def rows(self, key: str, read: Callable[[Fields, int], T], *, required: bool = False) -> list[T]:
        """Return the objects of a list, each as `read` makes it of its members and its place."""
        value = self._values.get(key)
        if value is None and not required:
            return []
        if not isinstance(value, list | tuple):
            self.refuse(key, "invalid_type", "must be a list of lines")
            return []
        if required and not value:
            self.refuse(key, "no_lines", "must have a line")
        if len(value) > MOST_LINES:
            self.refuse(key, "too_many_lines", f"has more than {MOST_LINES} lines")
            return []
        prefix = f"{self._path}.{key}" if self._path else key
        found = list[T]()
        for at, row in enumerate(value):
            fields = Fields(row, f"{prefix}[{at}]", self.problems)
            if type(row) is dict or isinstance(row, Mapping):
                found.append(read(fields, at))
        return found

    def rest(self, known: frozenset[str]) -> dict[str, Any]:
        """Return the members that are not known, and those of `attributes`."""
        inner = self._values.get("attributes")
        own = {key: value for key, value in self._values.items() if key not in known}
        if inner is None:
            return own
        if not isinstance(inner, Mapping):
            self.refuse("attributes", "invalid_type", "must be an object")
            return own
        return {**inner, **own}
