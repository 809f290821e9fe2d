"""What the caller is told of each message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from msgspec import Struct

from adapter.model.decisions import Decision
from adapter.model.discounts import Discount


class Result(Struct, omit_defaults=True):
    """One message's outcome, and the discounts issued or moved by it (again, when it is a duplicate).

    `reason` says why it was quarantined, why a rule that it triggers did not look at it (too old, a test, a
    replay), or why a discount did not move; then `error` is the code of `adapter.errors` (`not_found`,
    `wrong_move`, or `unavailable` for what was asked without a message and failed). `misfits` says what does
    not fit the data model and was kept all the same.
    """

    message_id: str
    outcome: Literal["processed", "duplicate", "ignored", "quarantined"]
    reason: str | None = None
    discounts: list[Discount] = []
    error: str | None = None
    misfits: list[str] = []


class CommitResult(Struct, frozen=True):
    """One transaction's work: a result per message in order, and the decisions made.

    `armed` timers wait from now on; for `unarmed`, by rule, there was no room; so many have `fired`.
    """

    results: list[Result]
    decisions: Sequence[Decision] = ()
    armed: int = 0
    unarmed: Mapping[str, int] = {}
    fired: int = 0
