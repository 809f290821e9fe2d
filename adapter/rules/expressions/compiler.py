"""Nodes to Python functions that say whether a condition is exactly true.

CEL's logic is three-valued: true, false, error (false && error is false, true || error is true). "Exactly
true" distributes over it, and so does "exactly false", with `&&` and `||` changing places. So negation is
pushed to the leaves, and each leaf, affirmed or denied, first guards that its values are there and of the
right type: `!(x >= 3)` becomes "x is a number, and not x >= 3". What remains is ordinary two-valued code
that cannot raise, and a missing value makes neither a condition nor its negation true.

The source that is compiled comes from our nodes alone: an author's texts, names and numbers enter it only
as objects in its namespace.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

from adapter.model.patterns import pattern
from adapter.rules.expressions import values
from adapter.rules.expressions.evaluation_context import EvaluationContext, Values
from adapter.rules.expressions.functions import FUNCTIONS
from adapter.rules.expressions.typed_tree import (
    All,
    AnyOf,
    Call,
    Compare,
    Compute,
    Conditional,
    Constant,
    Defined,
    Field,
    Has,
    Item,
    ListOf,
    Macro,
    MapOf,
    Metric,
    Negative,
    Node,
    Not,
    Path,
    Variable,
    plain,
)

Test = Callable[[EvaluationContext], bool]

#: Deeper code than this goes into a function of its own: Python's parser counts parentheses.
_MAX_NESTING = 8
_OPERATORS = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide", "%": "remainder"}
_HELPERS = {name: getattr(values, name) for name in (
    "ABSENT", "NUMBERS", "add", "among", "both", "contains", "divide", "either", "elements", "equal",
    "exactly_one", "has", "is_null", "item", "kept", "keyed", "less", "listed", "multiply", "negate",
    "opposite", "pairs", "remainder", "select", "settled", "subtract",
)}  # fmt: skip


@lru_cache(maxsize=8192)
def compile_truth(node: Node, want: bool) -> Test:
    """Return the function that says whether the node's value is exactly true, or exactly false."""
    emitting = _Emitting()
    body = emitting.truth(node, want)
    test: Test = emitting.finished(f"def test(view):\n V = view.values\n return {body}")
    return test


@lru_cache(maxsize=8192)
def compile_value(node: Node) -> Callable[[EvaluationContext], Any]:
    """Return the function that gives the node's value, or ABSENT for an error."""
    emitting = _Emitting()
    body = emitting.value(node)
    test: Callable[[EvaluationContext], Any] = emitting.finished(
        f"def test(view):\n V = view.values\n return {body}"
    )
    return test


@lru_cache(maxsize=8192)
def _definition(node: Node, want: bool) -> Callable[[Values], bool]:
    """Return the same of a definition's node, for the values of a view that a condition reads already."""
    emitting = _Emitting()
    body = emitting.truth(node, want)
    test: Callable[[Values], bool] = emitting.finished(f"def test(V):\n return {body}")
    return test


@lru_cache(maxsize=8192)
def compile_within(node: Node) -> Callable[[Values], Any]:
    """Return the function that gives the node's value out of values that a condition reads already."""
    emitting = _Emitting()
    body = emitting.value(node)
    test: Callable[[Values], Any] = emitting.finished(f"def test(V):\n return {body}")
    return test


def compile(node: Node) -> Test:  # noqa: A001 - `language.compile` is what it is
    """Return the function that says whether a condition is exactly true of a view; it never raises."""
    return compile_truth(node, want=True)


class _Bound(NamedTuple):
    """The variables of a macro: `walked` and `locals` are names in the code. `plain` values are as read."""

    names: tuple[str, ...]
    walked: str
    locals: tuple[str, ...]
    plain: bool

    @property
    def target(self) -> str:
        """What a loop assigns to."""
        return ", ".join(self.locals)

    def local(self, name: str) -> str:
        """Return the name in the code of a variable; of two that are called alike, the second."""
        return dict(zip(self.names, self.locals, strict=True))[name]


