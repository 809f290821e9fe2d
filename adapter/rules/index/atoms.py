"""Leaves that the index can look up: tests of one value against constants."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from adapter.rules.index.clauses import Leaf
from adapter.rules.language.nodes import Compare, Constant, Has, Metric, Path, plain
from adapter.rules.language.values import ABSENT, NUMBERS, among, equal, is_null, less

Key = Path | Metric
Test = Callable[[Any], bool]
_SCALARS = frozenset(("number", "text", "boolean", "null"))


class Scalar(Struct, frozen=True):
    """A test of a value that changes only at the numbers and texts it mentions."""

    key: Key
    numbers: tuple[Any, ...]
    texts: tuple[str, ...]
    test: Test


class Member(Struct, frozen=True):
    """`constant in key` when `want`, else its denial."""

    key: Path
    constant: Any
    want: bool


Atom = Scalar | Member


def atom(leaf: Leaf) -> Atom | None:
    """Return a leaf as the index looks it up, None when it cannot."""
    node, want = leaf.node, leaf.want
    match node:
        case Path():
            return Scalar(node, (), (), lambda value: value is want)
        case Has(Path(root, fields), field) if want or not fields:
            return Scalar(Path(root, (*fields, field)), (), (), lambda value: (value is not ABSENT) is want)
        case Compare("in", Constant() as constant, Path() as key):
            return _member(key, constant, want=want)
        case Compare(operator, (Path() | Metric()) as key, Constant() as constant):
            return (
                _membership(key, constant, want)
                if operator == "in"
                else _comparison(node, key, constant, want)
            )
    return None


def _member(key: Path, constant: Constant, *, want: bool) -> Member | None:
    # That a number is not in an object is an error, not true: only of text is absence known by looking.
    known = constant.kind in ("text", "number", "boolean") if want else constant.kind == "text"
    return Member(key, constant.value, want) if known else None


def _mentioned(key: Key, constants: tuple[Any, ...], test: Test) -> Scalar:
    numbers = tuple(value for value in constants if value.__class__ in NUMBERS)
    return Scalar(key, numbers, tuple(value for value in constants if value.__class__ is str), test)


def _membership(key: Key, constant: Constant, want: bool) -> Scalar | None:
    kinds = frozenset(item.kind for item in constant.value)
    if not kinds <= _SCALARS:
        return None
    items = plain(constant)
    looked = frozenset(items) if kinds <= {"text"} or kinds <= {"number"} else None
    if looked is None:
        return _mentioned(key, items, lambda value: among(value, items, kinds) is want)
    classes = NUMBERS if kinds <= {"number"} else frozenset((str,))
    if not items:
        return _mentioned(key, items, lambda value: among(value, items, kinds) is want)
    return _mentioned(key, items, lambda value: value.__class__ in classes and (value in looked) is want)


def _comparison(node: Compare, key: Key, constant: Constant, want: bool) -> Scalar | None:
    value = constant.value
    if constant.kind == "null":
        wanted = (node.operator == "==") is want
        return Scalar(key, (), (), lambda seen: is_null(seen) is wanted)
    if node.operator in ("==", "!="):
        wanted = (node.operator == "==") is want
        known = constant.kind in ("number", "text")
        return _mentioned(key, (value,), lambda seen: equal(seen, value) is wanted) if known else None
    if constant.kind != "number":
        return None
    if node.operator in ("<", ">="):
        wanted = (node.operator == "<") is want
        return _mentioned(key, (value,), lambda seen: less(seen, value) is wanted)
    wanted = (node.operator == ">") is want
    return _mentioned(key, (value,), lambda seen: less(value, seen) is wanted)
