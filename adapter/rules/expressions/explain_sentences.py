"""The sentences of a single test that fails: what was seen, and what was needed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from adapter.rules.expressions.compiler import compile_value
from adapter.rules.expressions.dependencies import children, reads
from adapter.rules.expressions.durations import window_text
from adapter.rules.expressions.evaluation_context import EvaluationContext
from adapter.rules.expressions.typed_tree import Call, Defined, Kind, Macro, Metric, Node, Path
from adapter.rules.expressions.types import WORDS
from adapter.rules.expressions.unparse import past, show, text
from adapter.rules.expressions.values import ABSENT, UNUSABLE, kind_of

Sentence = Callable[[EvaluationContext], str]

_FIGURES = {"count": "number of {}", "sum": "sum of {}", "avg": "average of {}", "min": "least {}",
            "max": "greatest {}", "distinct": "number of different {}", "first": "first {}",
            "last": "last {}", "days_since": "days since {}", "streak": "days in a row of {}"}  # fmt: skip
#: What the functions that read text make of it.
_READ = {"timestamp": "a moment", "duration": "a length of time", "double": "a number",
         "int": "a whole number"}  # fmt: skip


def name_of(key: Path | Metric) -> str:
    """Return how a marketer calls a value."""
    if isinstance(key, Path):
        return text(key)
    if key.kind == "discounts":
        return _discounts(key)
    if key.steps:
        return _sequence(key)
    subject = key.event if key.attribute is None else f"{key.event}.{key.attribute}"
    if key.derived:
        subject += f" ({', '.join(past(key)[1:])})"
    within = "" if key.window is None else f" in {window_text(key.window)}"
    return _FIGURES[key.kind].format(subject) + within


def _sequence(key: Metric) -> str:
    within = "" if key.window is None else f" within {window_text(key.window)}"
    return ", then ".join(key.steps) + within


def happened(key: Metric, *, want: bool) -> Sentence:
    """Return what a sequence of events says that did not happen, or that must not have happened."""
    name = name_of(key)
    said = f"{name} did not happen in this order" if want else f"{name} happened, and must not have"

    def sentence(view: EvaluationContext) -> str:
        return f"{name} is missing" if view.values[key] is ABSENT else said

    return sentence


def _discounts(key: Metric) -> str:
    status = "" if key.attribute is None else f"{key.attribute} "
    rule = f" of {key.event}" if key.event else ""
    within = "" if key.window is None else f" in {window_text(key.window)}"
    return f"number of the customer's {status}discounts{rule}{within}"


def seen(key: Path | Metric, kind: Kind, needs: str) -> Sentence:
    """Return what a value of another kind, or of the kind and yet not right, says."""
    name = name_of(key)
    wrong = f", needs {WORDS[kind]}"
    needs = f", {needs}"

    def sentence(view: EvaluationContext) -> str:
        value = view.values[key]
        if value is ABSENT:
            return f"{name} is missing"
        if value is UNUSABLE:
            return f"{name} is not a usable value"
        return f"{name} is {show(value)}{needs if kind == 'any' or kind_of(value) == kind else wrong}"

    return sentence


def presence(parent: Path, field: str, *, want: bool) -> Sentence:
    """Return what `has()` says: which place on the way is missing or no object, else what is of the field.

    Where there is no place to look into, `has()` is undecided: neither it nor its opposite holds.
    """
    least = 2 if parent.root == "element" else 1
    way = [Path(parent.root, parent.fields[:end]) for end in range(least, len(parent.fields) + 1)]
    named = [(place, name_of(place)) for place in way]
    name = name_of(Path(parent.root, (*parent.fields, field)))
    said = f"{name} is missing" if want else f"{name} must not be there"

    def sentence(view: EvaluationContext) -> str:
        for place, known in named:
            value = view.values[place]
            if value is ABSENT:
                return f"{known} is missing"
            if value.__class__ is not dict:
                return f"{known} is {_state(value)}, needs {WORDS['object']}"
        return said

    return sentence


def general(node: Node, *, want: bool, causes: Iterable[Sentence] = ()) -> Sentence:
    """Return what any other test says: itself, with the values that it reads.

    A text that cannot be read is named instead, and so is the first of `causes` that says anything.
    """
    found = reads(node)
    keys: tuple[Path | Metric, ...] = (*found.paths, *found.metrics)
    named = [(name_of(key), key) for key in keys]
    said = f"`{text(node)}` {'does not hold' if want else 'must not hold'}"
    known = [*map(_reading, _readers(node)), *causes]

    def sentence(view: EvaluationContext) -> str:
        for cause in known:
            if told := cause(view):
                return told
        shown = ", ".join(f"{name} is {_state(view.values[key])}" for name, key in named)
        return f"{said} ({shown})" if shown else said

    return sentence


def _readers(node: Node) -> Iterator[Call]:
    """Yield the calls that read text, except those inside a macro's element or a definition."""
    if isinstance(node, Call) and node.function in _READ:
        yield node
    if not isinstance(node, Macro | Defined):
        for child in children(node):
            yield from _readers(child)


def _reading(call: Call) -> Sentence:
    """Return what a call says of a text that it cannot read, empty when it can or there is none."""
    [argument] = call.arguments
    given, result = compile_value(argument), compile_value(call)
    name, wrong = text(argument), f"which is not {_READ[call.function]}"

    def sentence(view: EvaluationContext) -> str:
        value = given(view)
        unread = value.__class__ is str and result(view) is ABSENT
        return f"{name} is {show(value)}, {wrong}" if unread else ""

    return sentence


def _state(value: Any) -> str:
    return "missing" if value is ABSENT else "not usable" if value is UNUSABLE else show(value)
