"""What a directive takes: the shapes of its options, from which checks and schemas are made."""

from __future__ import annotations

from dataclasses import dataclass


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
class Members:
    """An object or a directive that yields one."""


@dataclass(frozen=True)
class Items:
    """A list; each item has the shape `of`."""

    of: Raw | Text | Members


@dataclass(frozen=True)
class Whatever:
    """Anything at all: the directive looks at it when it runs, if ever."""


@dataclass(frozen=True)
class Option:
    """One option of a directive.

    `required` and `checked` say what the reference checks; `needed` what our own file check asks
    for beyond it, because the directive fails or yields nothing without.
    """

    shape: Raw | Text | Plain | Flag | Members | Items | Whatever
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
class PathAndShape:
    """`[path, shape?]`, as `@arrayPath` takes it."""


Shape = Raw | Text | Plain | Flag | Members | Items | Whatever | Options | PathAndShape
