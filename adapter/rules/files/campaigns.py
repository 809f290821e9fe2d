"""The `campaigns` of `definitions.yaml`, or of a rule file: what the rules of a campaign share."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Literal, get_args

from msgspec.structs import replace

from adapter.files.problems import Mark, Problem, did_you_mean
from adapter.files.schemas import TEXT, Schema, one_of, said
from adapter.files.schemas import block as block_schema
from adapter.files.yaml import Document
from adapter.model.rules import Campaign, Choose, Rule, Status, WhenUsedUp
from adapter.rules.blocks.block import Block, duration, shown
from adapter.rules.blocks.schema import LENGTH, PERCENT
from adapter.rules.expressions import Names
from adapter.rules.files import guardrail_block
from adapter.rules.guardrails.one_of_these import NAME as ONE_OF_THESE

KEY = "campaigns"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_ONCE = ("per event", "for ever")
_EXAMPLE = "write `per event`, `for ever`, or a length of time such as 30d"
#: What people write for keys of a campaign.
_OTHER_NAMES = {
    "exclusive": ONE_OF_THESE, "one_of": ONE_OF_THESE, "exclusivity": ONE_OF_THESE,
    "conflicts": "choose", "pick": "choose", "winner": "choose",
    "fallthrough": "when_used_up", "if_used_up": "when_used_up",
    "limits": "guardrails", "budget": "guardrails", "per_user_limit": "guardrails",
    "control_group": "control",
}  # fmt: skip


#: Campaigns by name, each with its place.
Found = dict[str, tuple[Campaign, Mark]]


def read(block: Block | None, names: Names, time_zone: str) -> Found:
    """Return the campaigns of a block by name, and report what is wrong with the others."""
    found: Found = {}
    if block is None:
        return found
    for name in block.values:
        if not _NAME.fullmatch(name):
            block.refuse((name,), f"`{name}` cannot name a campaign",
                         "use up to 100 letters, digits, `-`, `_` and `.`", at_key=True)  # fmt: skip
        inner = block.block(name) if block.get(name) != {} else None
        campaign = Campaign(name=name) if inner is None else _campaign(inner, name, names, time_zone)
        found[name] = campaign, block.document.key_mark(*block.path, name)
    return found


def of_rule_files(
    files: Iterable[tuple[Document, str]], declared: Found, names: Names, time_zone: str
) -> tuple[Found, list[Problem]]:
    """Return the campaigns of `definitions.yaml` with those that rule files have beside their rules."""
    found, problems = dict(declared), list[Problem]()
    for document, text in files:
        if not isinstance(document.value, dict) or KEY not in document.value:
            continue
        for name, each in read(Block(document, text, (), problems).block(KEY), names, time_zone).items():
            first = found.setdefault(name, each)
            if first is not each:
                where = f"the first is at {first[1].file}:{first[1].line}; rename one"
                problems.append(Problem(each[1], f"a campaign named `{name}` is there already", where))
    return found, problems


def _campaign(block: Block, name: str, names: Names, time_zone: str) -> Campaign:
    description = block.text("description", longest=2000)
    once = _one_of_these(block)
    choose: Choose | None = block.one_of("choose", Choose)
    when_used_up: WhenUsedUp | None = block.one_of("when_used_up", WhenUsedUp)
    status: Status | None = block.one_of("status", Status)
    control = block.number("control", above=None, highest=100)
    shared = guardrail_block.guardrails(guardrail_block.within(block, "guardrails", names), None, time_zone)
    block.finish(_OTHER_NAMES)
    for key in ("choose", "when_used_up"):
        if key in block.values and ONE_OF_THESE not in block.values:
            block.refuse((key,), f"`{key}` says which rule goes first, and all of them may issue",
                         f"add `{ONE_OF_THESE}: per event`", at_key=True)  # fmt: skip
    if once is not None:
        shared = replace(shared, more={**shared.more, ONE_OF_THESE: once})
    return Campaign(
        name=name, description=description or "", one_of_these=once, choose=choose or "priority",
        when_used_up=when_used_up or "nothing", control=control or Decimal(0), status=status or "live",
        guardrails=shared,
    )  # fmt: skip


def _one_of_these(block: Block) -> timedelta | Literal["per event", "for ever"] | None:
    written = block.get(ONE_OF_THESE)
    if written is None and ONE_OF_THESE not in block.values:
        return None
    if written == "per event":
        return "per event"
    if written in ("for ever", "forever", "ever"):
        return "for ever"
    length = duration(written) if isinstance(written, str) else None
    if length is None:
        block.refuse((ONE_OF_THESE,), f"`{ONE_OF_THESE}` is {shown(written)}", _EXAMPLE)
    return length


def of_rule(block: Block, known: Mapping[str, Campaign]) -> tuple[Campaign | None, WhenUsedUp | None]:
    """Return the campaign of a rule, and what the rule says for the case that it is used up."""
    name = block.text("campaign")
    when_used_up: WhenUsedUp | None = block.one_of("when_used_up", WhenUsedUp)
    campaign = None if name is None else known.get(name)
    if name is not None and campaign is None:
        near = did_you_mean(name, known)
        added = f"add `{KEY}: {{{name}: {{one_of_these: per event}}}}` to definitions.yaml"
        block.refuse(
            ("campaign",), f"there is no campaign `{name}`", near if near.startswith("did") else added
        )
    elif when_used_up is not None and (campaign is None or campaign.one_of_these is None):
        block.refuse(("when_used_up",), "`when_used_up` is for campaigns that give one of their discounts",
                     "write `campaign: ...`, and `one_of_these: per event` in that campaign")  # fmt: skip
    return campaign, when_used_up


def doubts(
    campaigns: Iterable[tuple[Campaign, Mark]], rules: Iterable[tuple[Rule, Mark]], *, whole: bool
) -> Iterator[Problem]:
    """Yield what is wrong with campaigns and their rules together; `whole` says that all rules were read."""
    of: dict[str, list[tuple[Rule, Mark]]] = {}
    for rule, at in rules:
        if rule.campaign is not None:
            of.setdefault(rule.campaign.name, []).append((rule, at))
    for campaign, at in campaigns:
        mine = of.get(campaign.name, [])
        if not mine and whole:
            yield Problem(at, f"no rule is in the campaign `{campaign.name}`",
                          f"add `campaign: {campaign.name}` to its rules", "warning")  # fmt: skip
        for rule, place in mine if campaign.control else ():
            if rule.rollout.control:
                yield Problem(place, f"`{rule.name}` has a control group beside that of its campaign",
                              "take `control` out of the rule's rollout")  # fmt: skip


def schema(guardrails: Schema) -> Schema:
    """Return the JSON Schema of one campaign."""
    once = {"anyOf": [one_of(_ONCE), LENGTH]}
    return block_schema({
        "description": said({**TEXT, "maxLength": 2000}, "What it is for."),
        ONE_OF_THESE: said(once, "A customer gets one of its discounts for each event, in a time, for ever."),
        "choose": said(one_of(get_args(Choose)), "Which of its rules goes first."),
        "when_used_up": said(one_of(get_args(WhenUsedUp)), "When the rule that goes first is used up."),
        "control": said(PERCENT, "Per cent of customers who get nothing of it, to measure it by."),
        "status": one_of(get_args(Status)),
        "guardrails": said(guardrails, "Limits over all its rules together."),
    })  # fmt: skip
