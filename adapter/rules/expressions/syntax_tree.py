"""Expressions as written: the tree that the parser builds and the checker resolves.

`offset` is where a piece begins in the text, from 0: for an operation, its operator.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct


class Syntax(Struct, frozen=True):
    """A piece of an expression."""

    offset: int


class Scalar(Syntax, frozen=True):
    """A number, a text, `true`, `false` or `null`."""

    value: Any


class Name(Syntax, frozen=True):
    """A word by itself."""

    name: str


class Select(Syntax, frozen=True):
    """`operand.name`."""

    operand: Syntax
    name: str


class Subscript(Syntax, frozen=True):
    """`operand[index]`."""

    operand: Syntax
    index: Syntax


class Invocation(Syntax, frozen=True):
    """`name(arguments)`, or `receiver.name(arguments)`."""

    receiver: Syntax | None
    name: str
    arguments: tuple[Syntax, ...]


class Prefix(Syntax, frozen=True):
    """`!operand` or `-operand`."""

    operator: str
    operand: Syntax


class Infix(Syntax, frozen=True):
    """`left operator right`."""

    operator: str
    left: Syntax
    right: Syntax


class Chain(Syntax, frozen=True):
    """`a && b && c`, or the same with `||`."""

    operator: str
    parts: tuple[Syntax, ...]


class Choice(Syntax, frozen=True):
    """`condition ? then : otherwise`."""

    condition: Syntax
    then: Syntax
    otherwise: Syntax


class Sequence(Syntax, frozen=True):
    """`[item, item]`."""

    items: tuple[Syntax, ...]


class Mapping(Syntax, frozen=True):
    """`{key: value, key: value}`."""

    keys: tuple[Syntax, ...]
    values: tuple[Syntax, ...]


def words(tree: Syntax) -> frozenset[str]:
    """Return all names that are paths or begin one."""
    if isinstance(tree, Name):
        return frozenset((tree.name,))
    parts: list[Syntax] = []
    for field in tree.__struct_fields__:
        value = getattr(tree, field)
        parts += [one for one in (value if isinstance(value, tuple) else (value,)) if isinstance(one, Syntax)]
    return frozenset().union(*map(words, parts))


def start(tree: Syntax) -> int:
    """Return where a piece begins: the offset of its leftmost part."""
    match tree:
        case Infix(_, _, left) | Choice(_, left):
            return start(left)
        case Chain(_, _, parts):
            return start(parts[0])
        case Select(_, operand) | Subscript(_, operand):
            return start(operand)
        case Invocation(_, receiver) if receiver is not None:
            return start(receiver)
    return tree.offset
