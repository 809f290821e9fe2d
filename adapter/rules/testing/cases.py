"""Test cases beside the rules: what an event should come to, written down.

A `*.test.yaml` file holds `cases`, each with a `name`, and

- `now`: the clock, 2026-01-15T12:00:00Z when not given;
- `customer`: source_id, standard fields, `traits`, `segments`;
- `past`: earlier events, each with `name`, `ago` (`3d`, before `now`) and `attributes`;
- `holds`: rules of which the customer holds a live discount;
- `exhausted`: guardrails of which every counter is full; `limits.email` is that of one key alone;
- `event`: `name`, `attributes`, `context`, `device_id`, `email`; or `due`: a rule of absence whose time is
  up, with the event that started its wait in `past`, a scheduled rule, or one that waits for the life of the
  `discount` (`rule`, `status`, `ago`, `expires_in`); or `claim`: a shared `code`, with
  the `order`, `context` and `device_id` that a checkout sends; or `change`: a `trait` of the customer with
  what it changes `to`, or a `segment` that is `entered` or `left`;
- `expect`: by rule, its outcome (`issued`, `withheld`, `control`, `shadow`, `not_met`, or `none` where
  nothing is said of the rule), or `{outcome, guardrail, reason}`, where the reason must hold the text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from msgspec import Struct

from adapter.files import yaml
from adapter.files.folders import visible
from adapter.files.problems import Mark, Problem, did_you_mean, errors
from adapter.model.customers import TEXT_FIELDS, Customer
from adapter.model.decisions import RuleOutcome
from adapter.model.event_names import EventNames
from adapter.model.events import Event, User
from adapter.rules.blocks.block import Block, shown
from adapter.rules.engine.beside import Recipient
from adapter.rules.engine.promotions import claim_of
from adapter.rules.history.history import History
from adapter.rules.testing.beside_case import Had, read_had
from adapter.rules.testing.case_discount import CaseDiscount, read_discount
from adapter.rules.testing.changed import changed_by
from adapter.rules.testing.check_cases import check
from adapter.rules.testing.vocabulary import KnownNames

CLOCK = datetime(2026, 1, 15, 12, tzinfo=UTC)
#: What may happen in a case; one of them does.
HAPPENINGS = ("event", "due", "claim", "change")
#: What a case may expect of a rule.
EXPECTED = ("outcome", "guardrail", "reason", "variant")
OUTCOMES = ("issued", "withheld", "control", "shadow", "not_met", "error", "none")


class Expected(Struct, frozen=True):
    """What a case expects of one rule; an empty text expects nothing."""

    rule: str
    outcome: str = ""
    guardrail: str = ""
    reason: str = ""
    variant: str = ""

    def missed(self, found: RuleOutcome | None) -> str:
        """Return how the outcome differs, empty when it does not."""
        if found is None:
            return "" if self.outcome == "none" else f"{self.rule}: nothing was said of it"
        for wanted, got in (
            (self.outcome, found.outcome),
            (self.guardrail, found.guardrail or "no guardrail"),
            (self.variant, found.variant or "no variant"),
        ):
            if wanted and wanted != got:
                return f"{self.rule}: expected {wanted}, got {got} ({found.reason})"
        return (
            ""
            if self.reason in found.reason
            else f"{self.rule}: expected `{self.reason}` in `{found.reason}`"
        )


class Case(Struct, frozen=True, kw_only=True):
    """One case, ready to run; `event` is None where the time of the rule `due` is up.

    `others` are known customers beside the case's own, and `had` are discounts of its past.

    `claim` is the shared code that a checkout claims; `event` is the claim then. `changed` is the customer
    after a change.
    """

    name: str
    at: Mark
    now: datetime
    customer: Customer
    past: tuple[Event, ...]
    holds: tuple[str, ...]
    exhausted: tuple[str, ...]
    event: Event | None
    due: str | None
    claim: str | None
    changed: Customer | None
    discount: CaseDiscount | None
    expected: tuple[Expected, ...]
    others: tuple[Customer, ...] = ()
    had: tuple[Had, ...] = ()

    def recipient(self, name: str) -> Recipient | None:
        """Return another customer that the event names, without a past."""
        found = next((each for each in (self.customer, *self.others) if each.source_id == name), None)
        return None if found is None else Recipient(found, History())


class Result(Struct, frozen=True):
    """A case that was run; it passed when nothing was missed."""

    case: Case
    event: Event
    history: History
    outcomes: tuple[RuleOutcome, ...]
    missed: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Say whether everything came as expected."""
        return not self.missed


def load(directory: Path, known: KnownNames | None = None) -> tuple[list[Case], list[Problem]]:
    """Read the cases of a directory's `*.test.yaml` files, and what is wrong with them.

    `known` says what they may name; when not given, anything.
    """
    cases: list[Case] = []
    problems: list[Problem] = []
    for path in visible(directory, "*.test.yaml", "*.test.yml"):
        document, found = yaml.read(path)
        problems += found
        if document is None:
            continue
        top = Block(document, path.read_text(encoding="utf-8"), (), problems)
        listed = list(_items(top, "cases"))
        top.finish()
        cases += [case for block in listed if (case := _case(block, known)) is not None]
    return cases, problems


