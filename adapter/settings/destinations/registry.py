"""The types of destinations by name, and the destinations that the settings name.

A module of a type's name in `adapter.destinations` sends to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct

from adapter.settings.destinations.base import DestinationSettings, Wrong
from adapter.settings.destinations.core import Core
from adapter.settings.destinations.mparticle import MParticle
from adapter.settings.destinations.segment import Segment
from adapter.settings.destinations.voucherify import Voucherify
from adapter.settings.destinations.webhook import Webhook

#: The first is what an unknown type is read as.
_TYPES: tuple[type[DestinationSettings], ...] = (Webhook, Segment, MParticle, Voucherify, Core)
DESTINATION_TYPES = {each().type: each for each in _TYPES}


class Destinations(Struct, frozen=True):
    """Where events are sent: `webhook`, off while its `url` is empty, and those that the file names."""

    webhook: Webhook = Webhook()
    named: Mapping[str, DestinationSettings] = {}

    @property
    def by_name(self) -> dict[str, DestinationSettings]:
        """The destinations that are in use."""
        return {**({"webhook": self.webhook} if self.webhook.url else {}), **self.named}

    @property
    def core(self) -> tuple[str, Core] | None:
        """The remote core and its name, where there is one: then this process decides nothing itself."""
        return next(((name, each) for name, each in self.by_name.items() if isinstance(each, Core)), None)

    @property
    def names(self) -> frozenset[str]:
        """The names that rules may use, of destinations that are off too."""
        return frozenset(("webhook", *self.named))


def problems(destinations: Destinations) -> Iterator[tuple[str, Wrong]]:
    """Yield what is wrong with the destinations that are in use, each with the destination's name."""
    for name, settings in destinations.by_name.items():
        for wrong in settings.problems(name):
            yield name, wrong
