"""Explanations by walking the tree at each event, as they were before they were compiled: the oracle."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from adapter.rules.expressions.compiler import compile_truth, compile_value
from adapter.rules.expressions.dependencies import children, reads
from adapter.rules.expressions.durations import window_text
from adapter.rules.expressions.evaluation_context import EvaluationContext
from adapter.rules.expressions.explain_elements import of_element, views
from adapter.rules.expressions.explain_sentences import name_of
from adapter.rules.expressions.typed_tree import (
    All,
    AnyOf,
    Call,
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
from adapter.rules.expressions.types import WORDS
from adapter.rules.expressions.unparse import text
from adapter.rules.expressions.values import ABSENT, UNUSABLE, kind_of

_NEEDS = {"==": "needs {}", "!=": "must not be {}", ">=": "needs at least {}", ">": "needs more than {}",
          "<=": "needs at most {}", "<": "needs less than {}"}  # fmt: skip
_DENIED = {"==": "!=", "!=": "==", ">=": "<", ">": "<=", "<=": ">", "<": ">="}
_READ = {"timestamp": "a moment", "duration": "a length of time", "double": "a number",
         "int": "a whole number"}  # fmt: skip


def explained(node: Node, view: EvaluationContext, *, want: bool) -> list[str]:
    """Return one sentence for each part that keeps the node from being exactly `want`."""
    return _misses(node, view, want=want)


def _misses(node: Node, view: EvaluationContext, *, want: bool) -> list[str]:
    if compile_truth(node, want)(view):
        return []
    match node:
        case Not(part):
            return _misses(part, view, want=not want)
        case Defined(name, condition):
            inner = "; ".join(_misses(condition, view, want=want))
            return [f"{name}: {inner}" if want else f"not {name}: {inner}"]
        case All(parts) | AnyOf(parts):
            each = [_misses(part, view, want=want) for part in parts]
            if isinstance(node, All) is want:
                return [miss for found in each for miss in found]
            return [f"none of these holds: {'; '.join(', '.join(found) for found in each)}"]
    return [_leaf(node, view, want=want)]


def _leaf(node: Node, view: EvaluationContext, *, want: bool) -> str:
    if (
        isinstance(node, Compare)
        and isinstance(node.left, Path | Metric)
        and isinstance(node.right, Constant)
    ):
        return _against_constant(node, node.left, node.right, view, want=want)
    if isinstance(node, Compare) and node.operator == "in" and isinstance(node.left, Constant):
        wanted = (
            f"needs {show(plain(node.left))} among them"
            if want
            else f"must not have {show(plain(node.left))}"
        )
        if isinstance(node.right, Path):
            return _seen(node.right, view, "list", wanted)
    if isinstance(node, Path):
        return _seen(node, view, "boolean", f"needs {show(want)}")
    if isinstance(node, Has) and isinstance(node.operand, Path):
        for end in range(1, len(node.operand.fields) + 1):
            place = Path(node.operand.root, node.operand.fields[:end])
            if place.root == "element" and end == 1:
                continue
            value = view.values[place]
            if value is ABSENT:
                return f"{name_of(place)} is missing"
            if not isinstance(value, dict):
                state = "not usable" if value is UNUSABLE else show(value)
                return f"{name_of(place)} is {state}, needs {WORDS['object']}"
        path = Path(node.operand.root, (*node.operand.fields, node.field))
        return f"{name_of(path)} is missing" if want else f"{name_of(path)} must not be there"
    if isinstance(node, Macro) and isinstance(node.elements, Path):
        if view.values[node.elements] is ABSENT:
            return f"{name_of(node.elements)} is missing"
        if node.kind in ("exists", "all") and (said := _quantified(node, node.elements, view, want=want)):
            return said
    return _general(node, view, want=want)


def _quantified(node: Macro, path: Path, view: EvaluationContext, *, want: bool) -> str:
    assert node.predicate is not None
    one = of_element(node.predicate, node.variables[0])
    found = [_misses(one, element, want=want) for element in views(view, path)]
    wrong = [at for at, misses in enumerate(found) if misses]
    if not wrong:
        return ""
    why = "; ".join(found[wrong[0]])
    if (node.kind == "all") is want or len(found) == 1:
        return f"element {wrong[0] + 1} of {name_of(path)}: {why}"
    return f"none of the {len(found)} elements of {name_of(path)} fits (element 1: {why})"


def _spoilt(node: Node, view: EvaluationContext) -> str:
    """Return what is wrong with the first element that is neither true nor false of a macro's condition."""
    match node:
        case Macro("filter" | "map" | "exists_one", Path() as path, (name,), predicate):
            one = of_element(predicate, name) if predicate is not None else Not(All(()))
            for at, element in enumerate(views(view, path), 1):
                truths = [compile_truth(one, want)(element) for want in (True, False)]
                if not any(truths):
                    return f"element {at} of {name_of(path)}: {'; '.join(_misses(one, element, want=True))}"
            return ""
        case Defined():
            return ""
        case Macro():
            return _spoilt(node.elements, view)
    return next(filter(None, (_spoilt(child, view) for child in children(node))), "")


