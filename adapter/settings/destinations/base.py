"""The settings that every type of destination has, and how a type checks its settings."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from msgspec import Meta, Struct

from adapter.files.problems import did_you_mean
from adapter.settings import web_address
from adapter.settings.destinations.addresses import refusal
from adapter.settings.scalars import Seconds

#: The events that destinations receive.
EVENT_TYPES = (
    "discount.issued", "discount.applied", "discount.released", "discount.used", "discount.redeemed",
    "discount.expired", "discount.revoked", "discount.reminded", "discount.extended",
    "redemption.held", "redemption.created", "redemption.released",
    "redemption.rolled_back",
)  # fmt: skip

#: Those after which a customer can use other codes than before.
DISCOUNT_EVENTS = tuple(each for each in EVENT_TYPES if each.startswith("discount."))

#: 0 is no limit.
OrderLimit = Annotated[int, Meta(ge=0, le=1_000_000)]
Concurrency = Annotated[int, Meta(ge=1, le=256)]
#: 0 is no limit.
PerSecond = Annotated[int, Meta(ge=0, le=1_000_000)]

#: A setting of the section, what is wrong with it (the end of a sentence that it begins), and the remedy.
Wrong = tuple[str, str, str]


class DestinationSettings(Struct, frozen=True, kw_only=True):
    """What every type has. A type adds `type`, a `Literal` of its own name, its settings and `problems`."""

    type: str = ""
    events: tuple[str, ...] = ()
    ordered: bool = False
    order_limit: OrderLimit = 1_000
    concurrency: Concurrency = 8
    per_second: PerSecond = 0
    development: bool = False
    timeout_seconds: Seconds = 15
    allow_private_addresses: bool = False

    @property
    def received(self) -> tuple[str, ...]:
        """The types of events that the destination is given; all where there is none."""
        return self.events

    @property
    def keeps_order(self) -> bool:
        """Whether the deliveries of one customer are sent one after the other; a type may need it always."""
        return self.ordered

    @property
    def order_bound(self) -> int:
        """From how many waiting deliveries of one customer on their order is given up; 0 is never.

        A type that needs the order gives it up never.
        """
        return self.order_limit

    @property
    def starts_slowly(self) -> bool:
        """Whether a type is sent little at first after a pause, and then ever more."""
        return False

    def problems(self, name: str) -> Iterator[Wrong]:
        """Yield what is wrong beyond the types of single values; `name` is the destination's."""
        del name
        unknown = next((event for event in self.events if event not in EVENT_TYPES), None)
        if unknown is not None:
            yield "events", f"has `{unknown}`, which is no event", did_you_mean(unknown, EVENT_TYPES)


def url_problems(setting: str, url: str, *, private: bool) -> Iterator[Wrong]:
    """Yield what is wrong with the URL of a destination; it is never repeated, its path may be a secret.

    `private` allows http, and addresses of this machine and of private networks. Names are resolved when
    something is sent, and not here; only names of this machine are known.
    """
    parts = _split(url)
    if wrong := web_address.url_problem(url):
        yield setting, wrong[0], wrong[1]
    elif parts.scheme == "http" and not private:
        remedy = "write https://, or for a test set `allow_private_addresses = true`"
        yield setting, "would send discounts unencrypted", remedy
    elif reason := _forbidden(parts.hostname or "", private=private):
        allowed = not private and not _forbidden(parts.hostname or "", private=True)
        remedy = "for a receiver in your own network set `allow_private_addresses = true`"
        message = f"has {reason}, to which nothing may be sent"
        yield setting, message, remedy if allowed else "write the public address of the receiver"
    if "@" in parts.netloc:
        yield setting, "contains a user or a password", "remove them: the receiver verifies the signature"


def _forbidden(host: str, *, private: bool) -> str | None:
    """Return why nothing may be sent to a host, None where that is not known here."""
    name = host.rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return None if private else "the name of this machine"
    try:
        ip_address(name)
    except ValueError:
        return None
    return refusal(name, allow_private=private)


def variable(name: str, setting: str) -> str:
    """Return the variable of the environment that gives a setting of a destination."""
    return f"ADAPTER_DESTINATIONS_{name.upper()}_{setting.upper()}"


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:  # an unclosed bracket
        return urlsplit("")
