"""Rule files: one rule, or a list under `rules:`, each read to a value and a tree of conditions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from adapter.files import starters
from adapter.files.overrides import overridden
from adapter.files.problems import Mark, Problem, errors
from adapter.files.yaml import Document, Keys
from adapter.model.rules import Absence, Campaign, Conflicts, Guardrails, Rule, Trigger
from adapter.model.triggers import DiscountLife
from adapter.rules.action_types.computed import ComputedValue
from adapter.rules.blocks.block import Block
from adapter.rules.blocks.money import CURRENCY, exact
from adapter.rules.expressions import Names, Node, Path
from adapter.rules.files import (
    action_block,
    campaigns,
    given_block,
    guardrail_block,
    plain_keys,
    slips,
    triggers,
)
from adapter.rules.files import lint as doubts
from adapter.rules.files import recipient as recipient_key
from adapter.rules.files.conditions import Conditions
from adapter.rules.files.given_block import Given


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
    """Return a rule, None where it does not check; all its keys are read, so that all problems are found."""
    before = len(block.problems)
    if not block.values:
        return None
    name = plain_keys.read_name(block)
    trigger = triggers.read(block, names, defaults.time_zone)
    conditions = Conditions(block, triggers.seen(trigger, names))
    node = conditions.read(block.get("conditions"), ("conditions",))
    campaign, when_used_up = campaigns.of_rule(block, defaults.campaigns)
    given = given_block.read(block, conditions.names, _budget_currency(block, campaign, defaults))
    guardrails = _guardrails(block, given, conditions.names, defaults.time_zone)
    recipient = recipient_key.read(block, conditions.names)
    _expect_fitting_trigger(block, trigger, recipient, given)
    plain = plain_keys.read(block, names, defaults.conflicts)
    block.finish(elsewhere=slips.elsewhere)
    if errors(block.problems[before:]) or name is None or trigger is None or node is None or not given:
        return None
    rule = Rule(
        name=name, trigger=trigger, action=given[0].first.action,
        conditions=block.values.get("conditions"), guardrails=guardrails,
        campaign=campaign, when_used_up=when_used_up,
        to=None if recipient is None else block.values["to"],
        variants=tuple(each.variant for each in given if each.variant is not None),
        **plain,
    )  # fmt: skip
    rules = [_giving(rule, each) for each in given]
    _warn(block, rules, given, conditions, now)
    return _compiled(block, rules, given, node, recipient)


def _expect_fitting_trigger(
    block: Block, trigger: Trigger | None, recipient: Path | None, given: Sequence[Given]
) -> None:
    """Refuse another recipient, or an action on a discount, of which the trigger knows nothing."""
    if recipient is not None and not (trigger and isinstance(trigger, tuple | Absence)):
        block.refuse(("to",), "`to` needs an event that names the other customer",
                     "write `trigger: order_completed`, or take `to` out", at_key=True)  # fmt: skip
    if any(each.first.care for each in given) and not isinstance(trigger, DiscountLife):
        block.refuse(("action", "type"), "there is no discount to remind of, or to extend",
                     "write `trigger: {discount: any, expires_in: 2d}`")  # fmt: skip


def _warn(
    block: Block,
    rules: Sequence[Rule],
    given: Sequence[Given],
    conditions: Conditions,
    now: datetime | None,
) -> None:
    """Warn of what the rule can hardly mean; `rules` are the rule, or one for each of its variants."""
    for one, each in zip(rules, given, strict=True):
        if one.care is None:
            doubts.warn_of_actions(block, one, each.places, conditions.leaves, conditions.names, now)
    doubts.warn(block, rules[0], conditions.leaves, now)


def _compiled(
    block: Block, rules: Sequence[Rule], given: Sequence[Given], node: Node, recipient: Path | None
) -> Compiled:
    """Return the rule with its variants, of which the first stands for the rule."""
    at = block.document.mark(*block.path, "name")
    places = block.document.mark(*block.path, "replaces") if rules[0].replaces else None
    compiled = [
        Compiled(one, node, at, each.computed, replaces_at=places, to=recipient)
        for one, each in zip(rules, given, strict=True)
    ]
    if not rules[0].variants:
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


def _budget_currency(block: Block, campaign: Campaign | None, defaults: Defaults) -> str | None:
    """Return the currency of the rule's budget before it is read: amounts of the action follow it."""
    at: Any = block.values
    for key in ("guardrails", "budget", "currency"):
        at = at.get(key) if isinstance(at, dict) else None
    if isinstance(at, str) and CURRENCY.fullmatch(at):
        return at
    shared = campaign.guardrails.budget if campaign is not None else None
    return shared.currency if shared else defaults.budget_currency


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
