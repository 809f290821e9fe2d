"""Which element of an array decided, and why: a macro's condition, looked at for one element at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

from adapter.rules.expressions.compiler import compile_truth, compile_value
from adapter.rules.expressions.dependencies import children
from adapter.rules.expressions.evaluation_context import EvaluationContext
from adapter.rules.expressions.explain_sentences import Sentence, name_of
from adapter.rules.expressions.typed_tree import Defined, Field, Macro, Node, Path, Variable
from adapter.rules.expressions.values import ABSENT, elements, select, settled

#: Compiles why a node is not exactly what is wanted.
Compile = Callable[[Node, bool], Callable[[EvaluationContext], list[str]]]


class _Values(dict[Any, Any]):
    """The values that are seen around an element, and those of the element."""

    __slots__ = ("around", "element")

    def __init__(self, around: EvaluationContext) -> None:
        super().__init__()
        self.around = around
        self.element: Any = None

    def __missing__(self, key: Any) -> Any:
        if not (isinstance(key, Path) and key.root == "element"):
            return self.around.values[key]
        value = self.element
        for field in key.fields[1:]:
            value = settled(select(value, field))
        return value


class _Element:
    """What an explanation sees of one element: its values."""

    __slots__ = ("values",)

    def __init__(self, around: EvaluationContext) -> None:
        self.values = _Values(around)


def views(view: EvaluationContext, path: Path) -> Iterator[EvaluationContext]:
    """Yield what conditions of a single element see, for each of those at a path; good until the next one."""
    seen = _Element(view)
    for element in elements(view.values[path]) or ():
        seen.values.element = element
        yield cast("EvaluationContext", seen)


def of_element(node: Node, variable: str, called: str = "") -> Node:
    """Return a macro's condition as one of a single element: its variable is a path then, `called` so."""
    match node:
        case Variable(name) if name == variable:
            return Path("element", (called or name,))
        case Field(operand, name):
            inner = of_element(operand, variable, called)
            return Path("element", (*inner.fields, name)) if isinstance(inner, Path) else Field(inner, name)
        case Macro(kind, inside, variables, predicate, transform) if variable in variables:
            return Macro(kind, of_element(inside, variable, called), variables, predicate, transform)
    return type(node)(*(_replaced(getattr(node, name), variable, called) for name in node.__struct_fields__))


def _replaced(value: Any, variable: str, called: str) -> Any:
    if isinstance(value, Node):
        return of_element(value, variable, called)
    return tuple(_replaced(each, variable, called) for each in value) if isinstance(value, tuple) else value


def quantified(node: Macro, path: Path, compiling: Compile, otherwise: Sentence, *, want: bool) -> Sentence:
    """Return what `exists` or `all` over a path says: of the first element that is not as each must be, or
    of the first where none is as one must be; `otherwise` of an array that is none, or empty.
    """
    name = name_of(path)
    one = of_element(cast("Node", node.predicate), node.variables[0])
    holds, missed = compile_truth(one, want), compiling(one, want)
    every = (node.kind == "all") is want

    def sentence(view: EvaluationContext) -> str:
        if view.values[path] is ABSENT:
            return f"{name} is missing"
        for at, element in enumerate(views(view, path), 1):
            if not holds(element):
                why = "; ".join(missed(element))
                if every or (count := len(view.values[path])) == 1:
                    return f"element {at} of {name}: {why}"
                return f"none of the {count} elements of {name} fits (element {at}: {why})"
        return otherwise(view)

    return sentence


def undecided(node: Node, compiling: Compile) -> Iterator[Sentence]:
    """Yield for each macro that one bad element spoils what it says of the first, empty where none is."""
    if isinstance(node, Macro) and node.kind not in ("exists", "all") and isinstance(node.elements, Path):
        if node.predicate is not None and len(node.variables) == 1:
            yield _undecided(node, of_element(node.predicate, node.variables[0]), node.elements, compiling)
    elif not isinstance(node, Defined):
        for child in (node.elements,) if isinstance(node, Macro) else children(node):
            yield from undecided(child, compiling)


def _undecided(node: Macro, one: Node, path: Path, compiling: Compile) -> Sentence:
    name, missed, result = name_of(path), compiling(one, True), compile_value(node)
    holds, denied = compile_truth(one, want=True), compile_truth(one, want=False)

    def sentence(view: EvaluationContext) -> str:
        if result(view) is not ABSENT:
            return ""
        for at, element in enumerate(views(view, path), 1):
            if not (holds(element) or denied(element)):
                return f"element {at} of {name}: {'; '.join(missed(element))}"
        return ""

    return sentence
