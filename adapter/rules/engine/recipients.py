"""Rules whose discount goes to another customer, whose id the event has: the second side of a referral.

Conditions and computed values see the event and its customer. Guardrails, rollout and limits are those of the
customer who gets the discount, and their device is not known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from adapter.model.customers import Customer
from adapter.model.decisions import RuleOutcome
from adapter.model.events import Event, User
from adapter.rules.engine.beside import Recipients
from adapter.rules.engine.evaluate import CompiledRule, view_of
from adapter.rules.expressions import EvaluationContext, Path
from adapter.rules.files.rule_file import Compiled
from adapter.rules.guardrails.contract import Rejection, withheld
from adapter.rules.guardrails.membership import Segments
from adapter.rules.guardrails.proposal import Proposal
from adapter.rules.history.requirements import Metrics

#: The name under which a rule withholds where its recipient is not known, or is the event's customer.
NAME = "to"


class Named:
    """Which customers the events name that rules of a book reward."""

    def __init__(self, compiled: Iterable[Compiled]) -> None:
        self._paths = {one.rule.name: one.to for one in compiled if one.to is not None}
        self._events: dict[str, list[Path]] = {}
        for one in compiled:
            if one.to is not None:
                for name in one.rule.triggers or (getattr(one.rule.trigger, "event", ""),):
                    self._events.setdefault(name, []).append(one.to)

    def ids(self, event: Event) -> list[str]:
        """Return the ids that an event names."""
        found = (named(path, event) for path in self._events.get(event.name, ()))
        return [name for name in found if name is not None]

    def path(self, rule: str) -> Path:
        """Return where a rule for other customers finds its recipient."""
        return self._paths[rule]


def named(path: Path, event: Event) -> str | None:
    """Return the id that an event has at a path; None where there is none."""
    value: Any = event.context if path.root == "context" else event.attributes
    for field in path.fields:
        value = value.get(field) if isinstance(value, Mapping) else None
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value).strip() or None


class ForOthers(Struct, frozen=True):
    """Settles rules for other customers than the event's, which are `own`."""

    segments: Segments
    metrics: Metrics
    known: Recipients
    own: Customer
    event: Event
    cart: Decimal | None
    view: EvaluationContext
    now: datetime
    secret: bytes

    def settle(self, ready: CompiledRule, path: Path) -> tuple[Proposal | Rejection, str | None]:
        """Return what a rule says of its recipient, and the recipient, None without one."""
        text = ".".join((path.root, *path.fields))
        name = named(path, self.event)
        if name is None:
            return withheld(NAME, f"`{text}` of the event names no customer"), None
        found = self.known(name)
        if found is None:
            return withheld(NAME, f"no customer is known by the id in `{text}`"), None
        other = found.customer
        if other.source_id == self.own.source_id:
            return withheld(NAME, f"`{text}` names the event's own customer"), None
        user = User(id=other.source_id, email=other.email)
        event = replace(self.event, user=user)
        view = view_of(event, other, found.history, self.now, self.metrics)
        members = self.segments.of(other, view, event)
        settled = ready.settle(event, self.cart, members, self.view, self.now, secret=self.secret)
        if isinstance(settled, Proposal):
            settled = replace(settled, recipient=other.source_id)
        return settled, other.source_id


def about_another(outcome: RuleOutcome) -> RuleOutcome:
    """Return an outcome for the decision about the event: it says nothing of the other customer."""
    return RuleOutcome(
        outcome.rule, outcome.outcome, "see the decision of the other customer", outcome.guardrail,
        for_another=True,
    )  # fmt: skip
