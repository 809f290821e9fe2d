"""What a guardrail states; everything that rules know of it follows from this record."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from msgspec import Struct

from adapter.files.problems import Mark, Problem
from adapter.files.schemas import Schema
from adapter.files.yaml import Document, Keys
from adapter.model.actions import Action
from adapter.model.counter_key import CounterKey, encode
from adapter.model.decisions import Outcome
from adapter.model.discounts import CounterReservation
from adapter.model.events import Event
from adapter.model.rules import Guardrails, Rule
from adapter.rules.blocks.block import Block
from adapter.rules.expressions import Names
from adapter.rules.guardrails.membership import Membership

#: The name under which limits over all rules are counted, and how their guardrails are called.
ALL_RULES = "*"
GLOBAL = "global."
#: What goes before a campaign's name where it counts for its rules, and how its guardrails are called.
CAMPAIGN_COUNTS = "campaign:"
CAMPAIGN = "campaign."
#: The end of a remedy for what stops a rule for good.
OR_PAUSE = "or `status: paused` where the rule should stop"
_DEFAULTS = Guardrails()


#: What a rule gives: the actions of its discounts, one after the other of each variant.
Given = Sequence[tuple[Action, ...]]


class Rejection(Struct, frozen=True):
    """Why a rule whose conditions hold issues nothing, before any counter is looked at."""

    outcome: Outcome
    guardrail: str
    reason: str


def withheld(guardrail: str, reason: str) -> Rejection:
    """Return the rejection by a guardrail."""
    return Rejection("withheld", guardrail, f"not issued: {reason}")


#: Asked at each event for which a rule's conditions hold.
Check = Callable[[Event, Membership, datetime], Rejection | None]


class CountedBlock(Struct, frozen=True):
    """A block of guardrails as it counts for one rule, a campaign, or ALL_RULES.

    `cost` is the most of a discount.
    """

    rule: str
    guardrails: Guardrails
    cost: Decimal | None

    def key(self, *parts: str) -> CounterKey:
        """Return the key of a counter of this rule."""
        return encode(self.rule, *parts)

    def label(self, guardrail: str) -> str:
        """Return the name under which a guardrail of this block withholds."""
        return label_of(self.rule) + guardrail


def label_of(counts: str) -> str:
    """Return what goes before the names of guardrails that count for a rule, a campaign, or ALL_RULES."""
    if counts == ALL_RULES:
        return GLOBAL
    return CAMPAIGN if counts.startswith(CAMPAIGN_COUNTS) else ""


#: What is reserved for a scope (a customer, a device) at a moment, in seconds since 1970.
ReserveFor = Callable[[str, int], Sequence[CounterReservation]]
#: The same, made once for each day of the rule's time zone.
Personal = Callable[[date], ReserveFor]


class Keyed(Struct, frozen=True):
    """What is counted for the values of a key: `scopes` returns their scopes at an event, of which the last
    argument hashes the values.
    """

    scopes: Callable[[Event, Membership, bytes], Sequence[str]]
    personal: Personal


class GuardrailBlock(Block):
    """The block of guardrails; `names` are those that it may name."""

    def __init__(
        self, document: Document, text: str, path: Keys, problems: list[Problem], names: Names
    ) -> None:
        super().__init__(document, text, path, problems)
        self.names = names


def value(guardrails: Guardrails, name: str) -> Any:
    """Return what a guardrail read, by its name; None where that is not set."""
    return guardrails.more[name] if name in guardrails.more else getattr(guardrails, name, None)


@dataclass(frozen=True, kw_only=True)
class Guardrail:
    """One guardrail, or a family of them. What is not given holds for one that never stops a rule.

    `names` are those under which it withholds. `keys` are the JSON Schemas of its keys in the `guardrails`
    block, `other_names` what people write for them. `parse` reads them to fields of `Guardrails`, or to
    `more`; the actions are None in the block over all rules. `stops` returns the names that may withhold as
    they are set; without it, those that are not as `Guardrails` has them by default.

    Without a counter: `check` is called once for each rule and returns what is asked at each event, None
    where it can never stop the rule; the text goes before its name. With a counter: `reserve` returns what
    is counted in the whole shop on a day, `reserve_personal` what is counted for a customer and their
    device, `reserve_keyed` what for values of keys, and `full` the reason why a reservation does not fit,
    given how much is used. The label of a reservation may add to the name of its guardrail: `limits.email`.

    `segments` returns those that it names. `lint` warns of what can hardly be meant; moments are past only
    where one is given. `lint_overall` does so for each rule and the block over all rules.
    """

    names: tuple[str, ...]
    keys: Mapping[str, Schema]
    parse: Callable[[GuardrailBlock, Given | None], Mapping[str, Any]]
    other_names: Mapping[str, str] = field(default_factory=dict)
    stops: Callable[[Guardrails], Iterable[str]] | None = None
    check: Callable[[Rule, Guardrails, str], Check | None] | None = None
    reserve: Callable[[CountedBlock, date], Iterable[CounterReservation]] | None = None
    reserve_personal: Callable[[CountedBlock], Personal | None] | None = None
    reserve_keyed: Callable[[CountedBlock], Iterable[Keyed]] | None = None
    full: Callable[[CounterReservation, int], str] | None = None
    segments: Callable[[Guardrails], Iterable[str]] | None = None
    lint: Callable[[Block, Rule, datetime | None], None] | None = None
    lint_overall: Callable[[Rule, Mark, Guardrails], Iterator[Problem]] | None = None

    @property
    def counts(self) -> bool:
        """Say whether it has counters."""
        kinds = (self.reserve, self.reserve_personal, self.reserve_keyed)
        return any(kind is not None for kind in kinds)

    def stopping(self, guardrails: Guardrails) -> Iterable[str]:
        """Return the names that may withhold, as they are set."""
        if self.stops is not None:
            return self.stops(guardrails)
        return [name for name in self.names if value(guardrails, name) != value(_DEFAULTS, name)]
