"""`eligible_segments` and `excluded_segments`: which customers a rule is for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from adapter.files.problems import Mark, Problem
from adapter.model.events import Event
from adapter.model.rules import Guardrails, Rule
from adapter.rules.blocks.block import Block
from adapter.rules.blocks.schema import SOME_WORDS, WORDS
from adapter.rules.guardrails.contract import Check, Given, Guardrail, Rejection, withheld
from adapter.rules.guardrails.membership import Membership

ELIGIBLE, EXCLUDED = "eligible_segments", "excluded_segments"
#: Another spelling of the key.
_EXCLUDE = "exclude_segments"


def _parse(block: Block, given: Given | None) -> Mapping[str, Any]:
    return {ELIGIBLE: block.some_words(ELIGIBLE), EXCLUDED: block.words(EXCLUDED, _EXCLUDE)}


def _check(rule: Rule, guardrails: Guardrails, label: str) -> Check | None:
    if not (guardrails.excluded_segments or guardrails.eligible_segments):
        return None
    return partial(_segments, guardrails, label)


def _segments(
    guardrails: Guardrails, label: str, event: Event, members: Membership, now: datetime
) -> Rejection | None:
    for name in guardrails.excluded_segments:
        known = members.get(name)
        if known is False:
            continue
        missing = f"the data to tell whether the customer is in {name} is missing"
        return withheld(label + EXCLUDED, f"the customer is in {name}" if known else missing)
    eligible = guardrails.eligible_segments
    if eligible and not any(members.get(name) for name in eligible):
        return withheld(label + ELIGIBLE, f"the customer is not in {' or '.join(eligible)}")
    return None


def _lint(block: Block, rule: Rule, now: datetime | None) -> None:
    rails = rule.guardrails
    key = EXCLUDED if EXCLUDED in block.values.get("guardrails", {}) else _EXCLUDE
    for wanted, names in (("eligible", rails.eligible_segments), ("the audience", rule.rollout.audience)):
        for name in names:
            if name in rails.excluded_segments:
                block.warn(("guardrails", key),
                           f"`{name}` is {wanted} and excluded: who is in it gets nothing",
                           "take it out of one of the two")  # fmt: skip


def _lint_overall(rule: Rule, at: Mark, shop: Guardrails) -> Iterator[Problem]:
    eligible = rule.guardrails.eligible_segments
    if eligible and set(eligible) <= set(shop.excluded_segments):
        message = f"who `{rule.name}` is for ({', '.join(eligible)}) is excluded over all rules"
        yield Problem(at, message, "take the segment out of one of the two", "warning")


GUARDRAIL = Guardrail(
    names=(ELIGIBLE, EXCLUDED),
    keys={ELIGIBLE: SOME_WORDS, EXCLUDED: WORDS, _EXCLUDE: WORDS},
    parse=_parse,
    check=_check,
    segments=lambda guardrails: (*guardrails.eligible_segments, *guardrails.excluded_segments),
    lint=_lint,
    lint_overall=_lint_overall,
)
