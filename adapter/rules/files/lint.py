"""Rules that check and yet can never issue, or can hardly be meant so: a warning for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from adapter.files.problems import Mark, Problem
from adapter.files.yaml import Keys
from adapter.model.actions import Action
from adapter.model.rules import Guardrails, Rule
from adapter.rules.action_types import minimum
from adapter.rules.action_types.contract import RuleFacts
from adapter.rules.action_types.registry import type_of
from adapter.rules.blocks.block import Block
from adapter.rules.expressions import Names, Node, calendar_ranges, reads
from adapter.rules.expressions.contradictions import Fact, clash, facts
from adapter.rules.guardrails.contract import OR_PAUSE
from adapter.rules.guardrails.registry import CHECKED_IN_ORDER, GUARDRAILS

#: The place of a condition in the rule, and what it is.
Leaf = tuple[Keys, Node]


def warn(block: Block, rule: Rule, leaves: Sequence[Leaf], now: datetime | None) -> None:
    """Warn of what keeps a rule from ever issuing, and of what it does not hold back.

    Moments that are past are warned of only where `now` is given.
    """
    _warn_of_clashes(block, leaves)
    _warn_of_clocks(block, leaves)
    _warn_of_the_rollout(block, rule)
    _warn_of_holding_back(block, rule)
    now = None if rule.status == "paused" else now
    for each in GUARDRAILS:
        if each.lint is not None:
            each.lint(block, rule, now)


def warn_of_actions(  # noqa: PLR0917 - as `warn`
    block: Block,
    rule: Rule,
    places: Sequence[Keys],
    leaves: Sequence[Leaf],
    names: Names,
    now: datetime | None,
) -> None:
    """Warn of the actions of a rule, which are at these places; `names` are those of its trigger."""
    for place, action in zip(places, rule.actions, strict=True):
        inner = Block(block.document, block.text_of_file, (*block.path, *place), block.problems)
        _warn_of_the_action(inner, rule, action, leaves, names)
        if now is not None and rule.status != "paused":
            _warn_of_the_past(inner, rule, action, now)


def _warn_of_clashes(block: Block, leaves: Sequence[Leaf]) -> None:
    known = [(at, fact) for at, node in leaves for fact in _known(at, node)]
    found = clash([fact for _, fact in known])
    if found is None:
        return
    (at, later), (before, earlier) = known[found[0]], known[found[1]]
    line = block.document.mark(*block.path, *before).line
    block.warn(at, f"{later.sentence} and {earlier.sentence}, so the rule never issues",
               f"take out one of the two; the other is on line {line}")  # fmt: skip


def _warn_of_clocks(block: Block, leaves: Sequence[Leaf]) -> None:
    for at, node in leaves:
        for function, number in calendar_ranges.strays(node):
            block.warn(at, f"`{function}` never gives {number}", calendar_ranges.counted(function))


def _known(at: Keys, node: Node) -> Iterator[Fact]:
    """Yield what a condition means for the rule; nothing, where it is in an `any` or deep in a `none`."""
    groups = [key for key in at[1:] if isinstance(key, str)]
    if all(group == "all" for group in groups):
        yield from facts(node)
    elif groups[-1] == "none" and all(group == "all" for group in groups[:-1]):
        yield from facts(node, holds=False)


def _warn_of_the_action(
    inner: Block, rule: Rule, action: Action, leaves: Sequence[Leaf], names: Names
) -> None:
    required = [fact for at, node in leaves for fact in _known(at, node)]
    paths = reads(*(node for _, node in leaves)).paths
    rule_facts = RuleFacts(required, paths, names)
    if rule.code is None:  # a promotion is claimed where its minimum holds
        minimum.lint(inner, action.min_cart_value, rule_facts)
    type_of(action).lint(inner, action, rule_facts)


def _warn_of_the_rollout(block: Block, rule: Rule) -> None:
    if rule.rollout.percent == 0:
        block.warn(
            ("rollout", "percent"), "`percent` is 0: no customer is served", f"write more than 0, {OR_PAUSE}"
        )
    if rule.rollout.control == 100:
        block.warn(
            ("rollout", "control"), "`control` is 100: no customer is served", f"write less, {OR_PAUSE}"
        )


def _warn_of_holding_back(block: Block, rule: Rule) -> None:
    if rule.holds_back and (rule.code is not None or rule.care is not None):
        block.warn(
            ("exclusive",), "the rule issues no discount that waits for its use, so it holds back nothing",
            "write `exclusive: true`, or leave the line out",
        )  # fmt: skip


def _warn_of_the_past(inner: Block, rule: Rule, action: Action, now: datetime) -> None:
    ends = type_of(action).ends(action) or rule.expires_at
    if ends is not None and ends <= now and "expires_at" in inner.values:
        inner.warn(("expires_at",), "`expires_at` is past: no discount is issued that has ended",
                   f"write a later moment, `expires_in_hours: 48`, {OR_PAUSE}")  # fmt: skip


def overall(rule: Rule, at: Mark, shop: Guardrails) -> Iterator[Problem]:
    """Yield a warning for each limit over all rules that this rule, at place `at`, never passes."""
    for each in CHECKED_IN_ORDER:
        if each.lint_overall is not None:
            yield from each.lint_overall(rule, at, shop)
