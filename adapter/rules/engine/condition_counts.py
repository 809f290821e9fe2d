"""The tree of a rule's conditions, with how often each part held in decisions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

from msgspec import Struct

from adapter.model.decisions import Decision
from adapter.rules.engine.deferred_reasons import seen_by
from adapter.rules.expressions import All, AnyOf, EvaluationContext, Node, Not, compile_truth, reads, text

Group = Literal["all", "any", "none", "condition"]


class ConditionCount(Struct):
    """One part of a tree: `held` of `judged` decisions that saw all that it reads.

    `depth` counts from 0. A group of kind `none` holds where none of its parts does.
    """

    kind: Group
    condition: str
    depth: int
    held: int = 0
    judged: int = 0


class ConditionTree:
    """Counts for one rule, over the decisions that it is given; they must be by the files of the rule."""

    def __init__(self, node: Node) -> None:
        self._reads = reads(node)
        self._parts = [_Part(part, kind, depth) for part, kind, depth in _walk(node, 0)]

    def note(self, decision: Decision) -> None:
        """Judge every part by the values that a decision saw."""
        view = seen_by(decision, self._reads)
        for part in self._parts:
            part.note(view, decision)

    def counts(self) -> list[ConditionCount]:
        """Return the parts in the order in which they are written, each before those inside it."""
        return [part.count for part in self._parts]


class _Part:
    def __init__(self, node: Node, kind: Group, depth: int) -> None:
        self.count = ConditionCount(kind, "" if kind in ("all", "any", "none") else text(node), depth)
        self._judge = _judge(node, kind)

    def note(self, view: EvaluationContext, decision: Decision) -> None:
        held = self._judge(view, decision)
        if held is not None:
            self.count.judged += 1
            self.count.held += held


def _judge(node: Node, kind: Group) -> Callable[[EvaluationContext, Decision], bool | None]:
    """Return what says whether a part held; None where nothing is known of it.

    A figure that was not seen was missing, or was not asked for. What is known of the parts of a group may
    be enough: one that did not hold decides `all`, one that did decides the others.
    """
    metrics = [text(metric) for metric in reads(node).metrics]
    holds = compile_truth(node, True)
    inside = [_judge(part, within) for part, within, depth in _walk(node, 0) if depth == 1]

    def judge(view: EvaluationContext, decision: Decision) -> bool | None:
        if all(metric in decision.seen for metric in metrics):
            return holds(view)
        decisive = kind != "all"
        known = any(each(view, decision) is decisive for each in inside)
        return (kind == "any") if known else None

    return judge


def _walk(node: Node, depth: int) -> Iterator[tuple[Node, Group, int]]:
    match node:
        case All(parts) if parts:
            yield node, "all", depth
            yield from _inside(parts, depth)
        case AnyOf(parts) if parts:
            yield node, "any", depth
            yield from _inside(parts, depth)
        case Not(AnyOf(parts)) if parts:
            yield node, "none", depth
            yield from _inside(parts, depth)
        case _:
            yield node, "condition", depth


def _inside(parts: tuple[Node, ...], depth: int) -> Iterator[tuple[Node, Group, int]]:
    for part in parts:
        yield from _walk(part, depth + 1)
