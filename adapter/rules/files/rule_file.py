"""Rule files: one rule, or a list under `rules:`, each read to a value and a tree of conditions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from adapter.files import starters
from adapter.files.overrides import overridden
from adapter.files.problems import Mark, Problem, errors
from adapter.files.yaml import Document, Keys
from adapter.model.rules import Absence, Campaign, Conflicts, Guardrails, Rule, Status
from adapter.model.triggers import DiscountLife
from adapter.rules.action_types.computed import ComputedValue
from adapter.rules.blocks.block import Block, shown
from adapter.rules.blocks.money import CURRENCY, exact
from adapter.rules.expressions import Names, Node, Path
from adapter.rules.files import (
    action_block,
    campaigns,
    checkout_keys,
    given_block,
    guardrail_block,
    push,
    slips,
    triggers,
)
from adapter.rules.files import lint as doubts
from adapter.rules.files import recipient as recipient_key
from adapter.rules.files.conditions import Conditions
from adapter.rules.files.given_block import Given

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


class Compiled(Struct, frozen=True):
    """A rule, the tree that its conditions make, its place, and the values of its actions that are computed.

    Each of its variants is a rule of its own. `replaces_at` is the place of `replaces`, `to` where
    the event names its recipient.
    """

    rule: Rule
    node: Node
    at: Mark
    computed: tuple[ComputedValue | None, ...] = (None,)
    variants: tuple[Compiled, ...] = ()
    replaces_at: Mark | None = None
    to: Path | None = None

    @property
    def values(self) -> tuple[Node, ...]:
        """The expressions of computed values."""
        found = [node for each in self.computed if each is not None for node in each.nodes]
        return (*found, *(node for each in self.variants[1:] for node in each.values))

    @property
    def name(self) -> str:
        """The name of the rule."""
        return self.rule.name


class Defaults(Struct, frozen=True, kw_only=True):
    """What the shop says for all rules that do not say it themselves."""

    time_zone: str = "UTC"
    conflicts: Conflicts = "priority"
    budget_currency: str | None = None
    campaigns: Mapping[str, Campaign] = {}


def read(
    document: Document, text: str, names: Names, defaults: Defaults, now: datetime | None = None
) -> tuple[list[Compiled], list[Problem]]:
    """Return the rules of one file that check, and the problems of those that do not.

    What is past at `now` is warned of; nothing is where it is not given.
    """
    problems: list[Problem] = []
    paths = _paths(document, text, problems)
    read_rules = [_rule(Block(document, text, path, problems), names, defaults, now) for path in paths]
    own = [compiled for compiled in read_rules if compiled is not None]
    bases, wrong = starters.extended("rules", document)
    problems += wrong
    if not _is_list(document.value):
        return own, problems
    base: list[Compiled] = []
    for each in bases:
        found, wrong = read(each, each.text, names, defaults, now)
        base += found
        problems += wrong
    left, wrong = overridden(document, base, own)
    return left, problems + wrong


def _is_list(value: Any) -> bool:
    return isinstance(value, dict) and any(key in value for key in ("rules", "extends", campaigns.KEY))


def _paths(document: Document, text: str, problems: list[Problem]) -> list[Keys]:
    """Return where the rules of a file are."""
    if not _is_list(document.value):
        return [()]
    top = Block(document, text, (), problems)
    top.get("extends")
    top.get("disable")
    top.get(campaigns.KEY)  # which are read before all rules
    listed = top.get("rules")
    top.finish()
    if listed is None and "rules" not in document.value:
        return []
    if not isinstance(listed, list) or not listed:
        top.refuse(("rules",), "`rules` holds no list", "put each rule after `- `")
        return []
    return [("rules", index) for index in range(len(listed))]


def _rule(block: Block, names: Names, defaults: Defaults, now: datetime | None) -> Compiled | None:
    before = len(block.problems)
    if not block.values:
        return None
    name = block.text("name", required=True)
    if name is not None and not NAME.fullmatch(name):
        block.refuse(("name",), f"`{name[:60]}` cannot name a rule",
                     "use up to 100 letters, digits, `-`, `_` and `.`, without spaces")  # fmt: skip
    trigger = triggers.read(block, names, defaults.time_zone)
    conditions = Conditions(block, triggers.seen(trigger, names))
    node = conditions.read(block.get("conditions"), ("conditions",))
    campaign, when_used_up = campaigns.of_rule(block, defaults.campaigns)
    shared = campaign.guardrails.budget if campaign is not None else None
    budget = _budget_currency(block) or (shared.currency if shared else defaults.budget_currency)
    given = given_block.read(block, conditions.names, budget)
    guardrails = _guardrails(block, given, conditions.names, defaults.time_zone)
    recipient = recipient_key.read(block, conditions.names)
    if recipient is not None and not (trigger and isinstance(trigger, tuple | Absence)):
        block.refuse(("to",), "`to` needs an event that names the other customer",
                     "write `trigger: order_completed`, or take `to` out", at_key=True)  # fmt: skip
    if any(each.first.care for each in given or ()) and not isinstance(trigger, DiscountLife):
        block.refuse(("action", "type"), "there is no discount to remind of, or to extend",
                     "write `trigger: {discount: any, expires_in: 2d}`")  # fmt: skip
    status: Status | None = block.one_of("status", Status)
    conflicts: Conflicts | None = block.one_of("conflicts", Conflicts)
    rollout = guardrail_block.rollout(block.block("rollout"))
    description = block.text("description", longest=2000)
    priority = block.values.get("priority", 0)
    block.get("priority")
    if not isinstance(priority, int) or isinstance(priority, bool):
        block.refuse(
            ("priority",), f"`priority` is {shown(priority)}", "write a whole number; higher goes first"
        )
    at_checkout = checkout_keys.read(block)
    pushed_to = push.read(block, names.destinations)
    block.finish(elsewhere=slips.elsewhere)
    if errors(block.problems[before:]) or name is None or trigger is None or node is None or not given:
        return None
    rule = Rule(
        name=name, trigger=trigger, action=given[0].first.action, description=description or "",
        conditions=block.values.get("conditions"), guardrails=guardrails, rollout=rollout,
        conflicts=conflicts or defaults.conflicts, status=status or "live", priority=priority,
        campaign=campaign, when_used_up=when_used_up,
        push=pushed_to, to=None if recipient is None else block.values["to"],
        variants=tuple(each.variant for each in given if each.variant is not None),
        **at_checkout,
    )  # fmt: skip
    rules = [_giving(rule, each) for each in given]
    for one, each in zip(rules, given, strict=True):
        if one.care is None:
            doubts.warn_of_actions(block, one, each.places, conditions.leaves, conditions.names, now)
    doubts.warn(block, rules[0], conditions.leaves, now)
    at = block.document.mark(*block.path, "name")
    places = block.document.mark(*block.path, "replaces") if rule.replaces else None
    compiled = [
        Compiled(one, node, at, each.computed, replaces_at=places, to=recipient)
        for one, each in zip(rules, given, strict=True)
    ]
    if not rule.variants:
        return compiled[0]
    return replace(compiled[0], rule=replace(rules[0], variant=None), variants=tuple(compiled))


def _giving(rule: Rule, given: Given) -> Rule:
    """Return a rule with what it gives, or one of its variants does."""
    first = given.first
    return replace(
        rule, action=first.action, more_actions=given.actions[1:], code_prefix=first.codes.code_prefix,
        code_pattern=first.codes.code_pattern, code=first.codes.code, code_pool=first.codes.code_pool,
        expires_in=first.expires_in, expires_at=first.expires_at, metadata=first.metadata,
        value=None if first.computed is None else first.written,
        variant=None if given.variant is None else given.variant.name, care=first.care,
    )  # fmt: skip


def _budget_currency(block: Block) -> str | None:
    """Return the currency of the rule's budget before it is read: amounts of the action follow it."""
    at: Any = block.values
    for key in ("guardrails", "budget", "currency"):
        at = at.get(key) if isinstance(at, dict) else None
    return at if isinstance(at, str) and CURRENCY.fullmatch(at) else None


def _guardrails(block: Block, given: Sequence[Given], names: Names, time_zone: str) -> Guardrails:
    """Return the guardrails; an action that names no currency is paid in that of its budget."""
    actions = [each.actions for each in given] or None
    inner = guardrail_block.within(block, "guardrails", names)
    read = guardrail_block.guardrails(inner, actions, time_zone)
    for each in given if read.budget else ():
        for place, issuing in zip(each.places, each.issuings, strict=True):
            if issuing.action.currency is None and read.budget:
                path = (*block.path, *place)
                paying = Block(block.document, block.text_of_file, path, block.problems)
                written = action_block.written_amounts(issuing.action, issuing.computed)
                exact(paying, read.budget.currency, written)
    return read
