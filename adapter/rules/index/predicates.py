"""Leaves that the index can look up: tests of one value against constants."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from adapter.rules.expressions.typed_tree import Compare, Constant, Has, Metric, Path, plain
from adapter.rules.expressions.values import ABSENT, NUMBERS, among, equal, is_null, less
from adapter.rules.index.cnf import Leaf

Key = Path | Metric
Test = Callable[[Any], bool]
_SCALARS = frozenset(("number", "text", "boolean", "null"))
_TEXT, _NUMBER, _STR = frozenset(("text",)), frozenset(("number",)), frozenset((str,))


class Asked(Struct, frozen=True, gc=False):
    """Whether `ask(value, constant)` is `want`; not a closure, for the collector walks those."""

    ask: Callable[[Any, Any], Any]
    constant: Any
    want: bool

    def __call__(self, value: Any) -> bool:
        """Tell it of a value."""
        return self.ask(value, self.constant) is self.want


class Listed(Struct, frozen=True, gc=False):
    """Whether a value of these classes is among the constants, or with `want` false is not."""

    classes: frozenset[Any]
    constants: frozenset[Any]
    want: bool

    def __call__(self, value: Any) -> bool:
        """Tell it of a value."""
        return value.__class__ in self.classes and (value in self.constants) is self.want


def _more(value: Any, constant: Any) -> Any:
    return less(constant, value)


class Scalar(Struct, frozen=True, gc=False):
    """A test of a value that changes only at the numbers and texts it mentions."""

    key: Key
    numbers: tuple[Any, ...]
    texts: tuple[str, ...]
    test: Test


class Member(Struct, frozen=True, gc=False):
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
    items = plain(constant)
    if not kinds <= _SCALARS:
        return None
    if kinds in (_TEXT, _NUMBER):
        classes = NUMBERS if kinds == _NUMBER else _STR
        return _mentioned(key, items, Listed(classes, frozenset(items), want))
    return _mentioned(key, items, lambda value: among(value, items, kinds) is want)


def _comparison(node: Compare, key: Key, constant: Constant, want: bool) -> Scalar | None:
    value, operator = constant.value, node.operator
    if operator in ("==", "!="):
        wanted = (operator == "==") is want
        if constant.kind == "null":
            return Scalar(key, (), (), lambda seen: is_null(seen) is wanted)
        known = constant.kind in ("number", "text")
        return _mentioned(key, (value,), Asked(equal, value, wanted)) if known else None
    if constant.kind != "number":
        return None
    ask = less if operator in ("<", ">=") else _more
    return _mentioned(key, (value,), Asked(ask, value, (operator in ("<", ">")) is want))
