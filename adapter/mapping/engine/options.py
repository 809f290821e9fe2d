"""What a directive takes: the shapes of its options, from which checks and schemas are made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Raw:
    """Any JSON value, or a directive that yields one."""


@dataclass(frozen=True)
class Text:
    """Text, or a directive that yields it."""


@dataclass(frozen=True)
class Plain:
    """Text and nothing else: `least` to `most` UTF-16 units, or one of `choices`."""

    least: int | None = None
    most: int | None = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Flag:
    """true or false."""


@dataclass(frozen=True)
class Whole:
    """A whole number from `least` to `most`."""

    least: int
    most: int


@dataclass(frozen=True)
class Members:
    """An object or a directive that yields one."""


@dataclass(frozen=True)
class Items:
    """A list; each item has the shape `of`."""

    of: Raw | Text | Members | Plain


@dataclass(frozen=True)
class Whatever:
    """Anything at all: the directive looks at it when it runs, if ever."""


#: What an option may be.
Simple = Raw | Text | Plain | Flag | Whole | Members | Items | Whatever


@dataclass(frozen=True)
class Option:
    """One option of a directive.

    `required` and `checked` say what the reference checks; `needed` what our own file check asks
    for beyond it, because the directive fails or yields nothing without.
    """

    shape: Simple
    required: bool = False
    needed: bool = False
    checked: bool = True


@dataclass(frozen=True)
class Options:
    """An object of named options, in the order in which the reference checks them."""

    named: dict[str, Option]
    #: At least one of these must be given.
    one_of: tuple[str, ...] = ()


@dataclass(frozen=True)
class ValueWithOptions:
    """A value as `Raw` takes it, or an object of options in which it is the `value`."""

    options: Options


def has_options(value: Any) -> bool:
    """Tell whether what a `ValueWithOptions` was given is the object of options."""
    return type(value) is dict and "value" in value and not any(key[:1] == "@" for key in value)


@dataclass(frozen=True)
class PathAndShape:
    """`[path, shape?]`, as `@arrayPath` takes it."""


Shape = Simple | Options | ValueWithOptions | PathAndShape
