"""What makes the server evaluate a rule other than an event or an absence."""

from __future__ import annotations

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
