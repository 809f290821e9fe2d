"""Runs a test case of rules: what the rules decide of its event, beside what it expects."""

from __future__ import annotations

from adapter.model.customers import Customer
from adapter.model.decisions import RuleOutcome
from adapter.model.events import Event
from adapter.model.timers import Timer
from adapter.model.triggers import Firing
from adapter.rules.engine.absence_keys import rule_of
from adapter.rules.engine.changes import CustomerChange
from adapter.rules.engine.issue import issue
from adapter.rules.engine.lives import Life, due_at, event_of, lives
from adapter.rules.engine.occurrences import latest_due
from adapter.rules.engine.ruleset import RuleSet
from adapter.rules.engine.select import choose
from adapter.rules.guardrails.full_counters import without_key
from adapter.rules.guardrails.proposal import Proposal, Verdict
from adapter.rules.history.history import History
from adapter.rules.testing.beside_case import beside, told_all
from adapter.rules.testing.cases import Case, Result, plain_event


def run(case: Case, book: RuleSet) -> Result:
    """Run one case against a book, as the server would, on counters of its own."""
    history = History()
    for event in case.past:
        book.fold(history, event)
    verdict, event = _verdict(case, book, history)
    used = {
        (claim.scope, claim.key): claim.cap
        for proposal in verdict.proposals
        for claim in proposal.claims
        if claim.guardrail in case.exhausted or without_key(claim.guardrail) in case.exhausted
    }
    rules = {rule.name: rule for rule in book.rules}
    held = [
        issue(Proposal(rules[name], ()), event, case.customer.source_id, f"HELD-{name}", case.now)
        for name in case.holds
        if name in rules
    ]
    choice = choose(verdict, held, used, case.now)
    issued = tuple(
        RuleOutcome(each.rule.name, "issued", "every condition holds", variant=each.rule.variant)
        for each in choice.granted
    )
    outcomes = (*issued, *verdict.outcomes, *choice.outcomes)
    by_rule = {outcome.rule: outcome for outcome in outcomes}
    missed = [expected.missed(by_rule.get(expected.rule)) for expected in case.expected]
    unknown = [f"{name}: there is no such rule" for name in case.holds if name not in rules]
    return Result(case, event, history, outcomes, (*unknown, *(miss for miss in missed if miss)))


def _verdict(case: Case, book: RuleSet, history: History) -> tuple[Verdict, Event]:
    if case.event is not None and case.claim is not None:
        rule = book.promotions.named(case.claim)
        name = "" if rule is None else rule.name
        return book.evaluate_claim(name, case.event, case.customer, history, case.now), case.event
    if case.changed is not None:
        return _change(case, case.changed, book, history)
    if case.due in book.schedules.by_name:
        return _scheduled(case, case.due or "", book, history)
    if case.due in book.lives.by_name:
        return _life(case, book.lives.by_name[case.due or ""], book, history)
    if case.event is not None:
        verdict = book.evaluate(case.event, case.customer, history, case.now, beside=beside(case, book))
        return told_all(verdict), case.event
    timers = _timers(case, book)
    mine = [each for each in timers.values() if rule_of(each) == case.due and each.due_at <= case.now]
    timer = min(mine, key=lambda each: each.due_at, default=None)
    if timer is None:
        return Verdict((), (), {}), case.past[-1] if case.past else plain_event({}, case.now, "none")
    others = [timers[name] for name in book.companions.get(timer.rule, ()) if name in timers]
    same = [each for each in others if each.event == timer.event]
    due = [timer, *(each for each in same if each.due_at <= case.now)]
    later = [each for each in same if each.due_at > case.now]
    verdict, _ = book.evaluate_absences(
        due, later, case.customer, history, case.now, beside=beside(case, book)
    )
    return told_all(verdict), timer.event


def _timers(case: Case, book: RuleSet) -> dict[str, Timer]:
    """Return the timers that the past of a case has started and not ended, by rule."""
    so_far = History()
    timers: dict[str, Timer] = {}
    for event in case.past:
        waits = book.waits(event, case.customer.source_id, so_far)
        for over in waits.cancelled:
            if over.rule in timers and over.ends(timers[over.rule]):
                del timers[over.rule]
        timers |= {armed.rule: armed for armed in waits.armed}
        book.fold(so_far, event)
    return timers


def _life(case: Case, life: Life, book: RuleSet, history: History) -> tuple[Verdict, Event]:
    """Return what a rule says of the discount of the case."""
    found = case.discount
    held = None if found is None else found.record(book, case.customer.source_id, case.now)
    due = None if held is None else due_at(life.trigger, held)
    if held is None or due is None or due > case.now or not lives(life.trigger, held, case.now):
        return Verdict((), (), {}), plain_event({}, case.now, "none")
    event = event_of(life, held, due)
    verdict = book.evaluate_life(life, event, case.customer, history, case.now, beside=beside(case, book))
    return verdict, event


def _scheduled(case: Case, rule: str, book: RuleSet, history: History) -> tuple[Verdict, Event]:
    """Return what a scheduled rule says of the customer at its last due time."""
    due_at = latest_due(book.schedules.by_name[rule].trigger, case.now)
    firing = Firing(rule, case.customer.source_id, due_at)
    found = book.evaluate_firing(firing, case.customer, history, case.now)
    if found is None:
        return Verdict((), (), {}), plain_event({}, case.now, "none")
    event, verdict = found
    return verdict, event


def _change(case: Case, after: Customer, book: RuleSet, history: History) -> tuple[Verdict, Event]:
    """Return what the rules say of a change; of one message, changes are decided one after the other."""
    change = CustomerChange(case.customer, after, True, "evt_case", case.now, {})
    verdicts = [
        (book.evaluate_change(changed, after, history, case.now), changed.event)
        for changed in book.changes.of(change, history, case.now)
    ]
    if not verdicts:
        return Verdict((), (), {}), plain_event({}, case.now, "none")
    proposals = tuple(each for verdict, _ in verdicts for each in verdict.proposals)
    outcomes = tuple(each for verdict, _ in verdicts for each in verdict.outcomes)
    verdict, event = verdicts[0]
    return Verdict(proposals, outcomes, verdict.seen, verdict.priorities), event
