"""What is stored of a rendered delivery: the calls to make, without what belongs to one attempt."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from typing import Any, Literal

import msgspec
from msgspec import Struct

from adapter.model.discounts import Discount
from adapter.model.encoding import encode


class Issue(Struct, frozen=True, tag="issue"):
    """Create a voucher by `path`, and publish it to the customer `source_id`.

    `publication` is the constant source_id of the publication. The voucher is ours if its metadata has this
    `discount_id`.
    """

    code: str
    discount_id: str
    path: str
    voucher: dict[str, Any]
    publication: str
    source_id: str


class Switch(Struct, frozen=True, tag="switch"):
    """Disable or enable the voucher of a code. A missing one is what `missing` says."""

    code: str
    discount_id: str
    to: Literal["disable", "enable"]
    missing: Literal["done", "dead", "retry"]


class LowerBalance(Struct, frozen=True, tag="lower_balance"):
    """Lower the balance of a gift voucher to `left` hundredths; a lower one stays."""

    code: str
    discount_id: str
    left: int


class Post(Struct, frozen=True, tag="post"):
    """One POST; `once` says that it is not repeated after it was written, whatever the answer."""

    path: str
    body: dict[str, Any]
    once: bool = False


class Refused(Struct, frozen=True, tag="refused"):
    """Nothing can be sent, with the reason."""

    reason: str


Plan = Issue | Switch | LowerBalance | Post | Refused


_plan: Callable[[bytes], Plan] = msgspec.json.Decoder(Plan).decode


def read_plan(body: bytes) -> Plan:
    """Return the plan of a delivery; raises msgspec.ValidationError for another body."""
    return _plan(body)


def discount_id(discount: Discount) -> str:
    """Return the id by which a voucher is known as that of a discount: the same for all its events.

    A code alone may be another's at Voucherify.
    """
    identity = (discount.metadata.get("rule"), discount.metadata.get("issued_for_event_id"), discount.code)
    return f"bd-{_digest(encode(identity))}"


def _digest(text: bytes) -> str:
    return blake2b(text, digest_size=16).hexdigest()
