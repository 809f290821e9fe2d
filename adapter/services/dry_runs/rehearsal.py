"""Decide works in transactions that the store undoes: what the real run would come to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from adapter.model.customers import Customer
from adapter.model.events import Event
from adapter.rules.engine.beside import NOTHING, Beside
from adapter.rules.engine.conditions import ConditionVerdict, compile_conditions
from adapter.rules.engine.evaluate import TriggerIndex, view_of
from adapter.rules.engine.ruleset import RuleSet
from adapter.rules.guardrails.proposal import Verdict
from adapter.rules.history.history import History
from adapter.services.ingest.history_completion import Unprepared
from adapter.services.ingest.pipeline import decide
from adapter.services.ingest.result import Result
from adapter.services.ingest.steps import DecisionContext
from adapter.services.ingest.work_item import Work, parts_of
from adapter.store.contract import Store
from adapter.store.transaction_contract import Transaction
from adapter.store.values import Changes

#: Rules whose conditions are judged one by one for an event: those that hold, and the next ones in order.
MOST_JUDGED = 100

#: Who an event is of, as evaluation saw it, and the event's id and name.
Judged = tuple[str, str, str]


class Rehearsed(Struct, frozen=True):
    """What a transaction came to: a result for each work, and what it would have saved.

    `judged` has by event the conditions of rules.
    """

    results: list[Result]
    changes: Changes
    judged: dict[Judged, dict[str, list[ConditionVerdict]]]


class JudgingRules(RuleSet):
    """Rules that also judge each condition of the events that they are asked about."""

    def __init__(self, rules: RuleSet) -> None:
        # Everything compiled is shared with the rules in force, which are immutable.
        vars(self).update(vars(rules))
        self.judged: dict[Judged, dict[str, list[ConditionVerdict]]] = {}

    def _decide(
        self,
        trigger: TriggerIndex,
        event: Event,
        customer: Customer,
        history: History,
        now: datetime,
        *,
        secret: bytes,
        known: bool = False,
        beside: Beside = NOTHING,
    ) -> Verdict:
        """Return what the rules say of an event, and judge their conditions."""
        verdict = super()._decide(
            trigger, event, customer, history, now, secret=secret, known=known, beside=beside
        )
        first = [each.rule.name for each in verdict.proposals] + [each.rule for each in verdict.outcomes]
        nodes = {ready.rule.name: node for ready, node in zip(trigger.ready, trigger.nodes, strict=True)}
        metrics = None if known else self.metrics
        view = view_of(event, customer, history, now, metrics, discounts=beside.discounts)
        names = list(dict.fromkeys((*first, *nodes)))[:MOST_JUDGED]
        judged = {name: compile_conditions(nodes[name])(view) for name in names if name in nodes}
        self.judged.setdefault((customer.source_id, event.id, event.name), {}).update(judged)
        return verdict


async def rehearse(
    store: Store, works: Sequence[Work], rules: RuleSet, context: DecisionContext
) -> list[tuple[Sequence[Work], Rehearsed]]:
    """Decide works as the committer does, in the same transactions, and store nothing. Raises Unavailable."""
    parts = parts_of(works, rules.counting) if works else []
    try:
        rehearsed = await store.rehearse([_script(part, rules, context) for part in parts])
    except Unprepared:
        # A real run completes long histories first, and stores them. Here they are read in the transaction.
        parts = [[replace(work, prepared=True) for work in part] for part in parts]
        rehearsed = await store.rehearse([_script(part, rules, context) for part in parts])
    return list(zip(parts, rehearsed, strict=True))


def _script(
    works: Sequence[Work], rules: RuleSet, context: DecisionContext
) -> Callable[[Transaction], Awaitable[Rehearsed]]:
    async def script(transaction: Transaction) -> Rehearsed:
        judging = JudgingRules(rules)
        saved: list[Changes] = []

        def note(changes: Changes, _results: list[Result]) -> Changes:
            saved.append(changes)
            return changes

        committed = await decide(transaction, works, judging, context, note)
        return Rehearsed(committed.results, saved[-1], judging.judged)

    return script
