"""The types of destinations, by name, and the destinations that the settings describe."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from adapter.destinations import core, webhook
from adapter.destinations.contract import AboutCustomers, Build, Destination, Manner
from adapter.destinations.mparticle import destination as mparticle
from adapter.destinations.segment import destination as segment
from adapter.destinations.voucherify import destination as voucherify
from adapter.model.deliveries import Recipients
from adapter.model.forwards import ForwardTo
from adapter.settings.destinations.base import DestinationSettings
from adapter.settings.destinations.core import Core
from adapter.settings.destinations.forwarding import ForwardingSettings
from adapter.settings.destinations.registry import Destinations, type_of

TYPES: dict[str, Build] = {
    mparticle.TYPE: mparticle.build,
    segment.TYPE: segment.build,
    webhook.TYPE: webhook.build,
    voucherify.TYPE: voucherify.build,
    core.TYPE: core.build,
}


class ConfiguredDestinations(Struct, frozen=True):
    """The destinations by name, how each is sent to, the events that they receive, and their HTTP `clients`.

    The clients are to be entered. `forwards` are the destinations that customers and events are forwarded to.
    """

    by_name: dict[str, Destination]
    manners: dict[str, Manner]
    recipients: Recipients
    forwards: dict[str, ForwardTo]
    client_of: dict[str, AbstractAsyncContextManager[Any]]

    @property
    def clients(self) -> tuple[AbstractAsyncContextManager[Any], ...]:
        """The clients of all destinations."""
        return tuple(self.client_of.values())


def configured(settings: Destinations) -> ConfiguredDestinations:
    """Return the destinations; they can send once their clients are entered."""
    built = {name: TYPES[type_of(each)](name, each) for name, each in settings.by_name.items()}
    destinations = {name: each.destination for name, each in built.items()}
    recipients = Recipients(
        {
            name: frozenset(each.received)
            for name, each in settings.by_name.items()
            if not isinstance(each, Core)
        },
        development=frozenset(name for name, each in settings.by_name.items() if each.development),
        of_customers=frozenset(
            name for name, each in destinations.items() if isinstance(each, AboutCustomers)
        ),
    )
    manners = {name: _manner(each) for name, each in settings.by_name.items()}
    clients = {name: each.client for name, each in built.items()}
    return ConfiguredDestinations(destinations, manners, recipients, _forwards(settings), clients)


def _manner(settings: DestinationSettings) -> Manner:
    manner = Manner(ordered=settings.keeps_order, concurrency=settings.concurrency)
    if not isinstance(settings, ForwardingSettings):
        return manner
    return replace(manner, per_minute=settings.per_minute, per_month=settings.per_month)


def _forwards(settings: Destinations) -> dict[str, ForwardTo]:
    """Return what each destination is forwarded, of those that are forwarded anything."""
    return {
        name: ForwardTo(
            customers="customers" in each.forward,
            events="events" in each.forward,
            interval=each.pause,
            anonymous=each.forward_anonymous,
            development=each.development,
        )
        for name, each in settings.by_name.items()
        if isinstance(each, ForwardingSettings) and each.forward
    }
