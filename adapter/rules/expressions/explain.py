"""Why a condition does not hold, in a marketer's words and with the values seen.

A condition's explanation is compiled once: its parts become functions of a view, in which all that does not
depend on the values is text already.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from adapter.rules.expressions.compiler import Test, compile_truth
from adapter.rules.expressions.evaluation_context import EvaluationContext
from adapter.rules.expressions.explain_elements import quantified, undecided
from adapter.rules.expressions.explain_sentences import (
    Sentence,
    general,
    happened,
    name_of,
    presence,
    seen,
)
from adapter.rules.expressions.typed_tree import (
    All,
    AnyOf,
    Compare,
    Constant,
    Defined,
    Has,
    Macro,
    Metric,
    Node,
    Not,
    Path,
    plain,
)
from adapter.rules.expressions.unparse import show
from adapter.rules.expressions.values import ABSENT

#: One sentence for each part that keeps a condition from holding; none when it holds.
Misses = Callable[[EvaluationContext], list[str]]
_Part = tuple[Test, Sentence]

_NEEDS = {"==": "needs {}", "!=": "must not be {}", ">=": "needs at least {}", ">": "needs more than {}",
          "<=": "needs at most {}", "<": "needs less than {}"}  # fmt: skip
_DENIED = {"==": "!=", "!=": "==", ">=": "<", ">": "<=", "<=": ">", "<": ">="}


def misses(node: Node, view: EvaluationContext) -> list[str]:
    """Return one sentence for each part that keeps the condition from holding; none when it holds."""
    return compile_misses(node)(view)


def compile_misses(node: Node, *, want: bool = True) -> Misses:
    """Return the function that says why the node is not exactly `want`; it never raises."""
    return partial(_missed, _parts(node, want))


def _missed(parts: list[_Part], view: EvaluationContext) -> list[str]:
    return [sentence(view) for holds, sentence in parts if not holds(view)]


def _parts(node: Node, want: bool) -> list[_Part]:
    """Return what must hold, all of it, each with its sentence for when it does not."""
    match node:
        case Not(part):
            return _parts(part, not want)
        case Defined(name, condition):
            sentence: Sentence = partial(_defined, name if want else f"not {name}", _parts(condition, want))
        case All(parts) | AnyOf(parts):
            each = [_parts(part, want) for part in parts]
            if isinstance(node, All) is want:
                return [part for found in each for part in found]
            sentence = partial(_none, each)
        case _:
            sentence = _leaf(node, want=want)
    return [(compile_truth(node, want), sentence)]


def _none(each: list[list[_Part]], view: EvaluationContext) -> str:
    return f"none of these holds: {'; '.join([', '.join(_missed(parts, view)) for parts in each])}"


def _defined(name: str, parts: list[_Part], view: EvaluationContext) -> str:
    return f"{name}: {'; '.join(_missed(parts, view))}"


def _leaf(node: Node, *, want: bool) -> Sentence:
    """Return what a single test that fails says."""
    if (
        isinstance(node, Compare)
        and isinstance(node.left, Path | Metric)
        and isinstance(node.right, Constant)
    ):
        return _against_constant(node.operator, node.left, node.right, want=want)
    if (
        isinstance(node, Compare)
        and node.operator == "in"
        and isinstance(node.left, Constant)
        and isinstance(node.right, Path)
    ):
        constant = show(plain(node.left))
        return seen(
            node.right, "list", f"needs {constant} among them" if want else f"must not have {constant}"
        )
    if isinstance(node, Path):
        return seen(node, "boolean", f"needs {show(want)}")
    if isinstance(node, Metric) and node.steps:
        return happened(node, want=want)
    if isinstance(node, Has) and isinstance(node.operand, Path):
        return presence(node.operand, node.field, want=want)
    otherwise = general(node, want=want, causes=undecided(node, _compile))
    if isinstance(node, Macro) and isinstance(node.elements, Path):
        if node.kind in {"exists", "all"} and len(node.variables) == 1:
            return quantified(node, node.elements, _compile, otherwise, want=want)
        return _elements(node.elements, otherwise)
    return otherwise


def _compile(node: Node, want: bool) -> Misses:
    return compile_misses(node, want=want)


def _against_constant(operator: str, key: Path | Metric, constant: Constant, *, want: bool) -> Sentence:
    if operator == "in":
        values = plain(constant)
        listed = ", ".join(value if isinstance(value, str) else show(value) for value in values[:12])
        more = f" and {len(values) - 12} more" if len(values) > 12 else ""
        needs = f"{'needs' if want else 'must not be'} one of {listed}{more}"
        kinds = {one.kind for one in constant.value}
        return seen(key, kinds.pop() if len(kinds) == 1 else "any", needs)
    wanted = _NEEDS[operator if want else _DENIED[operator]].format(show(plain(constant)))
    return seen(key, "any" if constant.kind == "null" else constant.kind, wanted)


def _elements(path: Path, general: Sentence) -> Sentence:
    missing = f"{name_of(path)} is missing"
    return lambda view: missing if view.values[path] is ABSENT else general(view)
