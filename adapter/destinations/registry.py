"""The types of destinations, by name, and the destinations that the settings describe."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Any

from msgspec import Struct

from adapter.destinations import webhook
from adapter.destinations.contract import Build, Destination
from adapter.model.deliveries import Recipients
from adapter.settings.values import Destinations

TYPES: dict[str, Build] = {
    webhook.TYPE: webhook.build,
}


class ConfiguredDestinations(Struct, frozen=True):
    """The destinations by name, the events that they receive, and their HTTP `clients`, to be entered."""

    by_name: dict[str, Destination]
    recipients: Recipients
    clients: tuple[AbstractAsyncContextManager[Any], ...]


def configured(settings: Destinations) -> ConfiguredDestinations:
    """Return the destinations; they can send once their clients are entered."""
    built = {name: TYPES[each.type](name, each) for name, each in settings.by_name.items()}
    destinations = {name: each.destination for name, each in built.items()}
    recipients = Recipients({name: frozenset(each.events) for name, each in settings.by_name.items()})
    return ConfiguredDestinations(destinations, recipients, tuple(each.client for each in built.values()))
