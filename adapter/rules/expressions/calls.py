"""Calls, checked: functions, `has()`, and history; `macros` has those over lists."""

from __future__ import annotations

from adapter.files.problems import did_you_mean, meant
from adapter.model import zones
from adapter.model.patterns import pattern
from adapter.rules.expressions import slips, syntax_tree
from adapter.rules.expressions.calls_contract import Checks
from adapter.rules.expressions.discount_calls import ROOT, check_discounts, is_own_discounts
from adapter.rules.expressions.durations import duration_text, parse_window
from adapter.rules.expressions.errors import ExpressionError
from adapter.rules.expressions.function_contract import Function
from adapter.rules.expressions.functions import CLOCKS, FUNCTIONS, too_fine, zone
from adapter.rules.expressions.history_calls import check_figure
from adapter.rules.expressions.macros import MACROS, check_macro, is_macro
from adapter.rules.expressions.names import HISTORY
from adapter.rules.expressions.typed_tree import Call, Constant, Field, Has, Kind, Node, Path
from adapter.rules.expressions.types import at_midnight
from adapter.rules.expressions.unparse import text
from adapter.rules.expressions.values import ABSENT

#: What the functions that read text make of it, and how it is written.
_READ = {"timestamp": ("a timestamp", "2025-01-31T09:00:00Z"), "duration": ("a duration", "36h or 90m"),
         "double": ("a number", "12.5"), "int": ("a whole number", "12")}  # fmt: skip
#: What other languages call some of them.
_TOO = {"any": "exists", "some": "exists", "every": "all", "includes": "contains", "length": "size",
        "len": "size", "count": "size"}  # fmt: skip


def check_call(checker: Checks, tree: syntax_tree.Invocation) -> tuple[Node, Kind]:
    """Return the node and kind of a call; raises ExpressionError."""
    receiver = tree.receiver
    owner = receiver.name if isinstance(receiver, syntax_tree.Name) else ""
    if owner in HISTORY and owner not in checker.variables:
        return check_figure(checker, tree, including=owner != "history")
    if owner == ROOT and owner not in checker.variables and is_own_discounts(tree):
        return check_discounts(tree)
    if owner == "math" and owner not in checker.variables:
        return _function(checker, tree, "math.")
    if receiver is None and tree.name == "has":
        return _has(checker, tree), "boolean"
    return check_macro(checker, tree) if is_macro(tree) else _function(checker, tree)


def _has(checker: Checks, tree: syntax_tree.Invocation) -> Node:
    if len(tree.arguments) == 1 and isinstance(tree.arguments[0], syntax_tree.Subscript):
        raise _subscripted(checker, tree.arguments[0], tree.offset)
    if len(tree.arguments) != 1 or not isinstance(tree.arguments[0], syntax_tree.Select):
        named = tree.arguments[0] if len(tree.arguments) == 1 else None
        name = named.name if isinstance(named, syntax_tree.Name) else "coupon_code"
        remedy = f"write `has(attributes.{name})`, `has(user.{name})` or `has(context.{name})`"
        raise ExpressionError("`has()` needs to know where the name should be", remedy, tree.offset)
    node, _ = checker.check(tree.arguments[0])
    if isinstance(node, Path) and node.root not in ("event", ""):
        return Has(Path(node.root, node.fields[:-1]), node.fields[-1])
    if isinstance(node, Path) and node.root == "" and len(node.fields) > 1:
        return Has(Path("", node.fields[:-1]), node.fields[-1])
    if isinstance(node, Field):
        return Has(node.operand, node.name)
    raise ExpressionError(f"`{text(node)}` is always there", "leave `has()` out", tree.offset)


def _subscripted(checker: Checks, tree: syntax_tree.Subscript, offset: int) -> ExpressionError:
    """Return the error of `has(user["loyalty tier"])`, which CEL does not take."""
    operand, index = checker.check(tree.operand)[0], checker.check(tree.index)[0]
    remedy = f"write `size({text(operand)}) > {text(index)}`"
    if not isinstance(index, Constant) or index.kind == "text":
        remedy = f"write `{text(index)} in {text(operand)}`"
    return ExpressionError("`has()` takes no brackets", remedy, offset)


