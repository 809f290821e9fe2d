"""The rule as a value: trigger, conditions, action, guardrails, rollout."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final, Literal

from msgspec import Struct

from adapter.model.actions import Action
from adapter.model.triggers import Care, DiscountLife, Every, OnDate, SegmentChange, TraitChange

#: The period of a limit: a calendar day, ISO week or month in the rule's time zone, or all time.
Period = Literal["day", "week", "month", "total"]
#: How a conflict of two discounts that cannot be combined is resolved; `none` conflicts with no other.
Conflicts = Literal["priority", "best_value", "block", "none"]

#: The name of the event that a claim of a promotion is.
CLAIMED: Final = "promotion_claimed"
#: The attributes that the event of an absence has besides its own, where each key waits for itself.
OF_KEYS: Final = ("key", "item")
#: The effect of a refund on a code that was used on the order: it may be used again, not again, or for the
#: refunded part; and on an unused discount that the order earned.
OnRefund = Literal["return", "keep", "prorate"]
RewardOnRefund = Literal["revoke", "keep"]
OnExceed = Literal["refuse", "partial"]
#: Which rule of a campaign goes first; `first` is the one that is due first.
Choose = Literal["priority", "best_value", "first"]
#: What a campaign does when the rule that goes first is used up.
WhenUsedUp = Literal["nothing", "next"]
Status = Literal["live", "shadow", "paused"]


class Absence(Struct, frozen=True):
    """Fires when `unless` does not follow `event` within the time.

    With `per`, a path of attributes such as `items.product_id`, each value waits for itself.
    """

    event: str
    unless: str
    within: timedelta
    per: str | None = None


#: What makes the server evaluate a rule: events by name, or one of the others.
Trigger = tuple[str, ...] | Absence | TraitChange | SegmentChange | Every | OnDate | DiscountLife


class Budget(Struct, frozen=True, kw_only=True):
    """The money that discounts may cost: `per_discount` is the maximum cost of one discount.

    A budget over all rules has none: there the rule of each discount declares its cost. `on_exceed` says what
    a checkout does where less is left than a code takes off: refuse the code, or grant what is left.
    """

    currency: str
    per_discount: Decimal | None = None
    daily: Decimal | None = None
    total: Decimal | None = None
    on_exceed: OnExceed = "refuse"


class Schedule(Struct, frozen=True, kw_only=True):
    """When a rule may issue, in the rule's time zone.

    `weekdays` count from Monday, 0; `hours` are [from, to) spans of the day; a span that ends before it
    starts continues past midnight and belongs to the day on which it starts. Empty means always.
    """

    weekdays: tuple[int, ...] = ()
    hours: tuple[tuple[time, time], ...] = ()
    starts_at: datetime | None = None
    ends_at: datetime | None = None


class Guardrails(Struct, frozen=True, kw_only=True):
    """The guardrails of a rule. Counts are caps; `None` means no limit.

    `per_user_limit` and `cooldown` apply to the customer and, if the event has one, to the device. The limit
    counts over the calendar's `per_user_period` or, if set, over any `per_user_window`. `more` has the values
    of guardrails without a field here, by their keys.
    """

    max_daily_redemptions: int | None = None
    max_weekly_redemptions: int | None = None
    max_total_redemptions: int | None = None
    per_user_limit: int | None = None
    per_user_period: Period = "total"
    per_user_window: timedelta | None = None
    cooldown: timedelta | None = None
    budget: Budget | None = None
    stackable: bool = False
    validity_window: timedelta | None = None
    eligible_segments: tuple[str, ...] = ()
    excluded_segments: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    schedule: Schedule | None = None
    time_zone: str = "UTC"
    more: Mapping[str, Any] = {}


class Rollout(Struct, frozen=True, kw_only=True):
    """Which qualifying customers get the discount: a share in per cent, an audience of segments, without a
    control group (in per cent of these customers) that gets nothing, so that lift can be measured.
    """

    percent: Decimal = Decimal(100)
    audience: tuple[str, ...] = ()
    control: Decimal = Decimal(0)


class Variant(Struct, frozen=True, kw_only=True):
    """One of the variants of a rule: its name, and its share in per cent of the customers served."""

    name: str
    share: Decimal


class Campaign(Struct, frozen=True, kw_only=True):
    """Rules that share limits, a budget and a control group: `guardrails` count the discounts of all of them.

    With `one_of_these` a customer gets one discount of all of them for each event, in any window of a length,
    or for ever; `choose` says which. `control` is a share of customers, in per cent, that gets none of them.
    """

    name: str
    description: str = ""
    one_of_these: timedelta | Literal["per event", "for ever"] | None = None
    choose: Choose = "priority"
    when_used_up: WhenUsedUp = "nothing"
    control: Decimal = Decimal(0)
    status: Status = "live"
    guardrails: Guardrails = Guardrails()


class Rule(Struct, frozen=True, kw_only=True):
    """One rule as its author wrote it; the compiled conditions are in the rule set.

    `conditions` is the tree of `all` / `any` / `none` groups and expression texts, for display, and `value`
    that of the action where it is computed at issue: then the action has its maximum, Infinity where it has
    no bound. An order accepts one discount of each `stacking_group`; an `exclusive` one cannot be combined.
    While a discount that `holds_back` is unused, its customer gets no other.
    A rule with a shared `code` has no trigger: it is a promotion, claimed at the checkout.
    The events of its discounts are sent to the destinations in `push`, None for all. `more_actions` are the
    benefits of its discounts after `action`, the first. Its discounts take the place of unused ones of the
    rules in `replaces`. They are for the customer whose id the event has at `to`, None for its
    own customer. A rule with `variants` is one rule for each of them, which has its `variant`; the rule
    itself has the actions of the first. `when_used_up` is what the `campaign` does
    when this rule is used up, None for what the campaign says.
    With `care` it issues nothing, and its action is worth nothing.
    """

    name: str
    trigger: Trigger
    action: Action
    description: str = ""
    conditions: Any = None
    guardrails: Guardrails = Guardrails()
    rollout: Rollout = Rollout()
    conflicts: Conflicts = "priority"
    status: Status = "live"
    priority: int = 0
    campaign: Campaign | None = None
    when_used_up: WhenUsedUp | None = None
    code_prefix: str = ""
    code_pattern: str | None = None
    code: str | None = None
    code_pool: str | None = None
    expires_in: timedelta | None = None
    expires_at: datetime | None = None
    metadata: dict[str, Any] = {}
    value: Any = None
    stacking_group: str | None = None
    exclusive: bool = False
    holds_back: bool = False
    on_refund: OnRefund = "return"
    reward_on_refund: RewardOnRefund = "revoke"
    push: tuple[str, ...] | None = None
    care: Care | None = None
    more_actions: tuple[Action, ...] = ()
    replaces: tuple[str, ...] = ()
    to: str | None = None
    variants: tuple[Variant, ...] = ()
    variant: str | None = None

    @property
    def actions(self) -> tuple[Action, ...]:
        """All benefits that its discounts have."""
        return (self.action, *self.more_actions)

    @property
    def triggers(self) -> tuple[str, ...]:
        """The names of the events that trigger the rule; empty for other triggers."""
        return self.trigger if isinstance(self.trigger, tuple) else ()
