"""The settings of a project at Voucherify."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from adapter.settings.destinations.base import (
    Wrong,
    url_problems,
    variable,
)
from adapter.settings.destinations.forwarding import ForwardingSettings
from adapter.settings.scalars import Secret

#: The hosts of the regions (https://docs.voucherify.io/guides/api-overview); the default there is eu1.
HOSTS = {
    "eu1": "https://api.voucherify.io",
    "us1": "https://us1.api.voucherify.io",
    "as1": "https://as1.api.voucherify.io",
}
#: The events that have a meaning there.
EVENTS = (
    "discount.issued", "discount.released", "discount.used", "discount.redeemed", "discount.expired",
    "discount.revoked",
)  # fmt: skip


class Voucherify(ForwardingSettings, frozen=True, kw_only=True):
    """A destination of type `voucherify`."""

    type: Literal["voucherify"] = "voucherify"
    region: Literal["eu1", "us1", "as1"] = "eu1"
    url: str = ""
    application_id: str = ""
    token: Secret = Secret()
    events: tuple[str, ...] = EVENTS
    ordered: bool = True
    campaign: str = ""
    campaigns: Mapping[str, str] = {}
    products: Mapping[str, str] = {}
    event_delivery: Literal["at_least_once", "at_most_once"] = "at_least_once"

    @property
    def order_bound(self) -> int:
        """Never: a code could be enabled after it was revoked."""
        return 0

    @property
    def address(self) -> str:
        """The URL of the API: that of the region, or of a dedicated host."""
        return self.url or HOSTS[self.region]

    def problems(self, name: str) -> Iterator[Wrong]:
        """Yield what is wrong with the settings of a project."""
        yield from super().problems(name)
        if self.url:
            yield from url_problems("url", self.url, private=self.allow_private_addresses)
        if not self.application_id:
            yield "application_id", "is empty", "write the application id of the project's server-side key"
        if not self.token:
            yield (
                "token",
                "is empty",
                f"set {variable(name, 'token')} to the secret of the project's server-side key",
            )
        none = next((each for each in self.events if each not in EVENTS), None)
        if none is not None:
            yield (
                "events",
                f"has `{none}`, which Voucherify has nothing like",
                f"write some of {', '.join(EVENTS)}",
            )
        if "discount.released" in self.events and not self.ordered:
            remedy = "remove `discount.released` from `events`: out of order it could enable a revoked code"
            yield "ordered", "is false", remedy
