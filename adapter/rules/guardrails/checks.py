"""What can stop a rule before any counter is looked at: its status, its guardrails, its rollout.

What a rule says of them becomes a list of checks once, when the rule is loaded.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial

from adapter.model.events import Event
from adapter.model.rules import Campaign, Guardrails, Rollout, Rule
from adapter.rules.action_types.registry import type_of
from adapter.rules.guardrails.contract import (
    CAMPAIGN,
    CAMPAIGN_COUNTS,
    GLOBAL,
    Check,
    Rejection,
    withheld,
)
from adapter.rules.guardrails.membership import Membership
from adapter.rules.guardrails.registry import CHECKED_IN_ORDER
from adapter.rules.guardrails.rollout import controlled, within
from adapter.rules.guardrails.validity import expiry

_ALMOST_NOW = timedelta(seconds=1)


def checks(rule: Rule, shop: Guardrails, *, paused: bool = False) -> tuple[Check, ...]:
    """Return what can stop a rule, in the order in which it is asked; what never can is left out.

    `shop` are the guardrails over all rules; `paused` stops all of them.
    """
    if paused:
        return (_always(withheld("global.paused", "all rules are paused")),)
    found = [*_guarding(rule, shop, GLOBAL)]
    if rule.status == "paused":
        return (*found, _always(withheld("status", "the rule is paused")))
    campaign = rule.campaign
    if campaign is not None:
        if campaign.status == "paused":
            return (*found, _always(withheld("campaign.status", f"the campaign {campaign.name} is paused")))
        found += _guarding(rule, campaign.guardrails, CAMPAIGN)
    found += _guarding(rule, rule.guardrails, "")
    if _may_be_over(rule):
        found.append(partial(_expired, rule))
    if rule.rollout != Rollout():
        found.append(partial(_rolled_out, rule))
    if campaign is not None and campaign.control:
        found.append(partial(_held_out, campaign))
    if rule.status == "shadow" or (campaign is not None and campaign.status == "shadow"):
        found.append(_always(Rejection("shadow", "status", "would be issued, but the rule is a shadow")))
    return tuple(found)


def _always(stop: Rejection) -> Check:
    return lambda event, members, now: stop


def _guarding(rule: Rule, guardrails: Guardrails, label: str) -> Iterator[Check]:
    """Yield the checks of a block; `label` goes before the guardrails' names."""
    for each in CHECKED_IN_ORDER:
        check = None if each.check is None else each.check(rule, guardrails, label)
        if check is not None:
            yield check


def _may_be_over(rule: Rule) -> bool:
    """Tell whether a discount can have ended when it is issued: one that lasts from then on cannot."""
    lengths = (rule.expires_in, rule.guardrails.validity_window)
    dated = rule.expires_at or any(type_of(each).ends(each) for each in rule.actions)
    return bool(dated) or any(length is not None and length < _ALMOST_NOW for length in lengths)


def _expired(rule: Rule, event: Event, members: Membership, now: datetime) -> Rejection | None:
    ends = expiry(rule, now)
    if ends is None or ends > now:
        return None
    return withheld("expires_at", f"a discount issued now would have ended at {ends:%Y-%m-%d %H:%M} UTC")


def _held_out(campaign: Campaign, event: Event, members: Membership, now: datetime) -> Rejection | None:
    """Hold out the same customers from all rules of a campaign."""
    if controlled(campaign.control, CAMPAIGN_COUNTS + campaign.name, members.customer.source_id):
        reason = f"not issued: the customer is in the control group of the campaign {campaign.name}"
        return Rejection("control", "campaign.control", reason)
    return None


def _rolled_out(rule: Rule, event: Event, members: Membership, now: datetime) -> Rejection | None:
    rollout, source_id = rule.rollout, members.customer.source_id
    if rollout.audience and not any(members.get(name) for name in rollout.audience):
        return withheld("rollout", f"the rule is rolled out to {' and '.join(rollout.audience)} only")
    if not within(rollout.percent, rule.name, source_id, "percent"):
        return withheld("rollout", f"the rule is for {rollout.percent:f} % of customers, not for this one")
    if controlled(rollout.control, rule.name, source_id):
        return Rejection("control", "rollout", "not issued: the customer is in the control group")
    return None