def _function(checker: Checks, tree: syntax_tree.Invocation, space: str = "") -> tuple[Node, Kind]:
    """Check a call of a function, of a `space` such as `math.`, which is no receiver."""
    name = space + tree.name
    known = FUNCTIONS.get(name)
    if known is None:
        remedy = did_you_mean(name, [*FUNCTIONS, *MACROS, "has"])
        if tree.name in _TOO:
            remedy = meant(_TOO[tree.name])
        remedy = slips.FUNCTIONS.get(name, remedy)
        raise ExpressionError(f"unknown function `{name}`", remedy, tree.offset)
    receiver = None if space else tree.receiver
    trees = tree.arguments if receiver is None else (receiver, *tree.arguments)
    _check_shape(tree, known, space, len(trees))
    accepts = known.accepts * len(trees) if known.repeated else known.accepts
    arguments: list[Node] = []
    for index, (argument, wanted) in enumerate(zip(trees, accepts, strict=False)):
        node, kind = checker.check(argument)
        if kind == "list" and tree.name == "contains" and index == 0:
            raise _not_in_list(checker, node, tree)
        if kind != "any" and kind not in wanted:
            checker.need(node, kind, wanted, argument)
        if tree.name == "matches" and index == 1:
            _check_pattern(node, argument)
        if tree.name in CLOCKS and index == 1:
            _check_zone(node, argument)
        if tree.name == "timestamp" and isinstance(node, Path):
            _check_moment(checker, node, syntax_tree.start(argument))
        arguments.append(node)
    return _folded(tree, name, known, tuple(arguments)), known.gives


def _not_in_list(checker: Checks, elements: Node, tree: syntax_tree.Invocation) -> ExpressionError:
    wanted = checker.check(tree.arguments[0])[0]
    message = f"`{text(elements)}` is a list, and `contains` looks into text"
    return ExpressionError(message, f"write `{text(wanted)} in {text(elements)}`", tree.offset)


def _check_shape(tree: syntax_tree.Invocation, known: Function, space: str, given: int) -> None:
    most = max(given, 1) if known.repeated else len(known.accepts)
    example = (
        f"value.{tree.name}({'…' if most > 1 else ''})" if known.method else f"{space}{tree.name}(value)"
    )
    written_right = known.method if tree.receiver is not None and not space else known.free
    if not written_right or not most - known.optional <= given <= most:
        raise ExpressionError(f"`{tree.name}` is not called so", f"write `{example}`", tree.offset)


def _check_zone(node: Node, tree: syntax_tree.Syntax) -> None:
    if isinstance(node, Constant) and zone(node.value) is None:
        raise ExpressionError(f"`{node.value}` is not a time zone", zones.remedy(node.value), tree.offset)


def _check_moment(checker: Checks, node: Path, offset: int) -> None:
    if checker.names.is_date(node):
        written = text(node)
        remedy = f"write `{at_midnight(written)}` for its first moment in UTC"
        error = ExpressionError(f"`{written}` is a date, and `timestamp` reads moments", remedy, offset)
        checker.names.doubt(error)


def _check_pattern(node: Node, tree: syntax_tree.Syntax) -> None:
    if not isinstance(node, Constant):
        raise ExpressionError(
            "the pattern of `matches` must be written out", 'write it in quotes: "^A.*"', tree.offset
        )
    if pattern(node.value) is None:
        remedy = "see the RE2 syntax; there are no look-arounds and no back-references"
        raise ExpressionError(f'"{node.value}" is not a regular expression', remedy, tree.offset)


def _folded(tree: syntax_tree.Invocation, name: str, known: Function, arguments: tuple[Node, ...]) -> Node:
    call = Call(name, arguments)
    if name not in _READ or not isinstance(arguments[0], Constant):
        return call
    given = arguments[0].value
    if isinstance(given, str) and too_fine(given):
        raise ExpressionError(
            f"`{given}` has parts of a microsecond", "write at most six digits", tree.offset
        )
    value = known.run(given)
    if value is ABSENT:
        what, example = _READ[tree.name]
        window = parse_window(given) if tree.name == "duration" else None
        example = example if window is None else duration_text(window)
        raise ExpressionError(f"`{text(arguments[0])}` is not {what}", f"write it as {example}", tree.offset)
    return Constant(value, known.gives)
