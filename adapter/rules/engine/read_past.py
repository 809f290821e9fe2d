"""What rules read of the customer's past: figures of history, and counts of the customer's own discounts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from adapter.files.problems import Problem, did_you_mean
from adapter.model.rules import Absence
from adapter.rules.expressions import Metric, reads
from adapter.rules.files.definitions import Definitions
from adapter.rules.files.rule_file import Compiled


def counted(one: Compiled) -> list[Metric]:
    """Return what a rule counts of discounts."""
    return [metric for metric in reads(one.node, *one.values).metrics if metric.kind == "discounts"]


def counting(compiled: Iterable[Compiled]) -> frozenset[str]:
    """Return the names of the events, or the rules with another trigger, of which discounts are counted."""
    names: set[str] = set()
    for one in compiled:
        if counted(one):
            named = isinstance(one.rule.trigger, tuple)
            names.update(one.rule.triggers if named else (one.rule.name,))
    return frozenset(names)


def doubtful_counts(compiled: Sequence[Compiled]) -> list[Problem]:
    """Refuse counts in shared codes, and warn of rules that are not there."""
    problems: list[Problem] = []
    rules = {one.rule.name for one in compiled}
    for one in compiled:
        metrics = counted(one)
        if metrics and one.rule.code is not None:
            message = (
                "a shared code cannot count discounts: the checkout does not read the customer's past ones"
            )
            problems.append(Problem(one.at, message, "use `per_user_limit`, or a rule with a trigger"))
        for name in dict.fromkeys(metric.event for metric in metrics if metric.event):
            if name not in rules:
                message = f"`discounts.count` names the rule `{name}`, which is not there"
                problems.append(Problem(one.at, message, did_you_mean(name, rules), "warning"))
    return problems


def history_metrics(compiled: Sequence[Compiled], shared: Definitions) -> list[Metric]:
    """Return the figures of history that rules, their values and segments read."""
    nodes = [one.node for one in compiled]
    nodes += [node for one in compiled for node in one.values]
    nodes += [segment.node for segment in shared.segments.values() if segment.node is not None]
    read = [metric for node in nodes for metric in reads(node).metrics if metric.kind != "discounts"]
    waits = [one.rule.trigger for one in compiled if isinstance(one.rule.trigger, Absence)]
    return read + [Metric("last", name) for wait in waits for name in (wait.event, wait.unless)]
