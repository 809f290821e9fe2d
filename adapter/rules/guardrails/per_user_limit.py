"""`per_user_limit`: how many discounts one customer, and one device, gets in a period or any window."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from adapter.files.schemas import block as block_schema
from adapter.files.schemas import said
from adapter.model.discounts import CounterReservation
from adapter.model.rules import Rule
from adapter.rules.blocks.block import Block
from adapter.rules.blocks.schema import WHOLE
from adapter.rules.guardrails.contract import CountedBlock, Given, Guardrail, Personal
from adapter.rules.guardrails.counted_over import KEYS, OTHER_NAMES, all_had, counted_over, personal
from adapter.rules.guardrails.full_counters import full
from adapter.rules.guardrails.max_redemptions import warn_of_nothing

NAME = "per_user_limit"
_BLOCK = block_schema(KEYS, "count")


def _parse(block: Block, given: Given | None) -> Mapping[str, Any]:
    if not isinstance(block.values.get(NAME), dict):
        return {NAME: block.whole(NAME)}
    inner = block.block(NAME)
    if inner is None:
        return {}
    count, period, window = counted_over(inner, NAME, "{count: 1, per: day}")
    inner.finish(OTHER_NAMES)
    return {NAME: count, "per_user_period": period, "per_user_window": window}


def _reserve(counted: CountedBlock) -> Personal | None:
    rails = counted.guardrails
    if rails.per_user_limit is None:
        return None
    return personal(counted, NAME, rails.per_user_limit, rails.per_user_period, rails.per_user_window)


def _full(claim: CounterReservation, used: int) -> str:
    return all_had(claim) or full(claim, used)


def _lint(block: Block, rule: Rule, now: datetime | None) -> None:
    if rule.guardrails.per_user_limit == 0:
        warn_of_nothing(block, NAME)


GUARDRAIL = Guardrail(
    names=(NAME,),
    keys={NAME: said({"anyOf": [WHOLE, _BLOCK]}, "For each customer, and each device.")},
    parse=_parse,
    other_names={
        "per_customer_limit": NAME,
        "per_customer": NAME,
        "max_per_customer": NAME,
        "limit_per_user": NAME,
    },
    reserve_personal=_reserve,
    full=_full,
    lint=_lint,
)
