"""A redemption rolled back: whole, for returned units, or for an amount; every part once.

A line's price, tax, and the share that each code has of it are each spread over the line's units (see
`allocation.of_units`), so the refunds of all units sum to the whole, however they are split. Conditions are
not looked at again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from adapter.model.money import digits
from adapter.pricing.allocation import allocate, of_units
from adapter.pricing.errors import InvalidRefund
from adapter.pricing.numbers import QUANTITY_DIGITS, money, quantity, scaled
from adapter.pricing.redemptions import Redeemed, RedeemedLine, sums


class ReturnedLine(Struct, frozen=True):
    """So many units of a line that come back; None means all that are left."""

    id: str
    quantity: Decimal | str | float | None = None


class Refund(Struct, frozen=True, kw_only=True):
    """What one rollback gives back, in minor units.

    `refund` is money for the customer, `tax` of it included; `returned` goes back to each code's balance and
    budget, `units` (millionths) to balances of units. `lines` has `returned` by line id. `whole` says that
    nothing of the redemption is left: its uses come back. `after` is what is kept.
    """

    refund: int
    tax: int
    returned: Mapping[str, int]
    units: Mapping[str, int]
    lines: Mapping[str, Mapping[str, int]]
    whole: bool
    after: Redeemed


def roll_back(redemption: Redeemed, lines: Sequence[ReturnedLine] | None = None) -> Refund:
    """Return what comes back for returned lines, or for all that is left; raises InvalidRefund."""
    if redemption.whole:
        raise _again("")
    back = _all(redemption) if lines is None else _quantities(redemption, lines)
    parts = {line.id: _part(line, back[line.id]) for line in redemption.lines if line.id in back}
    after = tuple(_without(line, parts[line.id]) if line.id in parts else line for line in redemption.lines)
    shares = {name: part.shares for name, part in parts.items() if part.shares}
    taxed = sum(part.tax for part in parts.values())
    paid = sum(part.price - sum(part.shares.values()) for part in parts.values())
    kept = replace(redemption, lines=after)
    return Refund(
        refund=paid + taxed,
        tax=taxed,
        returned=sums(shares.values()),
        units=sums(part.units for part in parts.values()),
        lines=shares,
        whole=kept.whole,
        after=kept,
    )


def roll_back_amount(redemption: Redeemed, amount: Decimal | str | float) -> Refund:
    """Return an amount of what codes took, in proportion to what each has left; raises InvalidRefund.

    No money comes back with it, and what came back so is not paid out when a line is returned later. Once
    all amounts are back, so is the whole redemption, with all units that are left.
    """
    back = _money(redemption, amount)
    shares = [(at, code, share) for at, line in enumerate(redemption.lines)
              for code, share in line.shares.items() if share]  # fmt: skip
    left = sum(share for _, _, share in shares)
    if redemption.whole or left == 0:
        raise _again("amount")
    if back > left:
        message = f"{money(left, redemption.currency)} is left of what was redeemed"
        raise InvalidRefund("more_than_was_redeemed", "amount", message)
    weights = [share for _, _, share in shares]
    returned: dict[str, dict[str, int]] = {}
    for (at, code, _), part in zip(shares, allocate(back, weights, weights), strict=True):
        if part:
            returned.setdefault(redemption.lines[at].id, {})[code] = part
    whole = back == left
    after = tuple(_less(line, returned.get(line.id, {}), whole=whole) for line in redemption.lines)
    units = sums(line.units for line in redemption.lines) if whole else {}
    return Refund(refund=0, tax=0, returned=sums(returned.values()), units=units, lines=returned, whole=whole,
                  after=replace(redemption, lines=after))  # fmt: skip


def _money(redemption: Redeemed, amount: Decimal | str | float) -> int:
    found = scaled(amount, digits(redemption.currency))
    if found is None or found <= 0:
        raise InvalidRefund("invalid_amount", "amount", f"must be an amount of {redemption.currency} above 0")
    return found


def _less(line: RedeemedLine, parts: Mapping[str, int], *, whole: bool) -> RedeemedLine:
    shares = {code: share - parts.get(code, 0) for code, share in line.shares.items()}
    price = line.price - sum(parts.values())
    if whole:
        return replace(line, price=price, shares=shares, left=0, units={})
    return replace(line, price=price, shares=shares)


def _again(path: str) -> InvalidRefund:
    return InvalidRefund("already_refunded", path, "was rolled back before")


def _all(redemption: Redeemed) -> dict[str, int]:
    return {line.id: line.left for line in redemption.lines if line.left}


def _quantities(redemption: Redeemed, lines: Sequence[ReturnedLine]) -> dict[str, int]:
    """Return how many millionths of each line come back; a line may be named more than once."""
    known = {line.id: line for line in redemption.lines}
    found = dict[str, int]()
    for at, returned in enumerate(lines):
        line = known.get(returned.id)
        if line is None:
            raise InvalidRefund("unknown_line", f"lines[{at}].id", f"no line `{returned.id}` was redeemed")
        left = line.left - found.get(line.id, 0)
        units = left if returned.quantity is None else scaled(returned.quantity, QUANTITY_DIGITS)
        path = f"lines[{at}].quantity"
        if units is None or units < 0 or (units == 0 and returned.quantity is not None):
            raise InvalidRefund("invalid_quantity", path, "must be a number above 0, with at most 6 decimals")
        if units > line.bought:
            raise InvalidRefund("more_than_was_bought", path, f"{quantity(line.bought)} were bought")
        if units > left or left == 0:
            raise _again(path)
        found[line.id] = found.get(line.id, 0) + units
    return found


def _part(line: RedeemedLine, taken: int) -> RedeemedLine:
    """Return what lies on so many of a line's units."""
    price = of_units(line.price, line.left, taken)
    shares = [of_units(share, line.left, taken) for share in line.shares.values()]
    _fit(shares, list(line.shares.values()), price, line.price)
    return replace(
        line,
        left=taken,
        price=price,
        tax=of_units(line.tax, line.left, taken),
        shares={code: share for code, share in zip(line.shares, shares, strict=True) if share},
        units={code: of_units(count, line.left, taken) for code, count in line.units.items()},
    )


def _fit(parts: list[int], shares: Sequence[int], price: int, left: int) -> None:
    """Move minor units between now and later, so that neither part costs less than its codes took.

    Several codes may each put a spare minor unit on the same unit of a line.
    """
    over = sum(parts) - price
    short = (sum(shares) - sum(parts)) - (left - price)
    for at in reversed(range(len(parts))):
        moved = min(max(over, 0), parts[at])
        parts[at] -= moved
        over -= moved
    for at, share in enumerate(shares):
        moved = min(max(short, 0), share - parts[at])
        parts[at] += moved
        short -= moved


def _without(line: RedeemedLine, part: RedeemedLine) -> RedeemedLine:
    return replace(
        line,
        left=line.left - part.left,
        price=line.price - part.price,
        tax=line.tax - part.tax,
        shares={code: share - part.shares.get(code, 0) for code, share in line.shares.items()},
        units={code: count - part.units.get(code, 0) for code, count in line.units.items()},
    )
