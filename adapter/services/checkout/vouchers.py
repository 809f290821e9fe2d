"""Vouchers as offers. Of a code that a rule shares as well, the rule decides: its file is the newer word."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

import msgspec

from adapter.model.actions import StoreCredit
from adapter.model.codes import folded
from adapter.model.discounts import DiscountRecord
from adapter.model.vouchers import Voucher
from adapter.pricing import Refusal
from adapter.services.checkout import reasons
from adapter.services.checkout.offers import Claim, Offer, SharedCodes


class WithVouchers:
    """Shared codes, with the vouchers that were read for one request, by folded code."""

    def __init__(self, shared: SharedCodes, vouchers: Mapping[str, Voucher]) -> None:
        self._shared = shared
        self._vouchers = vouchers

    def any_of(self, codes: Iterable[str]) -> bool:
        """Tell whether a code is shared by a rule, which may ask for the customer's past."""
        return self._shared.any_of(codes)

    def find(self, code: str, claim: Claim) -> Offer | Refusal | None:
        """Return what a code offers, of a rule or of a voucher."""
        found = self._shared.find(code, claim)
        if found is not None or not self._vouchers:
            return found
        voucher = self._vouchers.get(folded(code))
        return None if voucher is None else offer_of_voucher(voucher)

    def all(self, claim: Claim) -> list[tuple[str, Offer | Refusal]]:
        """Return the shared codes of rules: vouchers are for those who have the code."""
        return self._shared.all(claim)


def offer_of_voucher(voucher: Voucher) -> Offer | Refusal:
    """Return what a voucher offers, or why it offers nothing now."""
    if not voucher.active:
        return reasons.not_available(voucher.code, "it is not active")
    return Offer(
        code=voucher.code,
        action=msgspec.to_builtins(voucher.action, builtin_types=(Decimal, datetime)),
        currency=voucher.action.currency,
        starts_at=voucher.starts_at,
        expires_at=voucher.expires_at,
        stackable=voucher.stackable,
        claims=voucher.claims,
        partial=isinstance(voucher.action, StoreCredit),  # it pays what is left of it
        metadata=voucher.metadata,
    )


def unknown_codes(
    codes: Sequence[str], discounts: Mapping[str, DiscountRecord], shared: SharedCodes
) -> list[str]:
    """Return the codes that may be vouchers: neither a discount that was loaded, nor shared by a rule."""
    issued = {folded(code) for code in discounts}
    return [code for code in codes if folded(code) not in issued and not shared.any_of((code,))]
