"""Codes with a worth of their own, as vouchers; and a voucher that is stored, after its code came again."""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace

from adapter.bulk.codes import Code
from adapter.bulk.entries import BadRow
from adapter.model.actions import Action, AmountOff, FreeShipping, PercentageOff, StoreCredit
from adapter.model.money import digits
from adapter.model.vouchers import Voucher

_GIFT = "GIFT_VOUCHER"
_INSTEAD = "put such codes into a pool (--pool), and let a rule say what they are worth"


def has_worth(code: Code) -> bool:
    """Return whether a row says what its code is worth."""
    return code.value is not None or code.discount_type == "SHIPPING"


def voucher_of(code: Code) -> Voucher:
    """Return the voucher of a row; raises BadRow where the row does not say what the code is worth."""
    return Voucher(
        code=code.code,
        action=_action(code),
        starts_at=code.starts_at,
        expires_at=code.expires_at,
        active=code.active is not False,
        category=code.category,
        limit=code.limit,
        # A gift card is a means of payment, which other codes do not keep from an order.
        stackable=code.voucher_type == _GIFT if code.stackable is None else code.stackable,
        metadata=code.metadata,
    )


def updated(stored: Voucher, code: Code) -> tuple[Voucher, list[str]]:
    """Return a stored voucher with what a row may change, and the columns that differ and may not.

    The worth of a code must not change under those who have it: `active` and `category` change alone.
    """
    after = replace(
        stored,
        active=stored.active if code.active is None else code.active,
        category=code.category or stored.category,
    )
    given = voucher_of(code) if has_worth(code) else None
    differs = {
        "Value": given is not None and given.action != stored.action,
        "Start Date": code.starts_at not in (None, stored.starts_at),
        "Expiration Date": code.expires_at not in (None, stored.expires_at),
        "Redemption Limit": code.limit not in (0, stored.limit),
        "stackable": code.stackable not in (None, stored.stackable),
        "metadata": bool(code.metadata) and code.metadata != stored.metadata,
    }
    return after, [name for name, is_other in differs.items() if is_other]


def described(voucher: Voucher) -> str:
    """Return what a voucher that names money is worth, for people; empty for another."""
    action = voucher.action
    if not isinstance(action, AmountOff | StoreCredit) or action.currency is None:
        return ""
    amount = f"{action.value:.{digits(action.currency)}f} {action.currency}"
    return f"{voucher.code}: {amount} {'to spend' if isinstance(action, StoreCredit) else 'off the order'}"


def _action(code: Code) -> Action:
    kind, voucher = code.discount_type, code.voucher_type
    if voucher == "LOYALTY_CARD":
        raise BadRow(f"a loyalty card has points, which are no discount: {_INSTEAD}", "Voucher Type")
    if voucher not in ("", "DISCOUNT_VOUCHER", _GIFT):
        raise BadRow(f"Voucher Type {voucher[:40]} is none that is known: {_INSTEAD}", "Voucher Type")
    if kind == "SHIPPING" and voucher != _GIFT:
        return FreeShipping()
    if code.value is None:
        raise BadRow(f"the row does not say what the code is worth: add Value, or {_INSTEAD}", "Value")
    if code.value == 0:
        raise BadRow("Value is 0: the code would take nothing off", "Value")
    if voucher == _GIFT:
        return StoreCredit(value=code.value, currency=_currency(code))
    if kind == "PERCENT":
        return PercentageOff(value=code.value)
    if kind == "AMOUNT":
        return AmountOff(value=code.value, currency=_currency(code))
    written = f"Discount Type {kind[:40]}" if kind else "an empty Discount Type"
    raise BadRow(f"{written} is none of AMOUNT, PERCENT and SHIPPING: {_INSTEAD}", "Discount Type")


def _currency(code: Code) -> str:
    if not code.currency:
        raise BadRow(
            "an amount needs a currency: name it with --currency, or in a column `currency`", "Value"
        )
    return code.currency


def spent(code: Code) -> Decimal:
    """Return how much of a gift card was spent before."""
    if code.balance is None or code.value is None:
        return Decimal(0)
    return code.value - code.balance
