"""Activity: how often things happened, by minute or hour, and the names of the series.

The names are stored, so they stay as they are. None has the id of a customer.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final, Literal

from msgspec import Struct


class ActivityCount(Struct, frozen=True):
    """That something happened `amount` times in the span of time that begins at `at`."""

    name: str
    at: datetime
    amount: int


#: What a rule did: its conditions held, it issued, a guardrail withheld the discount.
RuleCount = Literal["triggered", "issued", "withheld"]

#: Messages by what became of them, as in the metric `adapter_messages`.
MESSAGES: Final = {
    each: f"messages/{each}" for each in ("processed", "duplicate", "ignored", "quarantined", "dropped")
}
#: Requests with messages, by how they were answered: taken, refused (4xx), not taken (5xx).
REQUESTS: Final = {each: f"requests/{each}" for each in ("taken", "refused", "failed")}
#: Events about which rules decided, discounts issued by them, and those that guardrails withheld.
DECIDED: Final = "decisions"
ISSUED: Final = "discounts/issued"
WITHHELD: Final = "discounts/withheld"
#: Attempts to deliver, by what came of them.
DELIVERIES: Final = {each: f"deliveries/{each}" for each in ("done", "retry", "dead")}
#: Upper bounds of durations in seconds, as the metrics have them; the last is without one.
BOUNDS: Final = ("0.001", "0.0025", "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1.0", "2.5",
                 "5.0", "+Inf")  # fmt: skip
#: Requests with messages, by how long their answer took; commits by their duration.
REQUEST_SECONDS: Final = {bound: f"request_seconds/{bound}" for bound in BOUNDS}
COMMIT_SECONDS: Final = {bound: f"commit_seconds/{bound}" for bound in BOUNDS}
#: The series that are kept by minute; those of rules are kept by hour.
BY_MINUTE: Final = (
    *MESSAGES.values(), *REQUESTS.values(), DECIDED, ISSUED, WITHHELD, *DELIVERIES.values(),
    *REQUEST_SECONDS.values(), *COMMIT_SECONDS.values(),
)  # fmt: skip


def of_rule(rule: str, count: RuleCount) -> str:
    """Return the name of a rule's series, which is kept by hour."""
    return f"rule/{rule}/{count}"


def sums(counted: Iterable[ActivityCount]) -> dict[str, int]:
    """Return the sum of each series that has any."""
    found: dict[str, int] = {}
    for each in counted:
        found[each.name] = found.get(each.name, 0) + each.amount
    return found
