"""What no case of a rule book makes true, or false: conditions and guardrails that no case tries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from adapter.files.starters import is_starter
from adapter.model.codes import folded
from adapter.model.rules import Absence, Rule
from adapter.model.triggers import Change, DiscountLife, Scheduled
from adapter.rules import expressions
from adapter.rules.engine.evaluate import view_of
from adapter.rules.engine.ruleset import RuleSet
from adapter.rules.expressions import All, AnyOf, Node, Not
from adapter.rules.guardrails.contract import CAMPAIGN
from adapter.rules.guardrails.registry import GUARDRAILS
from adapter.rules.testing.beside_case import beside
from adapter.rules.testing.cases import Result


def untried(book: RuleSet, results: Sequence[Result]) -> list[str]:
    """Return one line for each condition that no case makes true or false, and each guardrail that no case
    lets stop its rule, or pass; in the order of the rules.
    """
    lines: list[str] = []
    for rule in book.rules:
        if is_starter(book.places[rule.name].file):
            continue  # the package tests it
        beside = book.companions.get(rule.name, ())
        mine = [result for result in results if _reaches(rule, result, beside)]
        lines += (f"{rule.name}: {line}" for line in _conditions(book, rule, mine))
        lines += (f"{rule.name}: {line}" for line in _guardrails(rule, mine))
    stopping = {outcome.guardrail for result in results for outcome in result.outcomes}
    for campaign in book.campaigns:
        names = (f"{CAMPAIGN}{name}" for each in GUARDRAILS for name in each.stopping(campaign.guardrails))
        missed = [name for name in names if name not in stopping and name != f"{CAMPAIGN}stackable"]
        lines += (f"campaign {campaign.name}: no case lets {name} stop its rules" for name in missed)
    return lines


def _reaches(rule: Rule, result: Result, beside: Sequence[str]) -> bool:
    """Tell whether a case is about a rule, or about one that it is weighed with."""
    if isinstance(rule.trigger, Absence | Scheduled | DiscountLife):
        return result.case.due in (rule.name, *beside)
    if rule.code is not None:
        return result.case.claim is not None and folded(result.case.claim) == folded(rule.code)
    if isinstance(rule.trigger, Change):
        return any(outcome.rule == rule.name for outcome in result.outcomes)
    return result.case.event is not None and result.event.name in rule.triggers


def _conditions(book: RuleSet, rule: Rule, results: Sequence[Result]) -> Iterator[str]:
    metrics = book.metrics if rule.triggers or rule.code else None
    views = [
        view_of(
            each.event,
            each.case.changed or each.case.customer,
            each.history,
            each.case.now,
            metrics,
            discounts=beside(each.case, book).discounts,
        )
        for each in results
    ]
    for leaf in dict.fromkeys(_leaves(book.nodes[rule.name])):
        holds = expressions.compile(leaf)
        truths = {holds(view) for view in views}
        for truth in (True, False):
            if truth not in truths:
                yield f"no case makes `{expressions.text(leaf)}` {str(truth).lower()}"


def _leaves(node: Node) -> Iterator[Node]:
    if isinstance(node, All | AnyOf):
        for part in node.parts:
            yield from _leaves(part)
    elif isinstance(node, Not):
        yield from _leaves(node.part)
    else:
        yield node


def _guardrails(rule: Rule, results: Sequence[Result]) -> Iterator[str]:
    outcomes = [outcome for result in results for outcome in result.outcomes if outcome.rule == rule.name]
    stopping = {outcome.guardrail for outcome in outcomes}
    issued = any(outcome.outcome in ("issued", "shadow") for outcome in outcomes)
    for name in _set(rule):
        if name not in stopping:
            yield f"no case lets {name} stop it"
    got = {outcome.variant for outcome in outcomes}
    for variant in rule.variants:
        if variant.name not in got:
            yield f"no case gets variant {variant.name}"
    if not issued:
        yield "no case gets through to a discount"


def _set(rule: Rule) -> Iterable[str]:
    for each in GUARDRAILS:
        for name in each.stopping(rule.guardrails):
            if name != "stackable" or rule.conflicts != "none":
                yield name
    if rule.rollout.percent < 100 or rule.rollout.audience or rule.rollout.control:
        yield "rollout"