class _Emitting:
    def __init__(self) -> None:
        self.namespace: dict[str, Any] = dict(_HELPERS)
        self.functions: list[str] = []
        self.count = 0
        self.depth = 0
        self.scope: tuple[_Bound, ...] = ()

    def fresh(self, letter: str) -> str:
        self.count += 1
        return f"{letter}{self.count}"

    def constant(self, value: Any) -> str:
        name = self.fresh("k")
        self.namespace[name] = value
        return name

    def finished(self, function: str) -> Any:
        exec("\n".join((*self.functions, function)), self.namespace)  # noqa: S102 - from our own nodes
        return self.namespace["test"]

    def nested(self, emit: Callable[[], str]) -> str:
        """Emit one level deeper; where that is too deep, as a call of a function of its own."""
        self.depth += 1
        if self.depth <= _MAX_NESTING:
            code = emit()
            self.depth -= 1
            return code
        depth, self.depth = self.depth, 0
        body, name = emit(), self.fresh("f")
        given = ", ".join(("V", *(local for bound in self.scope for local in (bound.walked, *bound.locals))))
        self.functions.append(f"def {name}({given}):\n return {body}")
        self.depth = depth - 1
        return f"{name}({given})"

    def truth(self, node: Node, want: bool) -> str:
        """Return code that is True when the node is exactly `want`, else False."""
        return self.nested(lambda: self._truth(node, want))

    def value(self, node: Node) -> str:
        """Return code for the node's value; ABSENT means an error."""
        return self.nested(lambda: self._value(node))

    def _truth(self, node: Node, want: bool) -> str:
        match node:
            case Not(part):
                return self._truth(part, not want)
            case All(parts) | AnyOf(parts):
                every = isinstance(node, All) is want
                return _joined([self.truth(part, want) for part in parts], every)
            case Constant(value):
                return str(value is want)
            case Defined(_, condition):
                return f"{self.constant(_definition(condition, want))}(V)"
            case Conditional(condition, then, otherwise):
                chosen = self.fresh("t")
                return (
                    f"({self.truth(then, want)} if ({chosen} := {self.value(condition)}) is True"
                    f" else {self.truth(otherwise, want)} if {chosen} is False else False)"
                )
            case Compare():
                return self.comparison(node, want)
            case Macro("exists" | "all"):
                return self.quantified(node, want)
        return f"({self._value(node)} is {want})"

    def comparison(self, node: Compare, want: bool) -> str:
        operator, left, right = node.operator, node.left, node.right
        if operator == "!=":
            operator, want = "==", not want
        if not isinstance(right, Constant) or not self.is_plain(left):
            return f"({self.compared(operator, left, right)} is {want})"
        negated = "" if want else "not "
        if operator == "in":
            kinds = {one.kind for one in right.value}
            constant = frozenset(one.value for one in right.value)
        else:
            kinds, constant = {right.kind}, right.value
        if kinds not in ({"text"}, {"number"}):
            return f"({self.compared(operator, left, right)} is {want})"
        guard = " is str" if kinds == {"text"} else " in NUMBERS"
        read = self.fresh("t")
        tested = f"{read} {operator} {self.constant(constant)}"
        return f"(({read} := {self.value(left)}).__class__{guard} and {negated}{tested})"

    def is_plain(self, node: Node) -> bool:
        """Tell whether a value is as it was read, so that it compares with a constant as it is."""
        if isinstance(node, Field):
            return self.is_plain(node.operand)
        return isinstance(node, Path) or (isinstance(node, Variable) and self.bound(node).plain)

    def compared(self, operator: str, left: Node, right: Node) -> str:
        one = self.value(left)
        if operator == "in" and isinstance(right, Constant):
            kinds = frozenset(item.kind for item in right.value)
            return f"among({one}, {self.value(right)}, {self.constant(kinds)})"
        if operator in ("==", "!=") and isinstance(right, Constant) and right.value is None:
            code = f"is_null({one})"
        else:
            code = _CALLS[operator].format(one, self.value(right))
        return f"opposite({code})" if operator in ("!=", "<=", ">=") else code

    def quantified(self, node: Macro, want: bool) -> str:
        bound = self.bind(node)
        elements = self.walked(node)
        every = (node.kind == "all") is want
        inner = self.inside_of(bound, lambda part: self.truth(part, want), node.predicate)
        return (
            f"(({bound.walked} := {elements}) is not None"
            f" and {'all' if every else 'any'}({inner} for {bound.target} in {bound.walked}))"
        )

    def bind(self, node: Macro) -> _Bound:
        """Return the names in Python of what a macro walks over, and of its variables."""
        locals_ = tuple(self.fresh("e") for _ in node.variables)
        return _Bound(node.variables, self.fresh("t"), locals_, isinstance(node.elements, Path))

    def bound(self, node: Variable) -> _Bound:
        """Return the innermost macro around that has the variable."""
        return next(bound for bound in reversed(self.scope) if node.name in bound.names)

    def walked(self, node: Macro) -> str:
        """Return code for what a macro walks over; None means that it cannot."""
        walk = "pairs" if len(node.variables) > 1 else "elements"
        return f"{walk}({', '.join((self.value(node.elements), *(bound.walked for bound in self.scope)))})"

    def inside_of(self, bound: _Bound, emit: Callable[[Node], str], part: Node | None) -> str:
        if part is None:
            return "True"
        around, self.scope = self.scope, (*self.scope, bound)
        code = emit(part)
        self.scope = around
        return code

    def _value(self, node: Node) -> str:  # noqa: PLR0912 - one line for each kind of node
        match node:
            case Constant():
                return self.literal(node)
            case Path() | Metric():
                return f"V[{self.constant(node)}]"
            case Variable(name):
                return self.bound(node).local(name)
            case Field(operand, name):
                return f"settled(select({self.value(operand)}, {self.constant(name)}))"
            case Item(operand, index):
                return f"item({self.value(operand)}, {self.value(index)})"
            case ListOf(items):
                return f"listed({self.values(items)})"
            case MapOf(keys, items):
                return f"keyed({self.constant(keys)}, [{self.values(items)}])"
            case Call():
                return self.call(node)
            case Compute(operator, left, right):
                return f"{_OPERATORS[operator]}({self.value(left)}, {self.value(right)})"
            case Negative(operand):
                return f"negate({self.value(operand)})"
            case Conditional(condition, then, otherwise):
                chosen = self.fresh("t")
                return (
                    f"({self.value(then)} if ({chosen} := {self.value(condition)}) is True"
                    f" else {self.value(otherwise)} if {chosen} is False else ABSENT)"
                )
            case Compare(operator, left, right):
                return self.compared(operator, left, right)
            case Has(operand, field):
                return f"has({self.value(operand)}, {self.constant(field)})"
            case Macro():
                return self.macro(node)
            case All(parts):
                return f"both({self.values(parts)})"
            case AnyOf(parts):
                return f"either({self.values(parts)})"
            case Not(part):
                return f"opposite({self.value(part)})"
            case Defined(_, condition):
                sides = [self.constant(_definition(condition, want)) for want in (True, False)]
                return f"(True if {sides[0]}(V) else False if {sides[1]}(V) else ABSENT)"
        raise TypeError(node)

    def values(self, nodes: tuple[Node, ...]) -> str:
        return ", ".join(self.value(node) for node in nodes)

    def literal(self, node: Constant) -> str:
        value = plain(node)
        return str(value) if value is None or value is True or value is False else self.constant(value)

    def call(self, node: Call) -> str:
        function = self.constant(FUNCTIONS[node.function].run)
        if node.function == "matches":
            subject, written = node.arguments
            compiled = pattern(written.value) if isinstance(written, Constant) else None
            return f"{function}({self.value(subject)}, {self.constant(compiled)})"
        return f"{function}({self.values(node.arguments)})"

    def macro(self, node: Macro) -> str:
        bound = self.bind(node)
        walked = bound.walked
        each = f"[{self.inside_of(bound, self.value, node.predicate)} for {bound.target} in {walked}]"
        code = {
            "exists": f"either(*{each})",
            "all": f"both(*{each})",
            "exists_one": f"exactly_one({each})",
            "filter": f"kept({walked}, {each})",
        }.get(node.kind) or self.mapped(node, bound, each)
        return f"({code} if ({walked} := {self.walked(node)}) is not None else ABSENT)"

    def mapped(self, node: Macro, bound: _Bound, each: str) -> str:
        if node.transform is None:
            raise TypeError(node)
        transformed = self.inside_of(bound, self.value, node.transform)
        kept = bound.walked if node.predicate is None else self.fresh("t")
        code = f"listed(*[{transformed} for {bound.target} in {kept}])"
        if node.kind == "transform_map":
            key = bound.locals[0]
            each_key = f"[{key} for {bound.target} in {kept}]"
            code = f"keyed({each_key}, [{transformed} for {bound.target} in {kept}])"
        if node.predicate is None:
            return code
        return f"({code} if ({kept} := kept({bound.walked}, {each})) is not ABSENT else ABSENT)"


_CALLS = {"==": "equal({0}, {1})", "!=": "equal({0}, {1})", "<": "less({0}, {1})", ">": "less({1}, {0})",
          "<=": "less({1}, {0})", ">=": "less({0}, {1})", "in": "contains({0}, {1})"}  # fmt: skip


def _joined(codes: list[str], every: bool) -> str:
    return f"({(' and ' if every else ' or ').join(codes)})" if codes else str(every)
