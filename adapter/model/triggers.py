"""What makes the server evaluate a rule other than an event or an absence."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Final, Literal

from msgspec import UNSET, Struct, UnsetType

#: A value that a trait may change to or from.
Scalar = str | int | float | bool
#: The names of the events that changes are, for conditions and decisions.
TRAIT_CHANGED: Final = "trait_changed"
SEGMENT_ENTERED: Final = "segment_entered"
SEGMENT_LEFT: Final = "segment_left"


class TraitChange(Struct, frozen=True, kw_only=True):
    """Fires when a customer's trait changes; `trait` is a path such as `tier` or `loyalty.tier`.

    `to` and `before` are the new and the old value; any other one where they are not set.
    """

    trait: str
    to: Scalar | UnsetType = UNSET
    before: Scalar | UnsetType = UNSET


class SegmentChange(Struct, frozen=True, kw_only=True):
    """Fires when a customer enters a segment, or else leaves it."""

    segment: str
    entered: bool

    @property
    def event(self) -> Literal["segment_entered", "segment_left"]:
        """The name of the event."""
        return SEGMENT_ENTERED if self.entered else SEGMENT_LEFT


Change = TraitChange | SegmentChange
#: The names of the events that firings of schedules are.
SCHEDULE_DUE: Final = "schedule_due"
DATE_DUE: Final = "date_due"
#: On which days a schedule over customers fires; `day` and `weekday` (Monday is 0) say more of some.
Recurrence = Literal["day", "week", "month", "month_weekday", "quarter", "year"]


class Every(Struct, frozen=True, kw_only=True):
    """Fires for every customer of a segment at times of the calendar of a time zone.

    `day` is the day of the month, or which of its weekdays: -1 is the last. A month without the day has it on
    its last day. `late` is how late a firing may begin; None is however late.
    """

    recurrence: Recurrence
    at: time
    time_zone: str
    day: int = 1
    weekday: int = 0
    segment: str | None = None
    late: timedelta | None = None


class OnDate(Struct, frozen=True, kw_only=True):
    """Fires for each customer at a time of the day, `days` after a date of theirs, negative before it.

    `trait` is a path of the customer's. The date is an anniversary if `yearly`. `late` is as of `Every`.
    """

    trait: str
    at: time
    time_zone: str
    days: int = 0
    yearly: bool = True
    late: timedelta | None = None


Scheduled = Every | OnDate


class Firing(Struct, frozen=True):
    """One customer's part in one occurrence of a scheduled rule."""

    rule: str
    source_id: str
    due_at: datetime


#: The names of the events that a discount's life is.
DISCOUNT_UNUSED: Final = "discount_unused"
DISCOUNT_EXPIRING: Final = "discount_expiring"
#: What a rule does with a discount whose life has triggered it, in place of issuing another one.
CareKind = Literal["remind", "extend"]


class Care(Struct, frozen=True, kw_only=True):
    """A reminder of a discount, which is a push; with `extend_by` its end is moved by so much."""

    extend_by: timedelta | None = None


LIFE_EVENTS: Final = frozenset((DISCOUNT_UNUSED, DISCOUNT_EXPIRING))
#: Which discounts a trigger waits for: `any` is issued or applied.
HeldAs = Literal["issued", "applied", "any"]


class DiscountLife(Struct, frozen=True, kw_only=True):
    """Fires for a discount that was not used `unused_for` so long after its issue, or that `expires_in` it.

    One of the two is set. `of` names the rules of the discounts; without it all rules, save those that are
    triggered by the life of a discount themselves.
    """

    status: HeldAs
    unused_for: timedelta | None = None
    expires_in: timedelta | None = None
    of: tuple[str, ...] = ()

    @property
    def event(self) -> str:
        """The name of the event."""
        return DISCOUNT_EXPIRING if self.unused_for is None else DISCOUNT_UNUSED
