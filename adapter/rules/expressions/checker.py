"""Syntax to nodes: names resolved, kinds checked, what is constant worked out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from adapter.rules.expressions import calls, syntax_tree, types
from adapter.rules.expressions.errors import ExpressionError
from adapter.rules.expressions.names import CEL_TYPES, HISTORY, ROOTS, SPECIAL, Names, event_field
from adapter.rules.expressions.typed_tree import (
    All,
    AnyOf,
    Arithmetic,
    Compare,
    Comparison,
    Compute,
    Conditional,
    Constant,
    Defined,
    Field,
    Item,
    Kind,
    ListOf,
    MapOf,
    Negative,
    Node,
    Not,
    Path,
    Variable,
)
from adapter.rules.expressions.types import WORDS, Checked
from adapter.rules.expressions.unparse import text
from adapter.rules.expressions.values import kind_of

_COMPARISONS = frozenset(("==", "!=", "<", "<=", ">", ">=", "in"))
_SUMS: dict[tuple[str, Kind, Kind], Kind] = {
    ("+", "text", "text"): "text",
    ("+", "list", "list"): "list",
    ("+", "timestamp", "duration"): "timestamp",
    ("+", "duration", "timestamp"): "timestamp",
    ("+", "duration", "duration"): "duration",
    ("-", "timestamp", "duration"): "timestamp",
    ("-", "timestamp", "timestamp"): "duration",
    ("-", "duration", "duration"): "duration",
    **{(operator, "number", "number"): "number" for operator in "+-*/%"},
}


class Checker:
    """Checks one expression against the names; `variables` are those of the macros around."""

    def __init__(self, names: Names, variables: Iterable[str] = ()) -> None:
        self.names = names
        self.variables = frozenset(variables)

    def within(self, variables: Iterable[str]) -> Checker:
        """Return the checker for a macro's inside, which knows these names too."""
        return Checker(self.names, self.variables.union(variables))

    def condition(self, tree: syntax_tree.Syntax) -> Node:
        """Return the node of an expression that must be true or false."""
        node, kind = self.check(tree)
        if kind not in ("boolean", "any"):
            remedy = "compare it with something, such as `cart_value >= 120`"
            raise ExpressionError(
                f"`{text(node)}` is {WORDS[kind]}, not true or false", remedy, syntax_tree.start(tree)
            )
        return node

    def check(self, tree: syntax_tree.Syntax) -> Checked:
        """Return the node and its kind; raises ExpressionError."""
        match tree:
            case syntax_tree.Scalar(_, value):
                kind = kind_of(value) or "any"
                return Constant(value, kind), kind
            case syntax_tree.Name():
                return self._name(tree)
            case syntax_tree.Select():
                return self._select(tree)
            case syntax_tree.Subscript():
                return self._subscript(tree)
            case syntax_tree.Invocation():
                return calls.check_call(self, tree)
            case syntax_tree.Prefix(_, "!", operand):
                return Not(self.condition(operand)), "boolean"
            case syntax_tree.Prefix():
                return self._negative(tree)
            case syntax_tree.Infix():
                return self._infix(tree)
            case syntax_tree.Chain(_, operator, parts):
                group = All if operator == "&&" else AnyOf
                return group(tuple(map(self.condition, parts))), "boolean"
            case syntax_tree.Choice():
                return self._choice(tree)
            case syntax_tree.Sequence(_, items):
                self._check_words(items)
                return sequence([self.check(item)[0] for item in items]), "list"
            case syntax_tree.Mapping():
                return self._mapping(tree), "object"
        raise TypeError(tree)

    def _check_words(self, trees: Iterable[syntax_tree.Syntax]) -> None:
        """Raise for a word that is no name where a text is likely meant."""
        for tree in trees:
            if isinstance(tree, syntax_tree.Name) and not self._is_special(tree.name):
                self.names.check_word(tree.name, tree.offset)

    def _is_special(self, name: str) -> bool:
        return name in SPECIAL or name in self.variables or name in self.names.definitions

    def _name(self, tree: syntax_tree.Name) -> Checked:
        if tree.name in self.variables:
            return Variable(tree.name), "any"
        if tree.name in self.names.definitions:
            return Defined(tree.name, self.names.definitions[tree.name]), "boolean"
        if tree.name == "now":
            return Path("now", ()), "timestamp"
        if tree.name in ROOTS:
            return Path(ROOTS[tree.name], ()), "object"
        if tree.name == "event" or tree.name in HISTORY:
            remedy = (
                "write `event.name`" if tree.name == "event" else 'write `history.count("an_event", "30d")`'
            )
            raise ExpressionError(f"`{tree.name}` is no condition by itself", remedy, tree.offset)
        if tree.name in CEL_TYPES:
            remedy = f"write `attributes.{tree.name}`, `user.{tree.name}` or `context.{tree.name}`"
            raise ExpressionError(f"`{tree.name}` is the name of a type in CEL", remedy, tree.offset)
        self.names.check("", tree.name, tree.offset)
        path = Path("", (tree.name,))
        return path, self.names.kind(path)

    def _select(self, tree: syntax_tree.Select) -> Checked:
        if tree.operand == syntax_tree.Name(tree.operand.offset, "event") and "event" not in self.variables:
            path = event_field(tree.name, tree.offset)
            return path, self.names.kind(path)
        operand, kind = self.check(tree.operand)
        if kind not in ("object", "any"):
            message = f"`{text(operand)}` is {WORDS[kind]} and has no field `{tree.name}`"
            each = f"write `{text(operand)}.exists(item, item.{tree.name} == …)` to look into each element"
            raise ExpressionError(message, each if kind == "list" else "", tree.offset)
        return self._field(operand, tree.name, tree.offset)

    def _field(self, operand: Node, name: str, offset: int) -> Checked:
        if not isinstance(operand, Path):
            return Field(operand, name), "any"
        if not operand.fields:
            self.names.check(operand.root, name, offset)
        path = Path(operand.root, (*operand.fields, name))
        return path, self.names.kind(path)

    def _mapping(self, tree: syntax_tree.Mapping) -> Node:
        self._check_words(tree.values)
        keys: list[str] = []
        for key in tree.keys:
            if not isinstance(key, syntax_tree.Scalar) or not isinstance(key.value, str):
                remedy = 'write `{"key": …}`'
                raise ExpressionError(
                    "a key of an object is a text in quotes", remedy, syntax_tree.start(key)
                )
            if key.value in keys:
                raise ExpressionError(f'the key "{key.value}" is there twice', "leave one out", key.offset)
            keys.append(key.value)
        return MapOf(tuple(keys), tuple(self.check(value)[0] for value in tree.values))

    def _subscript(self, tree: syntax_tree.Subscript) -> Checked:
        operand, kind = self.check(tree.operand)
        index, index_kind = self.check(tree.index)
        if isinstance(index, Constant) and isinstance(index.value, str) and isinstance(operand, Path):
            return self._field(operand, index.value, tree.index.offset)
        wanted: Kind = "number" if kind == "list" else "text" if kind == "object" else "any"
        if kind not in ("list", "object", "any") or index_kind not in ("number", "text", "any"):
            raise ExpressionError(f"`{text(operand)}` is {WORDS[kind]} and has no elements", "", tree.offset)
        if "any" not in (wanted, index_kind) and wanted != index_kind:
            message = (
                f"`{text(index)}` is {WORDS[index_kind]}; {WORDS[wanted]} is needed between the brackets"
            )
            raise ExpressionError(message, "", tree.index.offset)
        return Item(operand, index), "any"

    def _negative(self, tree: syntax_tree.Prefix) -> Checked:
        operand, kind = self.check(tree.operand)
        self.need(operand, kind, ("number",), tree.operand)
        if isinstance(operand, Constant):
            return Constant(-operand.value, "number"), "number"
        return Negative(operand), "number"

    def need(self, node: Node, kind: Kind, wanted: tuple[Kind, ...], tree: syntax_tree.Syntax) -> None:
        """Raise unless the kind is wanted, or known only at run time."""
        if kind != "any" and "any" not in wanted and kind not in wanted:
            needed = " or ".join(WORDS[one] for one in wanted)
            raise ExpressionError(
                f"`{text(node)}` is {WORDS[kind]}, and {needed} is needed", "", syntax_tree.start(tree)
            )

    def _infix(self, tree: syntax_tree.Infix) -> Checked:
        if tree.operator in ("==", "!="):  # beside a constant a word is a name, declared or not
            sides = ((tree.right, tree.left), (tree.left, tree.right))
            self._check_words(side for side, other in sides if not isinstance(other, syntax_tree.Scalar))
        left, left_kind = self.check(tree.left)
        right, right_kind = self.check(tree.right)
        if tree.operator in _COMPARISONS:
            fits = types.membership if tree.operator == "in" else types.comparable
            fits(self.names, tree, (left, left_kind), (right, right_kind))
            types.event_named(self.names, tree, left, right)
            return comparison(cast("Comparison", tree.operator), left, right), "boolean"
        sums = {
            gives
            for (operator, one, other), gives in _SUMS.items()
            if operator == tree.operator and left_kind in (one, "any") and right_kind in (other, "any")
        }
        if not sums:
            raise types.mismatch(self.names, tree, (left, left_kind), (right, right_kind))
        node = Compute(cast("Arithmetic", tree.operator), left, right)
        return node, sums.pop() if len(sums) == 1 else "any"

    def _choice(self, tree: syntax_tree.Choice) -> Checked:
        condition = self.condition(tree.condition)
        then, then_kind = self.check(tree.then)
        otherwise, other_kind = self.check(tree.otherwise)
        if "any" not in (then_kind, other_kind) and then_kind != other_kind:
            raise types.mismatch(self.names, tree, (then, then_kind), (otherwise, other_kind))
        return Conditional(condition, then, otherwise), then_kind if then_kind == other_kind else "any"


def sequence(items: list[Node]) -> Node:
    """Return a list, constant when all its items are."""
    constants = [item for item in items if isinstance(item, Constant)]
    return Constant(tuple(constants), "list") if len(constants) == len(items) else ListOf(tuple(items))


def comparison(operator: Comparison, left: Node, right: Node) -> Node:
    """Return a comparison, a constant on the right; `x == true` is x, `x == false` its negation."""
    if isinstance(left, Constant) and not isinstance(right, Constant) and operator != "in":
        turned: dict[Comparison, Comparison] = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
        left, right, operator = right, left, turned.get(operator, operator)
    if isinstance(right, Constant) and right.kind == "boolean" and operator in ("==", "!="):
        return left if (operator == "==") is right.value else Not(left)
    return Compare(operator, left, right)
