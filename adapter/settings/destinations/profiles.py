"""The settings of types that keep the codes of a customer on their profile."""

from __future__ import annotations

from adapter.settings.destinations.base import DISCOUNT_EVENTS, DestinationSettings


class ProfileSettings(DestinationSettings, frozen=True, kw_only=True):
    """Whether the codes that a customer can use are kept on their `profile`."""

    profile: bool = False

    @property
    def received(self) -> tuple[str, ...]:
        """The `events`, and those after which a profile has other codes."""
        return (*self.events, *DISCOUNT_EVENTS) if self.events and self.profile else self.events

    @property
    def keeps_order(self) -> bool:
        """Whether the deliveries of one customer keep their order: an older profile follows no newer one."""
        return self.ordered or self.profile

    @property
    def order_bound(self) -> int:
        """Never with a profile."""
        return 0 if self.profile else self.order_limit
