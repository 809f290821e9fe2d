"""`channels`: where an event must come from."""

from __future__ import annotations

from datetime import datetime

from adapter.model.events import Event
from adapter.model.rules import Guardrails, Rule
from adapter.rules.blocks.schema import SOME_WORDS
from adapter.rules.guardrails.contract import Check, Guardrail, Rejection, withheld
from adapter.rules.guardrails.membership import Membership

NAME = "channels"


def _check(rule: Rule, guardrails: Guardrails, label: str) -> Check | None:
    channels, name = guardrails.channels, label + NAME
    if not channels:
        return None

    def check(event: Event, members: Membership, now: datetime) -> Rejection | None:
        channel = event.context.get("channel", event.attributes.get("channel"))
        if channel in channels:
            return None
        found = f"the channel is {channel}" if isinstance(channel, str) else "the event names no channel"
        return withheld(name, f"{found}, and must be {' or '.join(channels)}")

    return check


GUARDRAIL = Guardrail(
    names=(NAME,),
    keys={NAME: SOME_WORDS},
    parse=lambda block, action: {NAME: block.some_words(NAME)},
    check=_check,
)
