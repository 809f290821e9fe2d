"""A voucher as a row, under the columns from which an import makes the same."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from adapter.model.actions import Action, AmountOff, FreeShipping, PercentageOff, StoreCredit
from adapter.model.counter_key import ScopedKey
from adapter.model.encoding import encode
from adapter.model.money import from_minor_units
from adapter.model.vouchers import Voucher, spent_of, uses_of

_TYPES: dict[type[Action], str] = {AmountOff: "AMOUNT", PercentageOff: "PERCENT", FreeShipping: "SHIPPING"}


def voucher_row(voucher: Voucher, used: Mapping[ScopedKey, int]) -> dict[str, Any]:
    """Return a voucher with how often it was used, as JSON values; amounts are exact text."""
    action = voucher.action
    value = getattr(action, "value", None)
    row = {
        "code": voucher.code,
        "voucher_type": "GIFT_VOUCHER" if isinstance(action, StoreCredit) else "DISCOUNT_VOUCHER",
        "discount_type": _TYPES.get(type(action), ""),
        "value": None if value is None else _text(value),
        "currency": action.currency,
        "start_date": voucher.starts_at,
        "expiration_date": voucher.expires_at,
        "active": str(voucher.active).lower(),
        "category": voucher.category or None,
        "redemption_limit": str(voucher.limit) if voucher.limit else None,
        "redeemed_quantity": str(used.get(("", uses_of(voucher.code)), 0)),
        "balance": _balance(voucher, used),
        "stackable": str(voucher.stackable).lower(),
        "metadata": voucher.metadata,
    }
    found: dict[str, Any] = msgspec.json.decode(encode(row))
    return found


def _balance(voucher: Voucher, used: Mapping[ScopedKey, int]) -> str | None:
    action = voucher.action
    if not isinstance(action, StoreCredit) or action.currency is None:
        return None
    spent = used.get(("", spent_of(voucher.code, action.currency)), 0)
    return _text(action.value - from_minor_units(spent, action.currency))


def _text(amount: Decimal) -> str:
    return f"{amount:f}"
