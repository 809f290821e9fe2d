"""Rows of codes: a list, or Voucherify's templates of coupons, gift cards, loyalty and referral codes."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from typing import Any

from msgspec import Struct

from adapter.bulk.cells import BadCell, CellOptions, boolean, moment, number
from adapter.bulk.columns import EMPTY, Columns
from adapter.bulk.entries import BadRow
from adapter.bulk.kinds import CODES
from adapter.bulk.records import Record
from adapter.model.imports import ImportOptions
from adapter.model.money import digits

#: Of other characters the stores have no index of spellings.
_CODE = re.compile(r"[!-~]{1,100}")


class Code(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A code with what its row says: `value` is per cent or an amount, `limit` 0 is no limit of uses."""

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
                metadata[".".join(target.path[1:])] = found
            else:
                plain[target.root] = found
        try:
            return self._read(plain, metadata)
        except BadCell as error:
            raise BadRow(str(error)) from None

    def _read(self, plain: dict[str, Any], metadata: dict[str, Any]) -> Code:
        code = str(plain.get("code", "")).strip()
        if not code:
            raise BadRow("code is empty", "code")
        if _CODE.fullmatch(code) is None:
            raise BadRow("code has more than 100 characters, or others than ASCII without blanks", "code")
        kind = str(plain.get("type", "")).strip().upper()
        voucher = str(plain.get("voucher_type", "")).strip().upper()
        amount = next(
            (plain[name] for name in ("value", "gift_amount", "loyalty_points") if name in plain), None
        )
        value = None if amount is None else self._value(str(amount), kind)
        limit = self._count(plain.get("limit"), "Redemption Limit")
        if limit == 0:
            raise BadRow("Redemption Limit 0: leave it empty for no limit", "Redemption Limit")
        return Code(
            code=code,
            voucher_type=voucher,
            discount_type=kind,
            value=value,
            currency=str(plain.get("currency", self._options.currency)),
            starts_at=self._moment(plain.get("starts_at")),
            expires_at=self._moment(plain.get("expires_at"), end_of_day=True),
            active=None if "active" not in plain else boolean(str(plain["active"]), "Active"),
            category=str(plain.get("category", "")),
            limit=limit or 0,
            redeemed=self._count(plain.get("redeemed"), "Redeemed Quantity") or 0,
            metadata=metadata,
        )

    def _value(self, text: str, kind: str) -> Decimal:
        value = number(text, self._cells)
        if value < 0:
            raise BadRow(f"Value {value} is negative", "Value")
        if kind == "PERCENT" and value > 100:
            raise BadRow(f"Value is {value} percent, and a discount has 100 at most", "Value")
        currency = self._options.currency
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
