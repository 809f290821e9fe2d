"""The types of destinations, by name, and the destinations that the settings describe."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from adapter.destinations.contract import AboutCustomers, Configured, Destination, DestinationClass, Manner
from adapter.destinations.core import CoreDestination
from adapter.destinations.mparticle.destination import MParticleDestination
from adapter.destinations.segment.destination import SegmentDestination
from adapter.destinations.transport import guarded_client
from adapter.destinations.voucherify.destination import VoucherifyDestination
from adapter.destinations.webhook import WebhookDestination
from adapter.model.deliveries import Recipients
from adapter.model.forwards import ForwardTo
from adapter.settings.destinations.base import DestinationSettings
from adapter.settings.destinations.core import Core
from adapter.settings.destinations.forwarding import ForwardingSettings
from adapter.settings.destinations.registry import Destinations

#: A type is one class here, and one of its settings in `adapter.settings.destinations.registry`.
TYPES: tuple[DestinationClass, ...] = (
    WebhookDestination,
    SegmentDestination,
    MParticleDestination,
    VoucherifyDestination,
    CoreDestination,
)
_BY_SETTINGS: dict[type[DestinationSettings], DestinationClass] = {each.settings_type: each for each in TYPES}


def built(name: str, settings: DestinationSettings) -> Configured:
    """Return the destination that a section of the settings describes, and its client."""
    private = settings.allow_private_addresses
    client = guarded_client(
        allow_private=private,
        allow_http=private,
        timeout=timedelta(seconds=settings.timeout_seconds),
        connections=settings.concurrency,
    )
    return Configured(_BY_SETTINGS[type(settings)](name, settings, client), client)


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
    found = {name: built(name, each) for name, each in settings.by_name.items()}
    destinations = {name: each.destination for name, each in found.items()}
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
    clients = {name: each.client for name, each in found.items()}
    return ConfiguredDestinations(destinations, manners, recipients, _forwards(settings), clients)


def _manner(settings: DestinationSettings) -> Manner:
    manner = Manner(
        ordered=settings.keeps_order,
        order_limit=settings.order_bound,
        concurrency=settings.concurrency,
        per_second=settings.per_second,
        starts_slowly=settings.starts_slowly,
    )
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
