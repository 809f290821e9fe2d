"""What rules of one trigger say of an event: conditions, then guardrails, up to the counters."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from adapter.model.customers import Customer
from adapter.model.decisions import RuleOutcome
from adapter.model.events import Event
from adapter.rules.engine.beside import NOTHING, Beside
from adapter.rules.engine.evaluate import TriggerIndex, view_of
from adapter.rules.engine.recipients import ForOthers, Named, about_another
from adapter.rules.guardrails.contract import Rejection
from adapter.rules.guardrails.membership import Segments
from adapter.rules.guardrails.proposal import Proposal, Verdict
from adapter.rules.guardrails.valuation import money
from adapter.rules.history.history import History
from adapter.rules.history.requirements import Metrics


class Decider:
    """Decides with what all rules share: see `RuleSet`, which sets these."""

    #: Of an event so many rules that do not hold are explained at once; None for as many as usual.
    explained: int | None = None
    segments: Segments
    metrics: Metrics
    named: Named
    priorities: Mapping[str, int]

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
        """Decide; `known` says that the history has the event already.

        Every kind of trigger is decided here, so that dry runs and simulations see each evaluation.
        """
        metrics = None if known else self.metrics
        view = view_of(event, customer, history, now, metrics, discounts=beside.discounts)
        matching, outcomes, untold = trigger.matching(view, self.explained)
        proposals: list[Proposal] = []
        others: dict[str, list[RuleOutcome]] = {}
        for_others = False
        if matching:
            members = self.segments.of(customer, view, event)
            cart = money(event.attributes.get("cart_value"))
            for ready in matching:
                other = None
                if ready.rule.to is None:
                    settled = ready.settle(event, cart, members, view, now, secret=secret)
                else:
                    for_others = True
                    settled, other = ForOthers(
                        self.segments, self.metrics, beside.recipients, customer, event, cart, view, now,
                        secret,
                    ).settle(ready, self.named.path(ready.rule.name))  # fmt: skip
                if isinstance(settled, Rejection):
                    said = RuleOutcome(
                        ready.rule.name, settled.outcome, settled.reason, settled.guardrail,
                        campaign=ready.campaign if settled.outcome == "control" else None,
                    )  # fmt: skip
                    outcomes.append(said if other is None else about_another(said))
                    if other is not None:
                        others.setdefault(other, []).append(said)
                else:
                    proposals.append(settled)
            if len(proposals) > 1:
                proposals.sort(key=_place)
        return Verdict(
            tuple(proposals), tuple(outcomes), trigger.seen.of(view), self.priorities, untold,
            {name: tuple(said) for name, said in others.items()} if others else {}, for_others,
        )  # fmt: skip


def _place(proposal: Proposal) -> tuple[int, Decimal, str]:
    return -proposal.rule.priority, -proposal.worth, proposal.rule.name
