"""Rule files: one rule, or a list under `rules:`, each read to a value and a tree of conditions."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

from adapter.files import starters
from adapter.files.overrides import overridden
from adapter.files.problems import Mark, Problem, errors
from adapter.files.yaml import Document, Keys
from adapter.model.rules import Conflicts, Guardrails, Rule
from adapter.rules.action_types.action_block import ActionBlock
from adapter.rules.action_types.computed import ComputedValue
from adapter.rules.blocks.block import Block, shown
from adapter.rules.blocks.money import CURRENCY, exact
from adapter.rules.expressions import Names, Node
from adapter.rules.files import action_block, checkout_keys, guardrail_block, push, slips, triggers
from adapter.rules.files import lint as doubts
from adapter.rules.files.conditions import Conditions

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
Status = Literal["live", "shadow", "paused"]


class Compiled(Struct, frozen=True):
    """A rule, the tree that its conditions make, its place, and its value where it is computed."""

    rule: Rule
    node: Node
    at: Mark
    computed: ComputedValue | None = None

    @property
    def name(self) -> str:
        """The name of the rule."""
        return self.rule.name


class Defaults(Struct, frozen=True, kw_only=True):
    """What the shop says for all rules that do not say it themselves."""

    time_zone: str = "UTC"
    conflicts: Conflicts = "priority"
    budget_currency: str | None = None


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
    return isinstance(value, dict) and ("rules" in value or "extends" in value)


def _paths(document: Document, text: str, problems: list[Problem]) -> list[Keys]:
    """Return where the rules of a file are."""
    if not _is_list(document.value):
        return [()]
    top = Block(document, text, (), problems)
    top.get("extends")
    top.get("disable")
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
    trigger = triggers.read(block, names)
    conditions = Conditions(block, triggers.seen(trigger, names))
    node = conditions.read(block.get("conditions"), ("conditions",))
    budget = _budget_currency(block) or defaults.budget_currency
    issuing = _action(block, conditions.names, budget)
    guardrails = _guardrails(block, issuing, conditions.names, defaults.time_zone)
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
    if errors(block.problems[before:]) or name is None or trigger is None or node is None or issuing is None:
        return None
    rule = Rule(
        name=name, trigger=trigger, action=issuing.action, description=description or "",
        conditions=block.values.get("conditions"), guardrails=guardrails, rollout=rollout,
        conflicts=conflicts or defaults.conflicts, status=status or "live", priority=priority,
        code_prefix=issuing.codes.code_prefix, code_pattern=issuing.codes.code_pattern,
        code=issuing.codes.code, code_pool=issuing.codes.code_pool, expires_in=issuing.expires_in,
        expires_at=issuing.expires_at, metadata=issuing.metadata,
        value=None if issuing.computed is None else issuing.written, push=pushed_to, **at_checkout,
    )  # fmt: skip
    doubts.warn(block, rule, conditions.leaves, conditions.names, now)
    return Compiled(rule, node, block.document.mark(*block.path, "name"), issuing.computed)


def _action(block: Block, names: Names, budget: str | None) -> action_block.Issuing | None:
    if block.get("action") is None:
        block.lacks("action", "add `action: {type: percentage_off, value: 10}`")
        return None
    path = (*block.path, "action")
    return action_block.read(
        ActionBlock(block.document, block.text_of_file, path, block.problems, names, budget)
    )


def _budget_currency(block: Block) -> str | None:
    """Return the currency of the rule's budget before it is read: amounts of the action follow it."""
    at: Any = block.values
    for key in ("guardrails", "budget", "currency"):
        at = at.get(key) if isinstance(at, dict) else None
    return at if isinstance(at, str) and CURRENCY.fullmatch(at) else None


def _guardrails(
    block: Block, issuing: action_block.Issuing | None, names: Names, time_zone: str
) -> Guardrails:
    """Return the guardrails; an action that names no currency is paid in that of its budget."""
    action = None if issuing is None else issuing.action
    read = guardrail_block.guardrails(guardrail_block.within(block, "guardrails", names), action, time_zone)
    unsaid = action is not None and action.currency is None
    paying = block.block("action") if unsaid and read.budget else None
    if issuing and paying and read.budget:
        written = action_block.written_amounts(issuing.action, issuing.computed)
        exact(paying, read.budget.currency, written)
    return read
