"""The settings of a remote core: another instance, which decides the operations of this one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import Meta

from adapter.settings.destinations.base import (
    DestinationSettings,
    OrderLimit,
    Wrong,
    url_problems,
    variable,
)
from adapter.settings.scalars import Positive, Secret

Milliseconds = Annotated[int, Meta(ge=0, le=86_400_000)]


class Core(DestinationSettings, frozen=True, kw_only=True):
    """A destination of type `core`: it receives operations, not events; in order for each customer."""

    type: Literal["core"] = "core"
    url: str = ""
    token: Secret = Secret()
    wait_ms: Milliseconds = 500
    max_waiting: Positive = 1_000_000
    ordered: bool = True
    order_limit: OrderLimit = 10_000

    @property
    def keeps_order(self) -> bool:
        """Always: operations of a customer depend on those before."""
        return True

    @property
    def starts_slowly(self) -> bool:
        """Always: much may wait for a core that was away, and it decides each operation."""
        return True

    def problems(self, name: str) -> Iterator[Wrong]:
        """Yield what is wrong with the settings of a core."""
        yield from url_problems("url", self.url, private=self.allow_private_addresses)
        if self.url and self.url.rstrip("/").endswith("/evaluate"):
            remedy = "write the address of the instance, as in `https://core.example`"
            yield "url", "has the path of the call", remedy
        if self.events:
            yield "events", "has no effect, because a core receives operations", "remove it"
        if not self.ordered:
            yield "ordered", "is false, but operations of a customer depend on their order", "remove it"
        if not self.token and self.url.startswith("https:"):
            remedy = f"set {variable(name, 'token')} to one of the core's `api.evaluate_tokens`"
            yield "token", "is empty, but the core asks for a token", remedy
