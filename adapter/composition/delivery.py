"""What sends: the destinations, and the services that take their deliveries from the outbox."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any, Self

from msgspec import Struct

from adapter.composition.base import Base
from adapter.destinations.registry import ConfiguredDestinations, configured
from adapter.services.delivery.dispatcher import Dispatcher
from adapter.services.delivery.forwarder import Forwarder
from adapter.services.delivery.reload import DestinationsReload
from adapter.services.delivery.retries import Retries


class DeliveryServices(Struct, frozen=True, kw_only=True):
    """`dispatcher` sends the outbox, `forwarder` fills it with customers and events that are forwarded.

    `retries` are those that an operator asks for. `reload` exchanges the destinations with the settings.
    """

    destinations: ConfiguredDestinations
    dispatcher: Dispatcher
    forwarder: Forwarder
    retries: Retries
    reload: DestinationsReload

    @property
    def clients(self) -> list[AbstractAsyncContextManager[Any]]:
        """The clients of the destinations, also of those that come with a reload."""
        return [*self.destinations.clients, self.reload.clients]

    @classmethod
    def of(cls, base: Base) -> Self:
        """Build the destinations of the settings, and what sends to them."""
        store, clock = base.store, base.clock
        destinations = configured(base.settings.destinations)
        dispatcher = Dispatcher(
            store,
            destinations.by_name,
            clock,
            base.world.jitter,
            base.metrics,
            manners=destinations.manners,
        )
        by_name = partial(getattr, destinations, "by_name")
        return cls(
            destinations=destinations,
            dispatcher=dispatcher,
            forwarder=Forwarder(
                store,
                destinations.forwards,
                clock,
                base.metrics,
                new_id=base.world.new_id,
                wake=dispatcher.wake,
            ),
            retries=Retries(store, clock, dispatcher.wake, by_name, base.patience),
            reload=DestinationsReload(base.settings.destinations, destinations, dispatcher),
        )
