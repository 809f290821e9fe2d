"""What a declaration asks of values beyond their type: `enum`, `minimum`, `maximum`, `pattern`, `format`.

A value that has the type and breaks a constraint is a misfit like one of another type. Of a list each item is
checked. Declarations without constraints are checked by their type alone, and pay nothing for this.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

from msgspec import Struct

from adapter.datamodel.types import ABSENT, MISFIT, Reader
from adapter.model.patterns import pattern as compiled

Test = Callable[[Any], bool]
#: Types whose values have an order, and those that are text.
ORDERED: Final = frozenset({"number", "money"})
TEXTS: Final = frozenset({"string", "any"})
#: Longer text has no format; this bounds the time of a check.
_LONGEST = 2048
_EMAIL = re.compile(r"[^\s@]{1,64}@[^\s@.]+(?:\.[^\s@.]+)+\Z")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+\Z")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", re.IGNORECASE)
_LABEL = r"(?!-)[a-z0-9-]{1,63}(?<!-)"
_HOST = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*\Z", re.IGNORECASE)
_TIME = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})?\Z", re.ASCII)


class Constraints(Struct, frozen=True):
    """The constraints of one declaration; the empty ones ask for nothing."""

    enum: tuple[Any, ...] = ()
    minimum: int | float | None = None
    maximum: int | float | None = None
    pattern: str = ""
    format: str = ""

    @property
    def described(self) -> str:
        """What they ask for, to follow the type in an error message."""
        asked = []
        if self.enum:
            asked.append("one of " + ", ".join(f"`{value}`" for value in self.enum))
        if self.minimum is not None:
            asked.append(f"at least {self.minimum}")
        if self.maximum is not None:
            asked.append(f"at most {self.maximum}")
        if self.pattern:
            asked.append(f"text that matches `{self.pattern}`")
        if self.format:
            asked.append(f"of the format {self.format}")
        return ", ".join(asked)

    def plain(self) -> dict[str, Any]:
        """Return them as a `model.yaml` has them."""
        given = {"enum": [*self.enum] or None, "minimum": self.minimum, "maximum": self.maximum,
                 "pattern": self.pattern or None, "format": self.format or None}  # fmt: skip
        return {name: value for name, value in given.items() if value is not None}


NONE: Final = Constraints()


def constrained(read: Reader, constraints: Constraints, *, many: bool) -> Reader:
    """Return a reader that finds a misfit too where a value breaks the constraints."""
    tests = _tests(constraints)

    def holds(value: Any) -> bool:
        return value is None or all(test(value) for test in tests)

    def check(value: Any) -> Any:
        found = read(value)
        if found is MISFIT or found is ABSENT:
            return found
        return found if (all(map(holds, found)) if many else holds(found)) else MISFIT

    return check


def _tests(constraints: Constraints) -> list[Test]:
    enum, least, most = constraints.enum, constraints.minimum, constraints.maximum
    tests: list[Test] = []
    if enum:
        tests.append(lambda value: any(value == one and _same_kind(value, one) for one in enum))
    if least is not None:
        tests.append(lambda value: bool(value >= least))
    if most is not None:
        tests.append(lambda value: bool(value <= most))
    if constraints.pattern:
        tests.append(_matching(constraints.pattern))
    if constraints.format:
        tests.append(_formatted(constraints.format))
    return tests


def _same_kind(value: Any, other: Any) -> bool:
    """Tell true from 1, which Python takes as equal."""
    return isinstance(value, bool) == isinstance(other, bool)


@lru_cache(maxsize=256)
def _expression(text: str) -> Any:
    return compiled(text)


def is_pattern(text: str) -> bool:
    """Say whether RE2 can read a regular expression."""
    return _expression(text) is not None


def _matching(text: str) -> Test:
    expression = _expression(text)

    def matches(value: Any) -> bool:
        if type(value) is not str:
            return False
        try:
            return expression.search(value) is not None
        except UnicodeEncodeError:
            return False

    return matches


def _formatted(name: str) -> Test:
    test = FORMATS[name]
    return lambda value: type(value) is str and len(value) <= _LONGEST and test(value)


def _address(parse: Callable[[str], object]) -> Test:
    def is_address(value: str) -> bool:
        try:
            parse(value)
        except ValueError:
            return False
        return True

    return is_address


#: The formats of JSON Schema that text may have; `date` and `date-time` are types of their own.
FORMATS: Mapping[str, Test] = {
    "email": lambda value: _EMAIL.match(value) is not None,
    "hostname": lambda value: _HOST.match(value) is not None,
    "ipv4": _address(ipaddress.IPv4Address),
    "ipv6": _address(ipaddress.IPv6Address),
    "time": lambda value: _TIME.match(value) is not None,
    "uri": lambda value: _URI.match(value) is not None,
    "uuid": lambda value: _UUID.match(value) is not None,
}
