"""Campaigns that give one of their discounts: which rule goes first, and what is waited for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from msgspec.structs import replace

from adapter.model.decisions import RuleOutcome
from adapter.model.rules import Absence, Campaign, Rule
from adapter.model.timers import Timer
from adapter.rules.files.checkout_keys import OF_CAMPAIGN
from adapter.rules.files.rule_file import Compiled
from adapter.rules.guardrails.contract import CAMPAIGN
from adapter.rules.guardrails.one_of_these import NAME
from adapter.rules.guardrails.proposal import Proposal, Verdict

#: The name under which a rule is withheld because another of its campaign goes first.
EXCLUSIVE = CAMPAIGN + NAME
Place = tuple[Decimal, Decimal]


def exclusive(rule: Rule) -> Campaign | None:
    """Return the campaign of a rule where it gives one of its discounts only."""
    campaign = rule.campaign
    return campaign if campaign is not None and campaign.one_of_these is not None else None


def in_turn(order: Sequence[Proposal]) -> Sequence[Proposal]:
    """Return proposals in their order, those of an exclusive campaign in that of the campaign."""
    groups: dict[str, list[Proposal]] = {}
    for proposal in order:
        campaign = exclusive(proposal.rule)
        if campaign is not None:
            groups.setdefault(campaign.name, []).append(proposal)
    if all(len(group) < 2 for group in groups.values()):
        return order
    coming = {name: iter(sorted(group, key=_place)) for name, group in groups.items()}
    return [
        proposal if campaign is None else next(coming[campaign.name])
        for proposal in order
        for campaign in [exclusive(proposal.rule)]
    ]


def falls_through(rule: Rule) -> bool:
    """Tell whether the next rule of the campaign is issued when this one is used up."""
    campaign = rule.campaign
    return campaign is not None and (rule.when_used_up or campaign.when_used_up) == "next"


def companions(rules: Sequence[Rule]) -> dict[str, tuple[str, ...]]:
    """Return, by rule of absence in an exclusive campaign, the others of the campaign."""
    by_campaign: dict[str, list[str]] = {}
    for rule in rules:
        campaign = exclusive(rule)
        if campaign is not None and isinstance(rule.trigger, Absence):
            by_campaign.setdefault(campaign.name, []).append(rule.name)
    return {
        name: tuple(other for other in names if other != name)
        for names in by_campaign.values()
        for name in names
    }


def with_replaced(compiled: Sequence[Compiled]) -> list[Compiled]:
    """Return rules with the names of those of their campaign, where they replace the discounts of all."""
    members: dict[str, list[str]] = {}
    for one in compiled:
        if one.rule.campaign is not None:
            members.setdefault(one.rule.campaign.name, []).append(one.rule.name)
    return [_with_replaced(one, members) for one in compiled]


def _with_replaced(one: Compiled, members: Mapping[str, Sequence[str]]) -> Compiled:
    campaign = one.rule.campaign
    if campaign is None or one.rule.replaces != (OF_CAMPAIGN,):
        return one
    rule = replace(one.rule, replaces=tuple(members[campaign.name]))
    variants = tuple(_with_replaced(each, members) for each in one.variants)
    return replace(one, rule=rule, variants=variants)


def weighed(
    due: Sequence[Timer], later: Sequence[Timer], said: Callable[[Timer], Verdict]
) -> tuple[Verdict, list[Timer]]:
    """Return what is `said` of due timers of one event, and those that wait for one of the `later` ones."""
    verdict = together([said(each) for each in due])
    coming = [(each, said(each)) for each in later]
    first = waited_for(verdict, coming) if coming else None
    if first is None:
        return verdict, []
    return held_back(verdict, *first), list(deferred(due, verdict, first[1]))


def together(verdicts: Sequence[Verdict]) -> Verdict:
    """Return what several rules say of one event as one verdict."""
    if len(verdicts) == 1:
        return verdicts[0]
    seen = {name: value for verdict in verdicts for name, value in verdict.seen.items()}
    return Verdict(
        tuple(proposal for verdict in verdicts for proposal in verdict.proposals),
        tuple(outcome for verdict in verdicts for outcome in verdict.outcomes),
        seen,
        verdicts[0].priorities,
        sum(verdict.untold for verdict in verdicts),
        _others(verdicts),
    )


def _others(verdicts: Sequence[Verdict]) -> dict[str, tuple[RuleOutcome, ...]]:
    found: dict[str, tuple[RuleOutcome, ...]] = {}
    for verdict in verdicts:
        for name, said in verdict.others.items():
            found[name] = (*found.get(name, ()), *said)
    return found


def waited_for(due: Verdict, later: Sequence[tuple[Timer, Verdict]]) -> tuple[Proposal, datetime] | None:
    """Return the proposal that goes before all that are due, and when it falls due; None where none does."""
    if not due.proposals or _campaign(due.proposals[0]).choose == "first":
        return None
    best = min(due.proposals, key=_place)
    coming = [(proposal, timer.due_at) for timer, verdict in later for proposal in verdict.proposals]
    first = min(coming, key=lambda each: _place(each[0]), default=None)
    return first if first is not None and _rank(first[0]) < _rank(best) else None


def held_back(verdict: Verdict, first: Proposal, until: datetime) -> Verdict:
    """Return a verdict without its proposals, which wait for another rule of the campaign."""
    at = until.strftime("%Y-%m-%d %H:%M:%S")
    ahead = f"{first.rule.name} of the campaign {_campaign(first).name} goes first"
    why = f"not issued yet: {ahead}, due at {at} UTC"
    waiting = [RuleOutcome(each.rule.name, "withheld", why, EXCLUSIVE) for each in verdict.proposals]
    return replace(verdict, proposals=(), outcomes=(*verdict.outcomes, *waiting))


def deferred(due: Sequence[Timer], verdict: Verdict, until: datetime) -> Iterator[Timer]:
    """Yield the timers of proposals that wait, due later."""
    waiting = {proposal.rule.name for proposal in verdict.proposals}
    for timer in due:
        if timer.rule in waiting:
            yield replace(timer, due_at=until)


def _campaign(proposal: Proposal) -> Campaign:
    campaign = proposal.rule.campaign
    if campaign is None:
        raise TypeError(f"{proposal.rule.name} is in no campaign")
    return campaign


def _place(proposal: Proposal) -> tuple[Place, str]:
    return _rank(proposal), proposal.rule.name


def _rank(proposal: Proposal) -> Place:
    priority, worth = -Decimal(proposal.rule.priority), -proposal.worth
    return (worth, priority) if _campaign(proposal).choose == "best_value" else (priority, worth)