def _case(block: Block, known: KnownNames | None) -> Case | None:
    before = len(block.problems)
    now = block.moment("now") or CLOCK
    customer = _customer(block.block("customer"))
    meant = EventNames().meant if known is None else known.meant
    past = [_past(item, now, meant) for item in _items(block, "past")]
    event = block.block("event")
    due = block.text("due")
    claim = _claim(block.block("claim"), customer, now)
    change = block.block("change")
    changed = None if change is None else changed_by(change, customer)
    name = block.text("name", required=True)
    holds, exhausted = block.words("holds"), block.words("exhausted")
    others = tuple(_customer(item) for item in _items(block, "others"))
    had = tuple(found for item in _items(block, "had") if (found := read_had(item, now)) is not None)
    expected = _expected(block)
    discount = read_discount(block.block("discount"))
    if sum(key in block.values for key in HAPPENINGS) != 1:
        message = "a case needs an `event`, a rule that is `due`, a `claim` of a shared code, or a `change`"
        block.refuse((), message, "write one of them")
    block.finish()
    if known is not None:
        check(block, known)
    happens = None if event is None else _told(event, now, "evt_case", customer.source_id, meant)
    code, claimed = claim if claim is not None else (None, None)
    if errors(block.problems[before:]):
        return None
    events = tuple(sorted((each for each in past if each is not None), key=lambda each: each.occurred_at))
    return Case(
        name=name or "", at=block.document.mark(*block.path), now=now, customer=customer, past=events,
        holds=holds, exhausted=exhausted, event=happens or claimed, due=due, claim=code,
        changed=changed, discount=discount, expected=expected, others=others, had=had,
    )  # fmt: skip


def _claim(block: Block | None, customer: Customer, now: datetime) -> tuple[str, Event] | None:
    """Return the code of a claim, and the claim as rules see it."""
    if block is None:
        return None
    code, device_id = block.text("code", required=True), block.text("device_id")
    order, context = _plain(block, "order"), _plain(block, "context")
    block.finish({"attributes": "order"})
    return code or "", claim_of("claim_case", customer, order, context, now, device_id=device_id)


def _customer(block: Block | None) -> Customer:
    if block is None:
        return Customer("user_case")
    source_id = block.text("source_id") or "user_case"
    fields: dict[str, Any] = {name: block.text(name) for name in TEXT_FIELDS}
    customer = Customer(
        source_id=source_id,
        **fields,
        address=_plain(block, "address") or None,
        traits=_plain(block, "traits"),
        segments=block.words("segments"),
    )
    block.finish()
    return customer


def _items(block: Block, key: str) -> Iterable[Block]:
    items = block.get(key)
    if items is not None and not isinstance(items, list):
        block.refuse((key,), f"`{key}` is {shown(items)}", "write a list: begin each with `-`")
    for index in range(len(items) if isinstance(items, list) else 0):
        yield Block(block.document, block.text_of_file, (*block.path, key, index), block.problems)


def _plain(block: Block, key: str) -> dict[str, Any]:
    value = block.get(key)
    if value is None or isinstance(value, dict):
        return value or {}
    block.refuse((key,), f"`{key}` is {shown(value)}", f"write a block such as `{key}: {{name: value}}`")
    return {}


def _past(block: Block, now: datetime, meant: Callable[[str], str]) -> Event | None:
    ago = block.length("ago")
    if ago is None:
        block.refuse((), "an event of the past needs its `ago`", "add `ago: 3d`")
        return None
    return _told(block, now - ago, f"evt_past_{block.path[-1]}", "user_case", meant)


def _told(block: Block, at: datetime, event_id: str, source_id: str, meant: Callable[[str], str]) -> Event:
    """Return an event as it would arrive, under the name that is meant."""
    name = meant(block.text("name", required=True) or "")
    user = User(id=source_id, email=block.text("email"), device_id=block.text("device_id"))
    attributes, context = _plain(block, "attributes"), _plain(block, "context")
    block.finish()
    return Event(event_id, name, at, user, attributes, context)


def plain_event(attributes: dict[str, Any], at: datetime, name: str) -> Event:
    """Return an event without a user; the case has the customer."""
    return Event("evt_case", name, at, User(), attributes, {})


def _expected(block: Block) -> tuple[Expected, ...]:
    inner = block.block("expect")
    if inner is None:
        block.refuse((), "the case expects nothing", "add `expect: {a-rule: issued}`")
        return ()
    expected: list[Expected] = []
    for rule in inner.values:
        value = inner.get(rule)
        if isinstance(value, str):
            expected.append(Expected(rule, value))
        else:
            parts = Block(block.document, block.text_of_file, (*inner.path, rule), block.problems)
            words = (parts.text(key) or "" for key in EXPECTED)
            expected.append(Expected(rule, *words))
            parts.finish()
        if expected[-1].outcome and expected[-1].outcome not in OUTCOMES:
            wrong = expected[-1].outcome
            inner.refuse((rule,), f"`{wrong}` is not an outcome", did_you_mean(wrong, OUTCOMES))
    return tuple(expected)
