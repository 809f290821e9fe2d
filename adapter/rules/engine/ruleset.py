"""The rule book: every rule file of a directory, checked and compiled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from msgspec.structs import replace

from adapter.files import yaml
from adapter.files.folders import nothing_in, visible
from adapter.files.problems import Mark, Problem, errors
from adapter.model.customers import Customer
from adapter.model.decisions import Decision
from adapter.model.discounts import CounterReservation
from adapter.model.event_names import EventNames
from adapter.model.events import Event
from adapter.model.rules import Absence, Rule
from adapter.model.timers import Timer
from adapter.model.triggers import Change, Firing
from adapter.rules.engine import between_rules
from adapter.rules.engine.absence import Absences, Waits, followed
from adapter.rules.engine.absence_keys import rule_of
from adapter.rules.engine.beside import NOTHING, Beside
from adapter.rules.engine.book_files import digest_of, drafted, text_of
from adapter.rules.engine.campaigns import companions, weighed, with_replaced
from adapter.rules.engine.changes import Changed, ChangeTriggers
from adapter.rules.engine.conditions import NearMiss
from adapter.rules.engine.decide import Decider
from adapter.rules.engine.deferred_reasons import completed, near_misses
from adapter.rules.engine.evaluate import CompiledRule, GlobalGuardrails, TriggerIndex, blocks_of, view_of
from adapter.rules.engine.lives import Life, Lives
from adapter.rules.engine.promotions import Promotions
from adapter.rules.engine.read_past import counting, history_metrics
from adapter.rules.engine.recipients import Named
from adapter.rules.engine.schedules import Schedules
from adapter.rules.expressions import Names, Shortfall
from adapter.rules.files import campaigns, definitions, lint, rule_file
from adapter.rules.files.definitions import Definitions
from adapter.rules.files.rule_file import Compiled
from adapter.rules.guardrails.budget import cost
from adapter.rules.guardrails.counters import Counting
from adapter.rules.guardrails.membership import Segments
from adapter.rules.guardrails.proposal import Verdict
from adapter.rules.history import history as histories
from adapter.rules.history import reading_again
from adapter.rules.history.history import History
from adapter.rules.history.requirements import Metrics

DEFINITIONS = "definitions.yaml"
#: What rule files are called.
SUFFIXES = ("*.yaml", "*.yml")


class RuleSet(Decider):
    """All rules, ready to be evaluated; immutable once built. `given` has each of their variants beside them.

    `digest` names the files' exact content. `metrics` is what the rules read of a customer's past, `values`
    the expressions of computed values. `guardrails` are those over all rules together; `spelled` says which
    events a name means; `promotions` are the rules that are claimed with a shared code; `code_pools` are the
    pools that rules take codes from; `changes` finds the changes of customers that trigger rules, and
    `schedules` are the rules that fire at their times, `lives` those that wait for what becomes of
    discounts. `companions` are, by rule of absence, those that it is weighed with.
    """

    def __init__(
        self, compiled: Sequence[Compiled], shared: Definitions, digest: str, spelled: EventNames
    ) -> None:
        self.digest = digest
        self.spelled = spelled
        self.rules: tuple[Rule, ...] = tuple(one.rule for one in compiled)
        self.given: tuple[Rule, ...] = tuple(each.rule for one in compiled for each in (one, *one.variants))
        self.guardrails = shared.guardrails
        self.code_pools = frozenset(rule.code_pool for rule in self.given if rule.code_pool is not None)
        self.campaigns = tuple(
            {rule.campaign.name: rule.campaign for rule in self.rules if rule.campaign}.values()
        )
        self.companions = companions(self.rules)
        self.priorities = {rule.name: rule.priority for rule in self.rules}
        self.nodes = {one.rule.name: one.node for one in compiled}
        self.values = {one.rule.name: one.values for one in compiled}
        self.places = {one.rule.name: one.at for one in compiled}
        self.segments = Segments(shared.segments)
        self.metrics = Metrics(history_metrics(compiled, shared))
        shop = self._shop = GlobalGuardrails(shared.guardrails, shared.paused)
        ready = {one.rule.name: CompiledRule(one, shop) for one in compiled}
        names = {name for rule in self.rules for name in rule.triggers}
        self._triggers = {name: _trigger(name, compiled, ready) for name in sorted(names)}
        self.promotions = Promotions(
            [
                (one.rule, TriggerIndex([ready[one.rule.name]], [one.node]))
                for one in compiled
                if one.rule.code is not None
            ]
        )
        self.named = Named(compiled)
        self.rewards_others = any(rule.to is not None for rule in self.rules)
        self.counting = counting(compiled)
        self._absences = Absences(self.rules)
        self.changes = ChangeTriggers(
            [(ready[one.rule.name], one.node) for one in compiled if isinstance(one.rule.trigger, Change)],
            self.segments,
        )
        self.lives = Lives([(ready[one.rule.name], one.node) for one in compiled])
        self.schedules = Schedules([(ready[one.rule.name], one.node) for one in compiled], self.segments)
        self._waiting = {
            one.rule.name: (one.rule.trigger, TriggerIndex([ready[one.rule.name]], [one.node]))
            for one in compiled
            if isinstance(one.rule.trigger, Absence)
        }

    def needs(self, event_name: str) -> bool:
        """Tell whether some rule is triggered by events of this name."""
        return event_name in self._triggers

    def triggered_by(self, event_name: str) -> set[str]:
        """Return the names of the rules that events of this name trigger."""
        return {rule.name for rule in self.rules if event_name in rule.triggers}

    def fold(self, history: History, event: Event) -> None:
        """Take an event into a customer's history, once it is decided: rules see what was before."""
        histories.fold(history, event, self.metrics)

    def lacks(self, history: History) -> bool:
        """Tell whether a stored history must be completed by `backfill` before it is asked."""
        return history.lacks(self.metrics)

    def backfill(self, history: History, events: Iterable[Event]) -> None:
        """Complete a history from all stored events of the customer, the one being decided left out."""
        reading_again.backfill(history, events, self.metrics)

    def recount(self, history: History, kept: Sequence[Event], lost: Sequence[Event]) -> None:
        """Take events out of a history; both lists together are all that are stored of the customer."""
        reading_again.recount(history, kept, lost, self.metrics)

    def completion(self, history: History) -> reading_again.Completion:
        """Return what completes a history from all stored events of the customer, given some at a time."""
        return reading_again.Completion(history, self.metrics)

    def evaluate(
        self, event: Event, customer: Customer, history: History, now: datetime, secret: bytes = b"",
        *, beside: Beside = NOTHING,
    ) -> Verdict:  # fmt: skip
        """Return what the rules say of an event, before guardrail counters are looked at; never raises.

        `history` is the customer's before this event. `now` is when the decision is made: windows, schedules
        and days are measured from it. `secret` is the store's, which hashes the values that limits count by.
        `beside` is needed where an event names others (`named`) or rules count discounts (`counting`).
        """
        trigger = self._triggers.get(event.name)
        if trigger is None:
            return Verdict((), (), {}, self.priorities)
        return self._decide(trigger, event, customer, history, now, secret=secret, beside=beside)

    def watches(self, event_name: str) -> bool:
        """Tell whether events of this name start or end a wait of some absence rule."""
        return self._absences.watch(event_name)

    def waits(self, event: Event, source_id: str, history: History) -> Waits:
        """Return the timers that an event arms and cancels; `history` is the customer's before it."""
        return self._absences.waits(event, source_id, history)

    def evaluate_absence(
        self, timer: Timer, customer: Customer, history: History, now: datetime, secret: bytes = b"",
        *, beside: Beside = NOTHING,
    ) -> Verdict:  # fmt: skip
        """Return what a timer's rule says now that it is due; `history` is all that is known by now.

        Nothing when the rule is no more, waits no more, or the awaited event is known after all.
        """
        found = self._waiting.get(rule_of(timer))
        keyed = rule_of(timer) != timer.rule  # its timer alone knows of its key
        if found is None or (followed(found[0], timer.event, history) and not keyed):
            return Verdict((), (), {}, self.priorities)
        return self._decide(
            found[1], timer.event, customer, history, now, secret=secret, known=True, beside=beside
        )

    def evaluate_change(
        self, changed: Changed, customer: Customer, history: History, now: datetime, secret: bytes = b"",
        *, beside: Beside = NOTHING,
    ) -> Verdict:  # fmt: skip
        """Return what the rules say of a change, as of an event; `customer` is the one after it."""
        return self._decide(
            changed.index, changed.event, customer, history, now, secret=secret, known=True, beside=beside
        )

    def evaluate_firing(
        self, firing: Firing, customer: Customer, history: History, now: datetime, secret: bytes = b"",
        *, beside: Beside = NOTHING,
    ) -> tuple[Event, Verdict] | None:  # fmt: skip
        """Return a firing as an event, and what its rule says; None where it is not for the customer."""
        event = self.schedules.event(firing, customer)
        if event is None or not self.schedules.concerns(firing.rule, event, customer, history, now):
            return None
        index = self.schedules.by_name[firing.rule].index
        return event, self._decide(
            index, event, customer, history, now, secret=secret, known=True, beside=beside
        )

    def evaluate_absences(
        self, due: Sequence[Timer], later: Sequence[Timer], customer: Customer, history: History,
        now: datetime, *, secret: bytes = b"", beside: Beside = NOTHING,
    ) -> tuple[Verdict, list[Timer]]:  # fmt: skip
        """Return what the rules of due timers of one event say, and those timers that wait for another.

        The rules are one, or companions; `later` are the other timers of companions for the event. Where one
        of these goes first, what is due waits for it.
        """

        def said(timer: Timer) -> Verdict:
            return self.evaluate_absence(timer, customer, history, now, secret, beside=beside)

        return weighed(due, later, said)

    def evaluate_life(
        self, life: Life, event: Event, customer: Customer, history: History, now: datetime,
        *, secret: bytes = b"", beside: Beside = NOTHING,
    ) -> Verdict:  # fmt: skip
        """Return what a rule says of a discount that is unused, or about to expire."""
        return self._decide(
            life.index, event, customer, history, now, secret=secret, known=True, beside=beside
        )

    def evaluate_claim(
        self, rule: str, claim: Event, customer: Customer, history: History, now: datetime,
        *, secret: bytes = b"",
    ) -> Verdict:  # fmt: skip
        """Return what a promotion says of a claim (`promotions.claim_of`), up to its counters; never raises.

        `rule` is its name. Nothing when there is no such promotion any more.
        """
        index = self.promotions.index(rule)
        if index is None:
            return Verdict((), (), {}, self.priorities)
        return self._decide(index, claim, customer, history, now, secret=secret)

    def claim_shortfalls(
        self, rule: str, claim: Event, customer: Customer, history: History, now: datetime
    ) -> list[Shortfall]:
        """Return the comparisons with numbers that keep a promotion's conditions from holding."""
        index = self.promotions.index(rule)
        return [] if index is None else index.shortfalls(view_of(claim, customer, history, now, self.metrics))

    def personal_claims(self, rule: str, source_id: str, at: datetime) -> list[CounterReservation]:
        """Return what a discount of a rule, issued elsewhere at a time, takes of a customer's own limits."""
        found = next((each for each in self.rules if each.name == rule), None)
        if found is None:
            return []
        blocks = blocks_of(found, self._shop.guardrails)
        counted = [Counting(name, block, cost(found, block)) for name, block in blocks]
        claims = [claim for each in counted if not each.idle for claim in each.claims(source_id, None, at)]
        return [claim for claim in claims if claim.scope == source_id]

    def near_misses(self, decision: Decision) -> dict[str, list[NearMiss]]:
        """Return by rule that did not hold what was missing; nothing of decisions by other files."""
        return near_misses(decision, self.nodes) if decision.book == self.digest else {}

    def complete(self, decision: Decision) -> Decision:
        """Return the decision with a sentence for each rule that it left untold, out of what it saw.

        It stays as it is when it was made by other files than these.
        """
        trigger = self._triggers.get(decision.event)
        if not decision.untold or decision.book != self.digest or trigger is None:
            return decision
        names = (ready.rule.name for ready in trigger.ready)
        return completed(decision, list(zip(names, trigger.nodes, strict=True)))


