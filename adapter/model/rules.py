"""The rule as a value: trigger, conditions, action, guardrails, rollout."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal

from msgspec import Struct

from adapter.model.discounts import Action


class Absence(Struct, frozen=True):
    """Fires when `unless` does not follow `event` within the time."""

    event: str
    unless: str
    within: timedelta


class Guardrails(Struct, frozen=True, kw_only=True):
    """Limits that stop a rule. Counts are caps; `None` means no limit."""

    max_daily_redemptions: int | None = None
    per_user_limit: int | None = None
    stackable: bool = False
    validity_window: timedelta | None = None
    eligible_segments: tuple[str, ...] = ()
    excluded_segments: tuple[str, ...] = ()


class Rule(Struct, frozen=True, kw_only=True):
    """One rule as its author wrote it; the compiled conditions live in the rule book.

    `conditions` is the tree of `all` / `any` / `none` groups and expression texts, for display.
    """

    name: str
    trigger: tuple[str, ...] | Absence
    action: Action
    description: str = ""
    conditions: Any = None
    guardrails: Guardrails = Guardrails()
    status: Literal["live", "shadow", "paused"] = "live"
    priority: int = 0
    code_prefix: str = ""
    code_pattern: str | None = None
    expires_in: timedelta | None = None
    expires_at: datetime | None = None
    metadata: dict[str, Any] = {}
