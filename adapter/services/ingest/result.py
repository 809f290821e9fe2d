"""The results of messages and of transactions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from msgspec import Struct

from adapter.model.decisions import Decision
from adapter.model.discounts import Discount


class Result(Struct, omit_defaults=True):
    """The outcome of one message, and the discounts issued or moved by it (the same for a duplicate).

    `reason` says why it was quarantined, why no rule was evaluated (too old, a test, a replay), or why a
    discount did not move; then `error` is the code of `adapter.errors` (`not_found`, `wrong_move`, or
    `unavailable` for a failed request without a message). `misfits` are the violations of the data model
    whose values were stored unchanged.
    """

    message_id: str
    outcome: Literal["processed", "duplicate", "ignored", "quarantined"]
    reason: str | None = None
    discounts: list[Discount] = []
    error: str | None = None
    misfits: list[str] = []


class EvaluatedResult(Result, omit_defaults=True):
    """The outcome of an operation that asked for its decisions."""

    decisions: list[Decision] = []


class CommitResult(Struct, frozen=True):
    """The result of one transaction: a result per message in order, and the decisions.

    `armed` counts the started timers, `unarmed`, by rule, those over the limit, `fired` those that fired.
    `held_back` has a destination for each event of development traffic that it does not receive, `forwards`
    counts what is to be forwarded.
    """

    results: list[Result]
    decisions: Sequence[Decision] = ()
    armed: int = 0
    unarmed: Mapping[str, int] = {}
    fired: int = 0
    held_back: Sequence[str] = ()
    forwards: int = 0
