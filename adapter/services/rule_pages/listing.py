"""The list of rules in force, by pages, with what each did in the last days."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from heapq import nsmallest

from msgspec import Struct

from adapter.model.activity import ActivityCount, RuleCount, of_rule
from adapter.model.rules import Rule
from adapter.rules.engine.rule_sentence import rule_sentence
from adapter.services.figures import RuleFigures
from adapter.services.loaded_files import LoadedFiles
from adapter.services.read_timeout import ReadTimeout
from adapter.services.rule_pages.caps import Cap, caps
from adapter.services.rule_pages.measured import Measured
from adapter.store.contract import Store

#: Rules of a page.
PAGE = 25
#: What is shown of the past, and by which spans.
DAYS = timedelta(days=7)
SPAN = timedelta(hours=6)
_COUNTS: tuple[RuleCount, ...] = ("triggered", "issued", "withheld")


class Amount(Struct, frozen=True):
    """An amount of money; the currency is empty where it is not known."""

    amount: Decimal
    currency: str


class Sums(Struct, frozen=True):
    """What discounts of a rule came to in all: how many were issued, are open and were redeemed.

    The open ones can still cost `liability`; `unbounded` of them have no limit.
    """

    issued: int
    open: int
    redeemed: int
    liability: list[Amount]
    unbounded: int


class RuleRow(Struct, frozen=True):
    """One rule. `hits` are the events for which its conditions held, by `SPAN`, the oldest first.

    `triggered`, `issued` and `withheld` are sums of the same days. `sums` is None until figures are read.
    """

    name: str
    status: str
    sentence: str
    description: str
    file: str
    line: int
    campaign: str
    hits: list[int]
    triggered: int
    issued: int
    withheld: int
    caps: list[Cap]
    sums: Sums | None


class RuleRows(Struct, frozen=True):
    """A page of rules by name: `after` of the next page is `next`, empty on the last one.

    `known` counts all rules, `since` is where `hits` begin; figures were read at `figures_at`, and are read
    anew while `figures_running`.
    """

    rows: list[RuleRow]
    next: str
    known: int
    since: datetime
    figures_at: datetime | None
    figures_running: bool
    figures_error: str


class RuleReads(Struct, frozen=True):
    """What pages of rules are made of."""

    store: Store
    files: LoadedFiles
    measured: Measured
    clock: Callable[[], datetime]
    patience: ReadTimeout


class RuleList:
    """Makes pages of the rules in force."""

    def __init__(self, reads: RuleReads) -> None:
        self._store = reads.store
        self._files = reads.files
        self._measured = reads.measured
        self._clock = reads.clock
        self._patience = reads.patience

    async def page(self, search: str = "", after: str = "") -> RuleRows:
        """Return the rules behind a name that a search finds in names, descriptions and triggers."""
        now, book = self._clock(), self._files.rules
        found = nsmallest(PAGE + 1, _found(book.rules, search, after), key=_name)
        rules = found[:PAGE]
        since = start_of(now)
        activity = await self._activity(rules, since, now)
        capped = await caps(self._store, book, rules, now, self._patience)
        figures = self._measured.figures()
        known: Mapping[str, RuleFigures] | None = figures.value
        rows = [
            self._row(rule, activity, since, capped[rule.name], sums_of(known, rule.name)) for rule in rules
        ]
        following = rules[-1].name if len(found) > PAGE else ""
        return RuleRows(rows, following, len(book.rules), since, figures.at, figures.running, figures.error)

    async def one(self, rule: Rule) -> RuleRow:
        """Return the row of one rule."""
        now = self._clock()
        since = start_of(now)
        activity = await self._activity([rule], since, now)
        capped = await caps(self._store, self._files.rules, [rule], now, self._patience)
        known = self._measured.figures().value
        return self._row(rule, activity, since, capped[rule.name], sums_of(known, rule.name))

    async def _activity(
        self, rules: Sequence[Rule], since: datetime, now: datetime
    ) -> dict[str, dict[datetime, int]]:
        names = [of_rule(rule.name, count) for rule in rules for count in _COUNTS]
        if not names:
            return {}
        until = now + SPAN
        return _by_name(await self._patience.read(self._store.activity(names, since, until, SPAN)))

    def _row(
        self,
        rule: Rule,
        activity: Mapping[str, Mapping[datetime, int]],
        since: datetime,
        capped: list[Cap],
        sums: Sums | None,
    ) -> RuleRow:
        book = self._files.rules
        triggered, issued, withheld = (activity.get(of_rule(rule.name, each), {}) for each in _COUNTS)
        at = book.places[rule.name]
        return RuleRow(
            rule.name, rule.status, rule_sentence(rule, book.nodes[rule.name]), rule.description,
            at.file, at.line, "" if rule.campaign is None else rule.campaign.name,
            [triggered.get(since + SPAN * step, 0) for step in range(DAYS // SPAN)],
            sum(triggered.values()), sum(issued.values()), sum(withheld.values()), capped, sums,
        )  # fmt: skip


def start_of(now: datetime) -> datetime:
    """Return where the spans of the last days begin; the last of them is under way."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return epoch + ((now - epoch) // SPAN + 1) * SPAN - DAYS


def sums_of(known: Mapping[str, RuleFigures] | None, rule: str) -> Sums | None:
    """Return the sums of one rule; zeros where figures are known and it has none."""
    if known is None:
        return None
    if rule not in known:
        return Sums(0, 0, 0, [], 0)
    totals = known[rule].totals()
    liability = [
        Amount(each.liability, currency) for currency, each in sorted(totals.items()) if each.liability
    ]
    every = list(totals.values())
    return Sums(
        sum(each.issued for each in every), sum(each.open for each in every),
        sum(each.redeemed for each in every), liability, sum(each.unbounded for each in every),
    )  # fmt: skip


def _found(rules: Iterable[Rule], search: str, after: str) -> Iterable[Rule]:
    wanted = search.strip().lower()
    for rule in rules:
        if rule.name > after and (not wanted or wanted in _text(rule)):
            yield rule


def _text(rule: Rule) -> str:
    campaign = "" if rule.campaign is None else rule.campaign.name
    return " ".join((rule.name, rule.description, campaign, *rule.triggers)).lower()


def _name(rule: Rule) -> str:
    return rule.name


def _by_name(counted: Iterable[ActivityCount]) -> dict[str, dict[datetime, int]]:
    found: dict[str, dict[datetime, int]] = {}
    for each in counted:
        found.setdefault(each.name, {})[each.at] = each.amount
    return found
