"""The event: the atomic input that rules react to."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import Struct


class User(Struct, frozen=True, omit_defaults=True):
    """The acting user; `id` is the customer's source_id."""

    id: str | None = None
    email: str | None = None
    device_id: str | None = None
    session_id: str | None = None
    anonymous_id: str | None = None


class Event(Struct, frozen=True):
    """An action of a customer, field for field as in the data model."""

    id: str
    name: str
    occurred_at: datetime
    user: User
    attributes: dict[str, Any]
    context: dict[str, Any]
