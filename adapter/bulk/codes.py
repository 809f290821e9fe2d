"""Rows of codes: a list, or Voucherify's templates of coupons, gift cards, loyalty and referral codes."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from typing import Any

from msgspec import Struct

from adapter.bulk.cells import BadCell, CellOptions, boolean, moment, number
from adapter.bulk.columns import EMPTY, Columns, as_object, put
from adapter.bulk.entries import BadRow
from adapter.bulk.kinds import CODES
from adapter.bulk.records import Record
from adapter.model.imports import ImportOptions
from adapter.model.money import digits

#: Of other characters the stores have no index of spellings.
_CODE = re.compile(r"[!-~]{1,100}")
_CURRENCY = re.compile(r"[A-Z]{3}")
#: Columns that say what a code is worth, the surest first, and the type of voucher that has them.
_WORTH = {"value": "", "gift_amount": "GIFT_VOUCHER", "loyalty_points": "LOYALTY_CARD"}


class Code(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A code with what its row says: `value` is per cent or an amount, `limit` 0 is no limit of uses.

    `balance` is what is left of a gift card.
    """

    code: str
    voucher_type: str = ""
    discount_type: str = ""
    value: Decimal | None = None
    currency: str = ""
    starts_at: datetime | None = None
    expires_at: datetime | None = None
    active: bool | None = None
    category: str = ""
    limit: int = 0
    redeemed: int = 0
    balance: Decimal | None = None
    stackable: bool | None = None
    metadata: dict[str, Any] = {}


class CodeRows:
    """Reads codes from records."""

    def __init__(self, now: datetime, cells: CellOptions, options: ImportOptions) -> None:
        self._now = now
        self._cells = cells
        self._options = options
        self.columns = Columns(CODES, cells, {}, renamed=options.columns or None)

    def code(self, record: Record) -> Code:
        """Return the code of a record; raises BadRow."""
        plain: dict[str, Any] = {}
        metadata: dict[str, Any] = {}
        for target, found, _ in self.columns.values(record):
            if found is EMPTY:
                continue
            if target.root == "metadata":
                if len(target.path) > 1:
                    put(metadata, target.path[1:], found, target.index)
                else:
                    metadata.update(as_object(found, "metadata"))
            else:
                plain[target.root] = found
        try:
            return self._read(plain, metadata)
        except BadCell as error:
            raise BadRow(str(error)) from None

    def _read(self, plain: dict[str, Any], metadata: dict[str, Any]) -> Code:
        if "person" in plain and not self._options.pool:
            raise BadRow("the row names a person, and vouchers have no customer: import it as a discount")
        code = str(plain.get("code", "")).strip()
        if not code:
            raise BadRow("code is empty", "code")
        if _CODE.fullmatch(code) is None:
            raise BadRow("code has more than 100 characters, or others than ASCII without blanks", "code")
        kind = str(plain.get("type", "")).strip().upper()
        voucher = str(plain.get("voucher_type", "")).strip().upper()
        worth = next((name for name in _WORTH if name in plain), None)
        currency = self._currency(plain.get("currency"))
        value = None if worth is None else self._value(str(plain[worth]), kind, currency)
        limit = self._count(plain.get("limit"), "Redemption Limit")
        if limit == 0:
            raise BadRow("Redemption Limit 0: leave it empty for no limit", "Redemption Limit")
        return Code(
            code=code,
            voucher_type=voucher or _WORTH.get(worth or "", ""),
            discount_type=kind,
            value=value,
            currency=currency,
            starts_at=self._moment(plain.get("starts_at")),
            expires_at=self._moment(plain.get("expires_at"), end_of_day=True),
            active=_boolean(plain.get("active"), "Active"),
            category=str(plain.get("category", "")),
            limit=limit or 0,
            redeemed=self._count(plain.get("redeemed"), "Redeemed Quantity") or 0,
            balance=self._balance(plain.get("balance"), value, currency),
            stackable=_boolean(plain.get("stackable"), "stackable"),
            metadata=metadata,
        )

    def _currency(self, found: Any) -> str:
        currency = self._options.currency if found is None else str(found).strip().upper()
        if currency and _CURRENCY.fullmatch(currency) is None:
            raise BadRow(f"currency `{currency[:20]}` has not three letters", "currency")
        return currency

    def _balance(self, found: Any, value: Decimal | None, currency: str) -> Decimal | None:
        if found is None or value is None:
            return None
        balance = self._value(str(found), "", currency)
        if balance > value:
            raise BadRow(f"balance {balance} is more than the value {value}", "balance")
        return balance

    def _value(self, text: str, kind: str, currency: str) -> Decimal:
        value = number(text, self._cells)
        if value < 0:
            raise BadRow(f"Value {value} is negative", "Value")
        if kind == "PERCENT" and value > 100:
            raise BadRow(f"Value is {value} percent, and a discount has 100 at most", "Value")
        if kind != "PERCENT" and currency:
            if self._options.money == "minor":
                return value.scaleb(-digits(currency))
            exponent = value.normalize().as_tuple().exponent
            if isinstance(exponent, int) and -exponent > digits(currency):
                raise BadRow(f"Value {value} has more digits than {currency}", "Value")
        return value

    def _count(self, found: Any, what: str) -> int | None:
        if found is None:
            return None
        value = number(str(found), self._cells, what)
        if value < 0 or value != value.to_integral_value():
            raise BadRow(f"{what} {value} is not a whole number", what)
        return int(value)

    def _moment(self, found: Any, *, end_of_day: bool = False) -> datetime | None:
        return None if found is None else moment(str(found), self._cells, end_of_day=end_of_day)


def _boolean(found: Any, what: str) -> bool | None:
    return None if found is None else boolean(str(found), what)
