"""Why rules did not hold, explained after the decision from the values that were kept with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from adapter.model.decisions import Decision, RuleOutcome
from adapter.rules.engine.conditions import NearMiss, near_miss
from adapter.rules.expressions import (
    All,
    EvaluationContext,
    Metric,
    Node,
    Path,
    Reads,
    compile_misses,
    compile_shortfalls,
    reads,
    text,
)
from adapter.rules.expressions.explain_sentences import name_of
from adapter.rules.expressions.values import ABSENT, settled


def completed(decision: Decision, rules: Sequence[tuple[str, Node]]) -> Decision:
    """Return the decision with a sentence for each of its trigger's rules that it says nothing of.

    `rules` are all of the trigger's, by the files that made the decision.
    """
    told = {outcome.rule for outcome in decision.outcomes}
    view = seen_by(decision, reads(*(node for _, node in rules)))
    more = [
        RuleOutcome(name, "not_met", f"not issued: {_why(node, decision.seen, view)}")
        for name, node in rules
        if name not in told
    ]
    return replace(decision, outcomes=(*decision.outcomes, *more), untold=0)


def near_misses(decision: Decision, nodes: Mapping[str, Node]) -> dict[str, list[NearMiss]]:
    """Return by rule what is missing for its comparisons with numbers, where the decision saw their values.

    `nodes` are the conditions by rule, by the files that made the decision.
    """
    missed = [each.rule for each in decision.outcomes if each.outcome == "not_met" and each.rule in nodes]
    view = seen_by(decision, reads(*(nodes[name] for name in missed)))
    found = {name: compile_shortfalls(nodes[name])(view) for name in missed}
    known = {name: [each for each in lacking if each.value is not None] for name, lacking in found.items()}
    return {name: list(map(near_miss, lacking)) for name, lacking in known.items() if lacking}


def _why(node: Node, seen: Mapping[str, Any], view: EvaluationContext) -> str:
    """Return what kept a condition from holding.

    A figure that was not seen was missing, or was not asked for. Where all the rest holds it was asked for.
    """
    parts = list(_parts(node))
    unseen = {part: [metric for metric in reads(part).metrics if text(metric) not in seen] for part in parts}
    known = [part for part in parts if not unseen[part]]
    doubtful = [part for part in parts if unseen[part]]
    missed = [sentence for part in known for sentence in compile_misses(part)(view)]
    if missed or not doubtful:
        return "; ".join(missed) or "its conditions do not hold"
    if len(doubtful) == 1:
        return "; ".join(compile_misses(doubtful[0])(view))
    figures = dict.fromkeys(name_of(metric) for part in doubtful for metric in unseen[part])
    return f"one of these is missing: {', '.join(figures)}"


def _parts(node: Node) -> Iterator[Node]:
    if isinstance(node, All):
        for part in node.parts:
            yield from _parts(part)
    else:
        yield node


def seen_by(decision: Decision, named: Reads) -> EvaluationContext:
    """Return what a decision saw: values by name, and the objects around them for `has()` to look into."""
    attributes: dict[str, Any] = {}
    traits: dict[str, Any] = {}
    context: dict[str, Any] = {}
    places = {"attributes": attributes, "user": traits, "context": context}
    for name, value in decision.seen.items():
        root, _, rest = name.partition(".")
        if rest and root in places:
            _put(places[root], rest, value)
        else:  # a bare name: around it is looked for among the attributes first
            _put(attributes, name, value)
    at = decision.decided_at
    view = EvaluationContext(attributes, traits, context, decision.event, at, at, lambda _: None)
    for path in named.paths:
        view.values[path] = _value(path, decision)
    for metric in named.metrics:
        view.values[metric] = _moment_of(metric, decision.seen.get(text(metric), ABSENT))
    return view


def _put(place: dict[str, Any], name: str, value: Any) -> None:
    *around, last = name.split(".")
    for field in around:
        inner = place.setdefault(field, {})
        if not isinstance(inner, dict):
            return
        place = inner
    place.setdefault(last, value)


def _value(path: Path, decision: Decision) -> Any:
    if path.root == "now":
        return decision.decided_at
    value = decision.seen.get(text(path), ABSENT)
    if path == Path("event", ("occurred_at",)) and isinstance(value, str):
        return datetime.fromisoformat(value)
    return value if value is ABSENT else settled(value)


def _moment_of(metric: Metric, value: Any) -> Any:
    if metric.kind in ("first", "last") and isinstance(value, str):
        return datetime.fromisoformat(value)
    return value if value is ABSENT else settled(value)
