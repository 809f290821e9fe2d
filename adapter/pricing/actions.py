"""Reads the members of an action, as a rule file and a discount's record hold them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from adapter.pricing.errors import InvalidAction
from adapter.pricing.numbers import MILLION, QUANTITY_DIGITS, scaled
from adapter.pricing.order import ItemTest
from adapter.pricing.scope import Items, Prefer

#: Makes a test of a condition's text over `item`; raises where the text is none.
CompileTest = Callable[[str], ItemTest]
#: A number has at most so many decimals; a percentage is exact up to here.
_PLACES = 12


class ActionReader:
    """The members of one action object; raises InvalidAction with the member's path."""

    def __init__(self, values: Mapping[str, Any], compile_test: CompileTest, path: str = "") -> None:
        self._values = values
        self._compile = compile_test
        self._path = path

    def at(self, key: str) -> str:
        """Return the path of a member."""
        return f"{self._path}.{key}" if self._path else key

    def refuse(self, key: str, message: str) -> InvalidAction:
        """Return the error for one member."""
        return InvalidAction(self.at(key), message)

    def has(self, key: str) -> bool:
        """Tell whether the member is there."""
        return self._values.get(key) is not None

    def number(self, key: str, default: Decimal | None = None) -> Decimal:
        """Return a number of 0 or more."""
        found = self.number_or_none(key)
        if found is not None:
            return found
        if default is None:
            raise self.refuse(key, "is missing")
        return default

    def number_or_none(self, key: str) -> Decimal | None:
        """Return a number of 0 or more, None where there is none."""
        return None if not self.has(key) else Decimal(self._scaled(key, _PLACES)).scaleb(-_PLACES)

    def _scaled(self, key: str, places: int) -> int:
        found = scaled(self._values.get(key), places)
        if found is None or found < 0:
            raise self.refuse(key, f"must be a number of 0 or more, with at most {places} decimals")
        return found

    def percent(self, key: str, default: Decimal | None = None) -> Decimal:
        """Return a number from 0 to 100."""
        found = self.number(key, default)
        if found > 100:
            raise self.refuse(key, "must be a percentage, 100 at most")
        return found

    def units(self, key: str, default: int | None = None) -> int:
        """Return a quantity above 0, in millionths."""
        found = self.units_or_none(key)
        if found is None and default is None:
            raise self.refuse(key, "is missing")
        return found or default or 0

    def units_or_none(self, key: str) -> int | None:
        """Return a quantity above 0, in millionths, None where there is none."""
        if not self.has(key):
            return None
        found = self._scaled(key, QUANTITY_DIGITS)
        if found == 0:
            raise self.refuse(key, "must be above 0")
        return found

    def whole_units(self, key: str, default: int | None = None) -> int:
        """Return a whole number of units above 0."""
        found = self.units(key, default)
        if found % MILLION:
            raise self.refuse(key, "must be a whole number")
        return found // MILLION

    def word(self, key: str) -> str | None:
        """Return text, None where there is none."""
        value = self._values.get(key)
        if value is not None and not isinstance(value, str):
            raise self.refuse(key, "must be text")
        return value or None

    def choice(self, key: str, *words: str) -> str:
        """Return one of the words, the first where there is none."""
        found = self.word(key) or words[0]
        if found not in words:
            raise self.refuse(key, f"must be one of {', '.join(words)}")
        return found

    def words(self, key: str) -> tuple[str, ...]:
        """Return a list of texts."""
        value = self._values.get(key)
        if value is None:
            return ()
        if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
            raise self.refuse(key, "must be a list of texts")
        return tuple(value)

    def flag(self, key: str) -> bool:
        """Return true or false, false where there is none."""
        value = self._values.get(key)
        if value is not None and not isinstance(value, bool):
            raise self.refuse(key, "must be true or false")
        return bool(value)

    def block(self, key: str) -> ActionReader:
        """Return the members of an object inside, none where it is absent."""
        value = self._values.get(key)
        if value is not None and not isinstance(value, Mapping):
            raise self.refuse(key, "must be an object")
        return ActionReader(value or {}, self._compile, self.at(key))

    def test(self, key: str) -> ItemTest | None:
        """Return a condition over `item`, compiled."""
        text = self.word(key)
        return None if text is None else self._compile(text)

    def items(self, *prefer: Prefer) -> Items:
        """Return which items the action applies to; which units are first chosen is the first of `prefer`."""
        chosen = self.choice("prefer", *(prefer or ("dearest", "cheapest")))
        return Items(
            test=self.block("applies_to").test("items"),
            exclude_on_sale=self.flag("exclude_on_sale"),
            max_units=self.units_or_none("max_units"),
            prefer="cheapest" if chosen == "cheapest" else "dearest",
        )
