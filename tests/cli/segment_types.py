"""What Segment publishes of its Public API, as far as it is called here: stand-ins check bodies and answers.

The members are those of npm's @segment/public-api-sdk-typescript 47.0.0: CreateDestinationV1Input,
CreateDestinationSubscriptionAlphaInput, DestinationV1, DestinationSubscription, PaginationOutput.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, Struct, UnsetType

T = TypeVar("T")


class _Published(Struct, forbid_unknown_fields=True, rename="camel"):
    """No member is unknown, and members without a default are required."""


class CreateDestination(_Published):
    """The body of POST /destinations."""

    source_id: str
    metadata_id: str
    settings: dict[str, Any]
    enabled: bool | UnsetType = UNSET
    name: str | UnsetType = UNSET


class CreateSubscription(_Published):
    """The body of POST /destinations/{id}/subscriptions."""

    name: str
    action_id: str
    trigger: str
    enabled: bool
    settings: dict[str, Any] | UnsetType = UNSET
    model_id: str | UnsetType = UNSET


class Metadata(Struct):
    """The id of a destination's type; the other members are not read."""

    id: str


class Destination(_Published):
    """A destination as the API answers it; confidential settings are masked."""

    id: str
    enabled: bool
    metadata: Metadata
    source_id: str
    settings: dict[str, Any]
    name: str | UnsetType = UNSET


class Subscription(_Published):
    """A subscription as the API answers it."""

    id: str
    name: str
    action_id: str
    action_slug: str
    destination_id: str
    enabled: bool
    settings: dict[str, Any]
    trigger: str
    model_id: str | UnsetType = UNSET


class Pagination(_Published):
    """The cursors of a page."""

    current: str
    next: str | UnsetType | None = UNSET
    previous: str | UnsetType | None = UNSET
    total_entries: int | UnsetType = UNSET


class Subscriptions(_Published):
    """A page of subscriptions."""

    subscriptions: list[Subscription]
    pagination: Pagination | UnsetType = UNSET


class DestinationAnswer(_Published):
    """The data of GET /destinations/{id}."""

    destination: Destination


def expect(kind: type[T], value: Any) -> T:
    """Return a value as its published type; raises ValidationError where it is another."""
    return msgspec.convert(value, kind, strict=True)
