"""The settings that every type of destination has, and how a type checks its settings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated, Any
from urllib.parse import SplitResult, urlsplit

from msgspec import Meta, Struct

from adapter.files.problems import did_you_mean
from adapter.settings import web_address
from adapter.settings.scalars import Seconds

#: The events that destinations receive.
EVENT_TYPES = (
    "discount.issued", "discount.applied", "discount.released", "discount.used", "discount.redeemed",
    "discount.expired", "discount.revoked", "redemption.held", "redemption.created", "redemption.released",
    "redemption.rolled_back",
)  # fmt: skip

#: Those after which a customer can use other codes than before.
DISCOUNT_EVENTS = tuple(each for each in EVENT_TYPES if each.startswith("discount."))

Concurrency = Annotated[int, Meta(ge=1, le=256)]

#: A setting of the section, what is wrong with it (the end of a sentence that it begins), and the remedy.
Wrong = tuple[str, str, str]
#: Yields what is wrong with the settings of a destination; called with its name and them.
Problems = Callable[[str, Any], Iterator[Wrong]]


class DestinationSettings(Struct, frozen=True, kw_only=True):
    """What every type has. A type adds `type`, a `Literal` of its own name, and its settings."""

    events: tuple[str, ...] = ()
    ordered: bool = False
    concurrency: Concurrency = 8
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


class DestinationType(Struct, frozen=True):
    """A type: its settings, and what is wrong with them beyond the types of single values."""

    settings: type[DestinationSettings]
    problems: Problems


def events_problems(settings: DestinationSettings) -> Iterator[Wrong]:
    """Yield what is wrong with the common settings."""
    unknown = next((event for event in settings.events if event not in EVENT_TYPES), None)
    if unknown is not None:
        yield "events", f"has `{unknown}`, which is no event", did_you_mean(unknown, EVENT_TYPES)


def url_problems(setting: str, url: str, *, allow_http: bool) -> Iterator[Wrong]:
    """Yield what is wrong with the URL of a destination; it is never repeated, its path may be a secret."""
    parts = _split(url)
    if wrong := web_address.url_problem(url):
        yield setting, wrong[0], wrong[1]
    elif parts.scheme == "http" and not allow_http:
        remedy = "write https://, or for a test set `allow_private_addresses = true`"
        yield setting, "would send discounts unencrypted", remedy
    if "@" in parts.netloc:
        yield setting, "contains a user or a password", "remove them: the receiver verifies the signature"


def variable(name: str, setting: str) -> str:
    """Return the variable of the environment that gives a setting of a destination."""
    return f"ADAPTER_DESTINATIONS_{name.upper()}_{setting.upper()}"


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:  # an unclosed bracket
        return urlsplit("")
