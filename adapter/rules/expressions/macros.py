"""Macros over lists and objects, checked: `items.exists(item, …)`, and those that add up.

Sources: cel-spec doc/langdef.md "Macros"; cel-go ext/README.md "TwoVarComprehensions". `sum`, `min`, `max`
and `count` with a variable are ours, and mean what CEL says in two steps: `items.map(item, …).sum()`.
"""

from __future__ import annotations

from msgspec import Struct

from adapter.rules.expressions import syntax_tree
from adapter.rules.expressions.calls_contract import Checks
from adapter.rules.expressions.errors import ExpressionError
from adapter.rules.expressions.typed_tree import Call, Kind, Macro, MacroKind, Node
from adapter.rules.expressions.unparse import text


class _Shape(Struct, frozen=True):
    """How a macro is called: its names, the least and the most of what follows them, and what it gives.

    `transforms` says that the last argument is a value, `then` is the function that its list is put through.
    """

    kind: MacroKind
    gives: Kind
    variables: int = 1
    least: int = 1
    most: int = 1
    transforms: bool = False
    then: str = ""


_ONE: dict[str, _Shape] = {
    "exists": _Shape("exists", "boolean"),
    "all": _Shape("all", "boolean"),
    "exists_one": _Shape("exists_one", "boolean"),
    "filter": _Shape("filter", "list"),
    "map": _Shape("map", "list", most=2, transforms=True),
    "count": _Shape("filter", "number", then="size"),
    **{name: _Shape("map", "number", transforms=True, then=name) for name in ("sum", "min", "max")},
}
_TWO: dict[str, _Shape] = {
    "exists": _Shape("exists", "boolean", 2),
    "all": _Shape("all", "boolean", 2),
    "existsOne": _Shape("exists_one", "boolean", 2),
    "transformList": _Shape("map", "list", 2, most=2, transforms=True),
    "transformMap": _Shape("transform_map", "object", 2, most=2, transforms=True),
}
#: The names of all macros.
MACROS = tuple(dict.fromkeys((*_ONE, *_TWO)))


def is_macro(tree: syntax_tree.Invocation) -> bool:
    """Return whether a call is a macro's: `prices.sum()` is a function's."""
    return tree.receiver is not None and tree.name in MACROS and (bool(tree.arguments) or tree.name in _BARE)


#: Macros that are no functions too, which a call without arguments could mean.
_BARE = frozenset(name for name in MACROS if name not in ("sum", "min", "max"))


def check_macro(checker: Checks, tree: syntax_tree.Invocation) -> tuple[Node, Kind]:
    """Return the node and kind of a macro; raises ExpressionError."""
    receiver = tree.receiver or tree
    elements, kind = checker.check(receiver)
    checker.need(elements, kind, ("list", "object"), receiver)
    shape = _shape(tree, elements)
    variables = tuple(_variable(each) for each in tree.arguments[: shape.variables])
    rest = list(tree.arguments[shape.variables :])
    inside = checker.within(variables)
    transform = None
    if shape.transforms:
        transform, of = inside.check(rest[-1])
        if shape.then:
            inside.need(transform, of, ("number",), rest[-1])
        rest.pop()
    predicate = inside.condition(rest[0]) if rest else None
    node: Node = Macro(shape.kind, elements, variables, predicate, transform)
    return Call(shape.then, (node,)) if shape.then else node, shape.gives


def _shape(tree: syntax_tree.Invocation, elements: Node) -> _Shape:
    """Return how the macro is called: with two names, where the second argument is one and more follow."""
    given = len(tree.arguments)
    two = _TWO.get(tree.name)
    if two and 2 + two.least <= given <= 2 + two.most and isinstance(tree.arguments[1], syntax_tree.Name):
        return two
    one = _ONE.get(tree.name)
    if one and 1 + one.least <= given <= 1 + one.most:
        return one
    names = "item" if one else "key, value"
    remedy = f"write `{text(elements)}.{tree.name}({names}, …)`"
    raise ExpressionError(f"`{tree.name}` needs a name for the element, and a condition", remedy, tree.offset)


def _variable(tree: syntax_tree.Syntax) -> str:
    if not isinstance(tree, syntax_tree.Name):
        raise ExpressionError("the element needs a plain name here", "write `item`", syntax_tree.start(tree))
    return tree.name