def _against_constant(
    node: Compare, key: Path | Metric, constant: Constant, view: EvaluationContext, *, want: bool
) -> str:
    if node.operator == "in":
        values = plain(constant)
        listed = ", ".join(value if isinstance(value, str) else show(value) for value in values[:12])
        more = f" and {len(values) - 12} more" if len(values) > 12 else ""
        needs = f"{'needs' if want else 'must not be'} one of {listed}{more}"
        kinds = {one.kind for one in constant.value}
        return _seen(key, view, kinds.pop() if len(kinds) == 1 else "any", needs)
    operator = node.operator if want else _DENIED[node.operator]
    kind = "any" if constant.kind == "null" else constant.kind
    return _seen(key, view, kind, _NEEDS[operator].format(show(plain(constant))))


def _seen(key: Path | Metric, view: EvaluationContext, kind: Any, needs: str) -> str:
    value = view.values[key]
    if value is ABSENT:
        return f"{name_of(key)} is missing"
    if value is UNUSABLE:
        return f"{name_of(key)} is not a usable value"
    if kind not in ("any", kind_of(value)):
        needs = f"needs {WORDS[kind]}"
    return f"{name_of(key)} is {show(value)}, {needs}"


def _general(node: Node, view: EvaluationContext, *, want: bool) -> str:
    for call in _calls(node):
        [argument] = call.arguments
        value = compile_value(argument)(view)
        if isinstance(value, str) and compile_value(call)(view) is ABSENT:
            return f"{text(argument)} is {show(value)}, which is not {_READ[call.function]}"
    if spoilt := _spoilt(node, view):
        return spoilt
    found = reads(node)
    shown = []
    keys: tuple[Path | Metric, ...] = (*found.paths, *found.metrics)
    for key in keys:
        value = view.values[key]
        state = "missing" if value is ABSENT else "not usable" if value is UNUSABLE else show(value)
        shown.append(f"{name_of(key)} is {state}")
    verb = "does not hold" if want else "must not hold"
    return f"`{text(node)}` {verb}" + (f" ({', '.join(shown)})" if shown else "")


def _calls(node: Node) -> list[Call]:
    own = [node] if isinstance(node, Call) and node.function in _READ else []
    inner = () if isinstance(node, Macro | Defined) else children(node)
    return [*own, *(call for child in inner for call in _calls(child))]


def show(value: Any) -> str:
    if isinstance(value, float):
        cents = f"{value:.2f}"
        return cents if float(cents) == value else repr(value)
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, timedelta):
        return window_text(value)
    if isinstance(value, list | tuple):
        objects = sum(isinstance(element, dict) for element in value)
        if value and objects == len(value):
            return "a list of 1 object" if objects == 1 else f"a list of {objects} objects"
        shown = [show(element) for element in value[:6]]
        more = [f"and {len(value) - 6} more"] if len(value) > 6 else []
        return ", ".join(shown + more) or "an empty list"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, str | bool | int | None):
        plain = json.dumps(value, ensure_ascii=False)
        return plain if len(plain) <= 80 else f'{plain[:78]}…"'
    return f"{float(value):.2f}"
