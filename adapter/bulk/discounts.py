"""Rows of issued discounts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from adapter.bulk.cells import BadCell, boolean, moment, number, plain_number
from adapter.bulk.columns import EMPTY, Columns, as_object, put
from adapter.bulk.entries import BadRow, Reading, checked_id
from adapter.bulk.kinds import DISCOUNTS
from adapter.bulk.records import Record
from adapter.model.actions import Action
from adapter.model.discounts import Discount, DiscountRecord
from adapter.model.ids import MAX_ID
from adapter.model.times import CLOCK_SKEW, parse_timestamp

_STATUSES = ("issued", "applied", "redeemed", "expired", "revoked")
#: Types as Voucherify writes them.
_TYPES = {"amount": "amount_off", "percent": "percentage_off", "shipping": "free_shipping"}
_MOST_CODE = 100


class DiscountRows:
    """Reads issued discounts from records, without their counters."""

    def __init__(self, reading: Reading, renamed: Mapping[str, str] | None = None) -> None:
        self._reading = reading
        self.columns = Columns(DISCOUNTS, reading.cells, {}, renamed=renamed)

    def discount(self, record: Record) -> DiscountRecord:
        """Return the discount of a record; raises BadRow."""
        plain: dict[str, Any] = {}
        action: dict[str, Any] = {}
        metadata: dict[str, Any] = {}
        for target, found, name in self.columns.values(record):
            if found is EMPTY:
                continue
            if target.root == "action":
                if len(target.path) > 1:
                    put(action, target.path[1:], found, target.index)
                else:
                    action.update(self._action(found, name))
            elif target.root == "metadata":
                if len(target.path) > 1:
                    put(metadata, target.path[1:], found, target.index)
                else:
                    metadata.update(as_object(found, name))
            else:
                plain[target.root] = found
        try:
            return self._stored(plain) if "record" in plain else self._read(plain, action, metadata)
        except BadCell as error:
            raise BadRow(str(error)) from None

    def _action(self, found: Any, name: str) -> dict[str, Any]:
        if isinstance(found, str) and found.lstrip().startswith("{"):
            try:
                found = msgspec.json.decode(found)
            except msgspec.DecodeError:
                raise BadRow("action is not JSON", name) from None
        return {"type": found} if isinstance(found, str) else as_object(found, name)

    def _stored(self, plain: dict[str, Any]) -> DiscountRecord:
        found = plain["record"]
        try:
            raw = found.encode() if isinstance(found, str) else msgspec.json.encode(found)
            record = msgspec.json.decode(raw, type=DiscountRecord)
        except (msgspec.MsgspecError, UnicodeError) as error:
            raise BadRow(f"record is not what an export wrote: {error}", "record") from None
        _expect_code(record.discount.code)
        checked_id(record.source_id, "source_id", self._reading.is_placeholder)
        _expect_plain(record.rule, record.event_id)
        return record

    def _read(
        self, plain: dict[str, Any], action: dict[str, Any], metadata: dict[str, Any]
    ) -> DiscountRecord:
        code = str(plain.get("code", "")).strip()
        _expect_code(code)
        source_id = checked_id(plain.get("source_id"), "source_id", self._reading.is_placeholder)
        default = self._reading.as_of or self._reading.now
        issued_at = self._moment(plain.get("issued_at"), "issued_at") or default
        moved_at = self._moment(plain.get("moved_at"), "moved_at") or issued_at
        expires_at = self._moment(plain.get("expires_at"), "expires_at", future=True)
        status = str(plain.get("status", "issued")).strip().lower()
        if status not in _STATUSES:
            raise BadRow(f"status `{status[:20]}` is none of {', '.join(_STATUSES)}", "status")
        if status in {"issued", "applied"} and expires_at is not None and expires_at <= self._reading.now:
            status = "expired"
        rule, event_id = str(plain.get("rule", "")), str(plain.get("event_id", ""))
        _expect_plain(rule, event_id)
        members = {"rule": rule, "issued_for_event_id": event_id, "user_id": source_id, **metadata}
        discount = Discount(
            code,
            self._built(plain, action),
            expires_at,
            members,
            boolean(str(plain.get("stackable", "false")), "stackable"),
            status,  # type: ignore[arg-type]
        )
        order_id, reason = plain.get("order_id"), plain.get("reason")
        return DiscountRecord(
            discount, source_id, rule, event_id, issued_at, moved_at,
            order_id=None if order_id is None else str(order_id),
            reason=None if reason is None else str(reason),
        )  # fmt: skip

    def _built(self, plain: dict[str, Any], action: dict[str, Any]) -> Action:
        kind = str(action.get("type", plain.get("type", ""))).strip().lower()
        action = {**action, "type": _TYPES.get(kind, kind)}
        if "value" in plain:
            action["value"] = plain_number(number(str(plain["value"]), self._reading.cells))
        if "currency" in plain:
            action["currency"] = plain["currency"]
        for name in ("max_amount", "min_cart_value", "value", "left"):
            if isinstance(action.get(name), str):
                action[name] = plain_number(number(action[name], self._reading.cells, name))
        try:
            found: Action = msgspec.convert(action, Action, strict=False)
        except msgspec.ValidationError as error:
            raise BadRow(f"the action cannot be read: {error}", "action") from None
        return found

    def _moment(self, found: Any, name: str, *, future: bool = False) -> datetime | None:
        if found is None:
            return None
        text = isinstance(found, str)
        at = moment(found, self._reading.cells, end_of_day=future) if text else parse_timestamp(found)
        if at is None:
            raise BadRow(f"{name} is not a time", name)
        if not future and at > self._reading.now + CLOCK_SKEW:
            raise BadRow(f"{name} {at:%Y-%m-%d} lies in the future", name)
        return at


def _expect_code(code: str) -> None:
    if not code or len(code) > _MOST_CODE or not code.isprintable():
        raise BadRow("code is empty, or has more than 100 characters or some that cannot be printed", "code")


def _expect_plain(rule: str, event_id: str) -> None:
    for name, each in (("rule", rule), ("event_id", event_id)):
        if "\0" in each or len(each) > MAX_ID:
            raise BadRow(f"{name} is longer than {MAX_ID} characters, or holds NUL", name)
