"""One rule in full: what it says, what it did, and what it changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from msgspec import Struct

from adapter.errors import NotFound
from adapter.model.rules import Rule
from adapter.rules.lift import Lift
from adapter.services.lift import LiftQuestion
from adapter.services.playground import drafts
from adapter.services.rule_pages.counted import CountedDecisions, counted
from adapter.services.rule_pages.listing import RuleList, RuleReads, RuleRow, start_of
from adapter.settings.values import Files

#: Lines of the source that are shown.
_MOST_LINES = 80


class SourceLine(Struct, frozen=True):
    """A line of the file."""

    number: int
    text: str


class LiftShown(Struct, frozen=True):
    """Lift as percentages: conversions `with_discount` and in `control`, and the interval of 95 %.

    `low` and `high` are None where one of the groups is empty.
    """

    customers: int
    converted: int
    control: int
    control_converted: int
    difference: float
    low: float | None
    high: float | None


class RulePage(Struct, frozen=True):
    """One rule: `draft_file` is the name by which its file can be edited, empty for a starter's.

    `lift_at` is when lift was measured, None where it never was; `lift_running` while it is.
    """

    rule: RuleRow
    source: list[SourceLine]
    draft_file: str
    decisions: CountedDecisions
    lift: LiftShown | None
    lift_at: datetime | None
    lift_running: bool
    lift_error: str
    since: datetime


class RulePages:
    """Makes the pages of single rules."""

    def __init__(self, reads: RuleReads, rules: RuleList, folders: Callable[[], Files]) -> None:
        self._reads = reads
        self._list = rules
        self._folders = folders

    async def page(self, name: str) -> RulePage:
        """Return a rule's page; raises NotFound."""
        rule, reads = self._rule(name), self._reads
        now = reads.clock()
        row = await self._list.one(rule)
        found = await counted(reads.store, reads.files.rules, name, now, reads.patience)
        lift = reads.measured.lift(LiftQuestion(rule=name), begin=False)
        source = self._source(row)
        return RulePage(
            row, source, self._draft_file(row), found,
            _shown(lift.value, name), lift.at, lift.running, lift.error, start_of(now),
        )  # fmt: skip

    def measure_lift(self, name: str) -> None:
        """Begin to measure the lift of a rule; raises NotFound."""
        self._rule(name)
        self._reads.measured.lift(LiftQuestion(rule=name), begin=True)

    def _rule(self, name: str) -> Rule:
        rule = next((each for each in self._reads.files.rules.rules if each.name == name), None)
        if rule is None:
            raise NotFound(f"no rule is named `{name[:120]}`")
        return rule

    def _draft_file(self, row: RuleRow) -> str:
        names = drafts.names(self._folders(), "rules")
        return next((name for name in names if row.file.endswith(f"/{name}")), "")

    def _source(self, row: RuleRow) -> list[SourceLine]:
        """Return the lines of the rule: from its name to the next rule of a list, or to the end."""
        name = self._draft_file(row)
        if not name:
            return []
        lines = drafts.read(self._folders(), "rules", name).text.splitlines()
        found = [SourceLine(row.line, lines[row.line - 1])] if row.line <= len(lines) else []
        for number, line in enumerate(lines[row.line :], row.line + 1):
            if line.lstrip().startswith("- name:") or len(found) == _MOST_LINES:
                break
            found.append(SourceLine(number, line))
        return found


def _shown(lifts: list[Lift] | None, rule: str) -> LiftShown | None:
    lift = next((each for each in lifts or () if each.rule == rule), None)
    if lift is None:
        return None
    low, high = lift.interval() or (None, None)
    return LiftShown(
        lift.issued.customers, lift.issued.converted, lift.control.customers, lift.control.converted,
        100 * lift.difference, None if low is None else 100 * low, None if high is None else 100 * high,
    )  # fmt: skip
