"""Converts between what a checkout books or takes, and rows of both engines."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from msgspec.structs import replace

from adapter.model.codes import folded
from adapter.model.encoding import encode
from adapter.model.redemptions import IN_USE, CodeUse, Redemption, Rollback, amount_of
from adapter.model.vouchers import Voucher
from adapter.store.timestamps import micros, micros_or_none
from adapter.store.values import Changes

_redemption: Callable[[bytes], Redemption] = msgspec.json.Decoder(Redemption).decode
_rollback: Callable[[bytes], Rollback] = msgspec.json.Decoder(Rollback).decode
_voucher: Callable[[bytes], Voucher] = msgspec.json.Decoder(Voucher).decode


def redemption_row(each: Redemption, owner: str) -> tuple[Any, ...]:
    """Return a redemption's columns."""
    return (
        owner,
        each.id,
        each.order_id,
        each.state,
        micros(each.at),
        micros_or_none(each.until),
        each.revision,
        encode(each),
    )


def read_redemption(source_id: str, body: bytes) -> Redemption:
    """Return a redemption, with its customer after merges."""
    found = _redemption(body)
    return found if found.source_id == source_id else replace(found, source_id=source_id)


def use_rows(each: Redemption, owner: str) -> list[tuple[Any, ...]]:
    """Return the columns of what each code of a redemption came to, with all its benefits."""
    codes: dict[str, list[CodeUse]] = {}
    for use in each.uses:
        codes.setdefault(use.code, []).append(use)
    return [
        (owner, each.id, rank, folded(code), uses[0].rule, each.currency or "", amount_of(uses),
         sum(use.returned for use in uses), each.state, micros(each.at))
        for rank, (code, uses) in enumerate(codes.items())
    ]  # fmt: skip


def order_code_rows(redemptions: Iterable[Redemption]) -> list[tuple[str, str, str, str]]:
    """Return order id, code, customer and redemption of all codes in use on orders, in key order."""
    return sorted(
        {
            (each.order_id, use.code, each.source_id, each.id)
            for each in redemptions
            if each.order_id and each.state in IN_USE
            for use in each.uses
        }
    )


def rollback_row(each: Rollback, owner: str) -> tuple[Any, ...]:
    """Return a rollback's columns."""
    return owner, each.redemption, each.number, each.id, micros(each.at), encode(each)


def read_rollback(source_id: str, body: bytes) -> Rollback:
    """Return a rollback, with its customer after merges."""
    found = _rollback(body)
    return found if found.source_id == source_id else replace(found, source_id=source_id)


def voucher_rows(vouchers: Iterable[Voucher]) -> list[tuple[str, bytes]]:
    """Return folded code and body of vouchers."""
    return [(folded(each.code), encode(each)) for each in vouchers]


def read_vouchers(bodies: Iterable[bytes]) -> dict[str, Voucher]:
    """Return vouchers by folded code."""
    found = [_voucher(body) for body in bodies]
    return {folded(each.code): each for each in found}


def pool_code_rows(changes: Changes) -> list[tuple[str, str, str, int]]:
    """Return pool, code, folded code and moment of the codes that are added to pools."""
    at = micros(changes.seen_at)
    return [(each.pool, each.code, folded(each.code), at) for each in changes.pool_codes]
