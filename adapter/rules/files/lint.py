"""Rules that check and yet can never issue, or can hardly be meant so: a warning for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from adapter.files.problems import Mark, Problem
from adapter.files.yaml import Keys
from adapter.model.rules import Guardrails, Rule
from adapter.rules.action_types import minimum
from adapter.rules.action_types.contract import RuleFacts
from adapter.rules.action_types.registry import type_of
from adapter.rules.blocks.block import Block
from adapter.rules.expressions import Names, Node, calendar_ranges, reads
from adapter.rules.expressions.contradictions import Fact, clash, facts
from adapter.rules.files.schedule_lint import runs
from adapter.rules.guardrails.checks import cost

_CAPS = ("max_daily_redemptions", "max_weekly_redemptions", "max_total_redemptions", "per_user_limit")
_STOP = "or `status: paused` where the rule should stop"

#: Where a condition stands in the rule, and what it is.
Leaf = tuple[Keys, Node]


def warn(block: Block, rule: Rule, leaves: Sequence[Leaf], names: Names, now: datetime | None) -> None:
    """Warn of what keeps a rule from ever issuing, and of what it does not hold back.

    `names` are those of its trigger. Moments that are past are warned of only where `now` is given.
    """
    _warn_of_clashes(block, leaves)
    _warn_of_clocks(block, leaves)
    _warn_of_the_action(block, rule, leaves, names)
    _warn_of_segments(block, rule)
    _warn_of_nothing(block, rule)
    _warn_of_idle_caps(block, rule)
    _warn_of_no_time(block, rule)
    if now is not None and rule.status != "paused":
        _warn_of_the_past(block, rule, now)


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
    """Yield what a condition means for the rule; nothing, where it stands in an `any` or deep in a `none`."""
    groups = [key for key in at[1:] if isinstance(key, str)]
    if all(group == "all" for group in groups):
        yield from facts(node)
    elif groups[-1] == "none" and all(group == "all" for group in groups[:-1]):
        yield from facts(node, holds=False)


def _warn_of_the_action(block: Block, rule: Rule, leaves: Sequence[Leaf], names: Names) -> None:
    inner = block.block("action")
    if inner is not None:
        required = [fact for at, node in leaves for fact in _known(at, node)]
        paths = reads(*(node for _, node in leaves)).paths
        rule_facts = RuleFacts(required, paths, names)
        if rule.code is None:  # a promotion is claimed where its minimum holds
            minimum.lint(inner, rule.action.min_cart_value, rule_facts)
        type_of(rule.action).lint(inner, rule.action, rule_facts)


def _warn_of_segments(block: Block, rule: Rule) -> None:
    rails, written = rule.guardrails, block.values.get("guardrails", {})
    key = "excluded_segments" if "excluded_segments" in written else "exclude_segments"
    for wanted, names in (("eligible", rails.eligible_segments), ("the audience", rule.rollout.audience)):
        for name in names:
            if name in rails.excluded_segments:
                block.warn(("guardrails", key),
                           f"`{name}` is {wanted} and excluded: who is in it gets nothing",
                           "take it out of one of the two")  # fmt: skip


def _warn_of_nothing(block: Block, rule: Rule) -> None:
    for name in _CAPS:
        if getattr(rule.guardrails, name) == 0:
            block.warn(
                ("guardrails", name), f"`{name}` is 0, which stops the rule", f"write 1 or more, {_STOP}"
            )
    if rule.rollout.percent == 0:
        block.warn(
            ("rollout", "percent"), "`percent` is 0, which serves nobody", f"write more than 0, {_STOP}"
        )
    if rule.rollout.control == 100:
        block.warn(("rollout", "control"), "`control` is 100, which serves nobody", f"write less, {_STOP}")


def _warn_of_idle_caps(block: Block, rule: Rule) -> None:
    """Warn of a cap that a longer one always reaches first."""
    caps = [(name, getattr(rule.guardrails, name)) for name in _CAPS[:3]]
    caps = [(name, cap) for name, cap in caps if cap]
    for at, (name, cap) in enumerate(caps):
        longer = next((other for other in caps[at + 1 :] if cap > other[1]), None)
        if longer is not None:
            block.warn(("guardrails", name), f"`{name}` is {cap}, and `{longer[0]}` is {longer[1]}",
                       f"write {longer[1]} or less, or leave `{name}` out")  # fmt: skip


def _warn_of_no_time(block: Block, rule: Rule) -> None:
    schedule = rule.guardrails.schedule
    if schedule is not None and not runs(schedule, ZoneInfo(rule.guardrails.time_zone)):
        block.warn(("guardrails", "schedule"),
                   "no such weekday or hour lies between `from` and `until`, so the rule never issues",
                   f"move one of them, in the time zone {rule.guardrails.time_zone}")  # fmt: skip


def _warn_of_the_past(block: Block, rule: Rule, now: datetime) -> None:
    ends = type_of(rule.action).ends(rule.action) or rule.expires_at
    if ends is not None and ends <= now:
        block.warn(("action", "expires_at"), "`expires_at` is past: no discount is issued that has ended",
                   f"write a later moment, `expires_in_hours: 48`, {_STOP}")  # fmt: skip
    schedule = rule.guardrails.schedule
    if schedule is not None and schedule.ends_at is not None and schedule.ends_at <= now:
        block.warn(("guardrails", "schedule", "until"), "`until` is past: the rule issues nothing more",
                   f"write a later moment, {_STOP}")  # fmt: skip


def overall(rule: Rule, at: Mark, shop: Guardrails) -> Iterator[Problem]:
    """Yield a warning for each limit over all rules that this rule, which stands at `at`, never passes."""
    eligible = rule.guardrails.eligible_segments
    if eligible and set(eligible) <= set(shop.excluded_segments):
        message = f"who `{rule.name}` is for ({', '.join(eligible)}) is excluded over all rules"
        yield Problem(at, message, "take the segment out of one of the two", "warning")
    each, budget = cost(rule, shop), shop.budget
    caps = () if budget is None else [cap for cap in (budget.daily, budget.total) if cap is not None]
    if each is not None and caps and each > min(caps):
        message = (
            f"a discount of `{rule.name}` can cost {each:f}, and the budget over all rules is {min(caps):f}"
        )
        yield Problem(at, message, "let a discount cost less, or raise the budget", "warning")