def _trigger(name: str, compiled: Sequence[Compiled], ready: Mapping[str, CompiledRule]) -> TriggerIndex:
    chosen = [one for one in compiled if name in one.rule.triggers]
    return TriggerIndex([ready[one.rule.name] for one in chosen], [one.node for one in chosen])


def load(
    directory: Path,
    names: Names | None = None,
    now: datetime | None = None,
    drafts: Sequence[Path] = (),
) -> tuple[RuleSet | None, list[Problem]]:
    """Read the rules of a directory; the book is None when any file has an error.

    Every `*.yaml` and `*.yml` is read that is neither hidden nor a `*.test.yaml`. `names` says what
    expressions may name; when not given, anything. What is past at `now` (aware) is warned of; nothing is
    where it is not given. `drafts` are files beside the directory: each takes the place of the file of its
    name, and its rules that of rules of their names.
    """
    if not directory.is_dir():
        message = f"there is no such directory: `{directory.absolute()}`"
        return None, [Problem(Mark(str(directory), 1, 1), message, "create it, or name another")]
    names = names or Names()
    replaced = {draft.name: draft for draft in drafts}
    paths = [*(path for path in _rule_files(directory) if path.name not in replaced), *drafts]
    texts = {path: text_of(path) for path in paths}
    shared, problems = _shared(replaced.get(DEFINITIONS, directory / DEFINITIONS), texts, names)
    names = replace(names, definitions={**names.definitions, **shared.conditions})
    documents = {path: yaml.read(path) for path in paths if path.name != DEFINITIONS}
    readable = [(document, texts[path]) for path, (document, _) in documents.items() if document is not None]
    zone = shared.defaults.time_zone
    grouped, of_campaigns = campaigns.of_rule_files(readable, shared.campaigns, names, zone)
    defaults = replace(shared.defaults, campaigns={name: one for name, (one, _) in grouped.items()})
    problems += of_campaigns
    compiled: list[Compiled] = []
    for path, (document, unread) in documents.items():
        problems += unread
        if document is not None and document.value is not None:
            found, wrong = rule_file.read(document, texts[path], names, defaults, now)
            compiled += found
            problems += wrong
    if not compiled and not problems:
        problems.append(nothing_in(directory, "no rule in this folder: no discount will be issued"))
    compiled = with_replaced(drafted(compiled, drafts))
    problems += _of_all(compiled, shared)
    placed = [(one.rule, one.at) for one in compiled]
    problems += campaigns.doubts(grouped.values(), placed, whole=not errors(problems))
    problems.sort(key=lambda problem: problem.mark)
    if any(problem.severity == "error" for problem in problems):
        return None, problems
    return RuleSet(compiled, shared, digest_of(texts), names.spelled), problems


def _rule_files(directory: Path) -> list[Path]:
    """Return the files of a directory that are read, definitions among them."""
    return [path for path in visible(directory, *SUFFIXES) if not path.stem.endswith(".test")]


def _of_all(compiled: Sequence[Compiled], shared: Definitions) -> list[Problem]:
    """Return the problems between rules, and those of a rule with what all rules share."""
    found = [*between_rules.problems(compiled, shared)]
    for one in compiled:
        found += lint.overall(one.rule, one.at, shared.guardrails)
    return found


def without_rules(spelled: EventNames) -> RuleSet:
    """Return the book of a process that decides nothing: no rule at all."""
    return RuleSet((), Definitions(), digest_of({}), spelled)


def _shared(path: Path, texts: dict[Path, str], names: Names) -> tuple[Definitions, list[Problem]]:
    if path not in texts:
        return Definitions(), []
    document, problems = yaml.read(path)
    if document is None or document.value is None:
        return Definitions(), problems
    shared, wrong = definitions.read(document, texts[path], names)
    return shared, problems + wrong
