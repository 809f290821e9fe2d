"""Why a rule gave a customer nothing at a moment: what was decided then, and what would be decided now.

The decision of then is completed out of the values that it has stored, as `adapter explain` does. Its event
is decided once more by a dry run, with the files in force and what is known of the customer today.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime

from msgspec import Raw, Struct
from msgspec.structs import replace

from adapter.errors import NotFound
from adapter.files.problems import did_you_mean
from adapter.model.decisions import Decision, RuleOutcome
from adapter.model.encoding import encode
from adapter.model.events import Event
from adapter.model.operations import EventOccurred
from adapter.model.rules import Rule
from adapter.rules.engine.conditions import NearMiss
from adapter.rules.engine.sentences import sentence
from adapter.services.dry_runs.report import RuleVerdict
from adapter.services.dry_runs.service import DryRunRequest, DryRuns
from adapter.services.ingest.operation_documents import members_of
from adapter.services.loaded_files import LoadedFiles
from adapter.services.read_timeout import ReadTimeout
from adapter.store.contract import Store
from adapter.store.page_starts import cursor_at

#: So many decisions before the moment are looked at, and so many events.
MOST = 200


class Then(Struct, frozen=True):
    """What was decided of the rule, on the last event before the moment that could trigger it.

    `sentence` is what became of the rule, `missing` what its comparisons lacked. `same_files` says whether
    the files in force have decided: of other files only what the decision has stored is known.
    """

    decision: Decision
    outcome: RuleOutcome | None
    sentence: str
    missing: list[NearMiss]
    same_files: bool


class WhyNot(Struct, frozen=True):
    """Why a rule gave a customer nothing at a moment.

    `reason` says it in one sentence. `then` is the decision of then, None where nothing was decided that
    concerns the rule. `again` is what the files in force say of the same event today, `again_reason` why
    nothing is known of that. `looked_at` counts the decisions before the moment.
    """

    rule: str
    at: datetime
    reason: str
    then: Then | None = None
    again: RuleVerdict | None = None
    again_reason: str = ""
    looked_at: int = 0
    triggers: tuple[str, ...] = ()


class Reasons:
    """Answers the question; raises NotFound for a rule that no file has and no decision names."""

    def __init__(self, store: Store, books: LoadedFiles, dry_runs: DryRuns, patience: ReadTimeout) -> None:
        self._store = store
        self._books = books
        self._dry_runs = dry_runs
        self._read = patience.read

    async def why_not(self, source_id: str, rule: str, at: datetime) -> WhyNot:
        """Return why a customer got nothing of a rule at a moment, or what they got."""
        loaded = next((each for each in self._books.rules.rules if each.name == rule), None)
        decisions = await self._read(self._store.decisions(source_id, MOST, cursor_at("decisions", at, 0)))
        triggers = loaded.triggers if loaded else ()
        then = await asyncio.to_thread(self._then, decisions, rule, triggers)
        if loaded is None and then is None:
            names = [each.name for each in self._books.rules.rules]
            message = f"no rule is named `{rule}`"
            raise NotFound("; ".join(filter(None, (message, did_you_mean(rule, names)))))
        found = WhyNot(
            rule, at, _reason(then, loaded, len(decisions)), then, None, "", len(decisions), triggers
        )
        return await self._again(found, source_id, loaded)

    def _then(self, decisions: Sequence[Decision], rule: str, triggers: Sequence[str]) -> Then | None:
        for each in decisions:
            outcome = _outcome(each, rule)
            if outcome is None and each.event not in triggers:
                continue
            told = each if outcome else self._books.rules.complete(each)
            outcome = _outcome(told, rule)
            missing = self._books.rules.near_misses(told).get(rule, [])
            same = each.book == self._books.rules.digest
            return Then(told, outcome, _said(told, outcome, same=same), missing, same)
        return None

    async def _again(self, found: WhyNot, source_id: str, rule: Rule | None) -> WhyNot:
        if rule is None:
            return replace(found, again_reason="no file in force has the rule")
        event = await self._event(found, source_id)
        if event is None:
            return replace(found, again_reason="no event is known before then that triggers the rule")
        again = replace(event, id=f"why-{event.id}"[:200])
        operation = EventOccurred(source_id, again)
        document = encode([{"id": again.id, **members_of((operation,))}])
        now = found.then.decision.decided_at if found.then else found.at
        run = await self._dry_runs.run(DryRunRequest(operations=Raw(document), now=now))
        verdicts = [
            each for result in run.results for decision in result.decisions for each in decision.rules
        ]
        verdict = next((each for each in verdicts if each.rule == rule.name), None)
        if verdict is None:
            reasons = [decision.reason for result in run.results for decision in result.decisions]
            refused = [result.reason or "" for result in run.results]
            said = next(filter(None, (*reasons, *refused)), "the event does not trigger the rule")
            return replace(found, again_reason=said)
        return replace(found, again=verdict)

    async def _event(self, found: WhyNot, source_id: str) -> Event | None:
        """Return the event of the decision, or else the last one before the moment that triggers the rule."""
        events = await self._read(self._store.events(source_id, MOST, cursor_at("events", found.at, 0)))
        named = map(self._books.mappings.names.renamed, events)
        wanted = found.then.decision.event_id if found.then else None
        return next(
            (
                each
                for each in named
                if (each.id == wanted if wanted else True) and (each.name in found.triggers)
            ),
            None,
        )


def _outcome(decision: Decision, rule: str) -> RuleOutcome | None:
    return next((each for each in decision.outcomes if each.rule == rule), None)


def _said(decision: Decision, outcome: RuleOutcome | None, *, same: bool) -> str:
    if outcome is not None:
        return sentence(outcome)
    if decision.unevaluated is not None or decision.reason:
        return decision.reason or "no rule was evaluated for the event"
    if not same:
        return "its conditions did not hold; other files than those in force decided, so more is not known"
    return "its conditions did not hold"


def _reason(then: Then | None, rule: Rule | None, looked_at: int) -> str:
    if then is not None:
        return then.sentence
    if rule is not None and not rule.triggers:
        return "nothing was decided of this rule, which waits for something else than an event"
    names = " or ".join(f"`{name}`" for name in (rule.triggers if rule else ()))
    if not looked_at:
        return f"nothing was decided about this customer before then; the rule is triggered by {names}"
    return f"none of the last {looked_at} decisions before then is about {names}, which triggers the rule"
