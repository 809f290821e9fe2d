"""`cooldown`: how long one customer, and one device, waits for the next discount."""

from __future__ import annotations

from datetime import timedelta

from adapter.model.counter_key import decode
from adapter.model.discounts import CounterReservation
from adapter.rules.blocks.schema import LENGTH
from adapter.rules.expressions.durations import window_text
from adapter.rules.guardrails.contract import CountedBlock, Guardrail, Personal
from adapter.rules.guardrails.full_counters import giver, holder
from adapter.rules.guardrails.pause import Pause

NAME = "cooldown"


def _reserve(counted: CountedBlock) -> Personal | None:
    length = counted.guardrails.cooldown
    if length is None:
        return None
    pause = Pause(counted, NAME, (NAME,), length)
    return lambda day: pause.reserve


def _full(claim: CounterReservation, used: int) -> str:
    _, (_, seconds, _) = decode(claim.key)
    length = window_text(timedelta(seconds=int(seconds)))
    return f"{giver(claim)} gave {holder(claim)} a discount less than {length} ago"


GUARDRAIL = Guardrail(
    names=(NAME,),
    keys={NAME: LENGTH},
    parse=lambda block, action: {NAME: block.length(NAME)},
    reserve_personal=_reserve,
    full=_full,
)
