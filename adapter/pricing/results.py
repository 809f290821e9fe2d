"""What an order costs with its codes, in minor units, and the same as a document with decimal text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from msgspec import Struct

from adapter.model.codes import benefit_of, code_of
from adapter.pricing.effects.contract import Suggestion
from adapter.pricing.numbers import money, quantity
from adapter.pricing.outcomes import Refusal


class CodeResult(Struct, frozen=True, kw_only=True):
    """What one code takes off, or pays: `amount`, and by line id the parts that sum to it.

    `units` are millionths of free units by line id, of a code that spends units. Without an effect `refusal`
    says why.
    """

    code: str
    amount: int = 0
    is_credit: bool = False
    lines: Mapping[str, int] = {}
    units: Mapping[str, int] = {}
    refusal: Refusal | None = None
    suggested: Suggestion | None = None


class LineResult(Struct, frozen=True, kw_only=True):
    """One line, of items or of shipping. `after` is `before` less discount and credit.

    `tax` is on top of `after`, or inside `before` less discount where prices include it; None where no line
    of the order names a rate.
    """

    id: str
    shipping: bool
    millionths: int
    before: int
    discount: int
    credit: int
    after: int
    tax: int | None = None


class Totals(Struct, frozen=True, kw_only=True):
    """Sums over the order. `items` and `shipping` are before any code; `tax` is after discounts.

    `tax` is None where no line names a rate. `due` is what is left to pay; `due_before` what it would be
    without codes.
    """

    items: int
    shipping: int
    items_after: int
    shipping_after: int
    discount: int
    credit: int
    tax: int | None
    due: int
    due_before: int


class Pricing(Struct, frozen=True, kw_only=True):
    """An order with its codes, these in the order in which they were applied."""

    currency: str
    prices_include_tax: bool
    codes: tuple[CodeResult, ...]
    lines: tuple[LineResult, ...]
    totals: Totals

    @property
    def refusal(self) -> tuple[str, Refusal] | None:
        """Why these codes cannot be redeemed together, None where they can.

        One rejected code refuses all; codes without an effect only where no code has one. A code is refused
        where all of its benefits are.
        """
        codes = self.by_code()
        refused = [(code_of(own[0].code), why) for own in codes if (why := _refused(own)) is not None]
        for code, refusal in refused:
            if refusal.kind == "rejected":
                return code, refusal
        return refused[0] if refused and len(refused) == len(codes) else None

    def by_code(self) -> list[list[CodeResult]]:
        """Return what the benefits of each code come to: of most codes it is one.

        A code that is given twice is there twice.
        """
        found: list[list[CodeResult]] = []
        first: dict[str, list[CodeResult]] = {}
        for one in self.codes:
            own = first.setdefault(code_of(one.code), [])
            if any(other.code == one.code for other in own):
                found.append([one])
                continue
            if not own:
                found.append(own)
            own.append(one)
        return found

    def document(self) -> dict[str, Any]:
        """Return it as JSON objects; amounts are text with the currency's digits."""
        totals = {name: None if amount is None else money(amount, self.currency)
                  for name, amount in _members(self.totals).items()}  # fmt: skip
        if self.totals.tax is None:
            del totals["tax"]
        return {
            "currency": self.currency,
            "codes": [self._benefits(own) for own in self.by_code()],
            "lines": [self._line(one) for one in self.lines],
            "totals": totals,
            "suggested_items": [_item(one.code, one.suggested) for one in self.codes if one.suggested],
        }

    def _benefits(self, own: list[CodeResult]) -> dict[str, Any]:
        """Return what a code comes to; of several benefits the sums, and each of them in `benefits`."""
        if len(own) == 1 and not benefit_of(own[0].code):
            return self._code(own[0])
        refusal = _refused(own)
        taking = [one for one in own if one.refusal is None]
        whole = CodeResult(
            code=code_of(own[0].code),
            amount=sum(one.amount for one in own),
            is_credit=bool(taking) and all(one.is_credit for one in taking),
            lines=_sums(one.lines for one in own),
            units=_sums(one.units for one in own),
            refusal=refusal,
        )
        benefits = [{"benefit": benefit_of(one.code), **self._code(one)} for one in own]
        for benefit in benefits:
            del benefit["code"]
        return {**self._code(whole), "benefits": benefits}

    def _code(self, one: CodeResult) -> dict[str, Any]:
        status: Literal["applied", "rejected", "no_effect"] = "applied"
        found: dict[str, Any] = {
            "code": code_of(one.code),
            "status": one.refusal.kind if one.refusal else status,
            "amount": money(one.amount, self.currency),
            "kind": "credit" if one.is_credit else "discount",
            "lines": {name: money(amount, self.currency) for name, amount in one.lines.items()},
        }
        if one.units:
            found["units"] = {name: str(quantity(count)) for name, count in one.units.items()}
        return found | (self._reason(one.refusal) if one.refusal else {})

    def _reason(self, refusal: Refusal) -> dict[str, Any]:
        found: dict[str, Any] = {"reason": refusal.reason, "message": refusal.message}
        if refusal.missing_amount is not None:
            found["missing"] = {"amount": money(refusal.missing_amount, self.currency)}
        if refusal.missing_units is not None:
            found["missing"] = {"units": str(quantity(refusal.missing_units))}
        return found | ({"other": refusal.other} if refusal.other else {})

    def _line(self, line: LineResult) -> dict[str, Any]:
        amounts = {
            "before": line.before,
            "discount": line.discount,
            "credit": line.credit,
            "after": line.after,
        }
        if line.tax is not None:
            amounts["tax"] = line.tax
        return {"id": line.id} | {name: money(amount, self.currency) for name, amount in amounts.items()}


def _members(totals: Totals) -> dict[str, int | None]:
    return {name: getattr(totals, name) for name in totals.__struct_fields__}


def _refused(own: Sequence[CodeResult]) -> Refusal | None:
    """Return why no benefit of a code has an effect: rejections come first."""
    refusals = [one.refusal for one in own if one.refusal is not None]
    if len(refusals) < len(own):
        return None
    return next((each for each in refusals if each.kind == "rejected"), refusals[0])


def _sums(each: Iterable[Mapping[str, int]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for amounts in each:
        for name, amount in amounts.items():
            found[name] = found.get(name, 0) + amount
    return found


def _item(code: str, item: Suggestion) -> dict[str, Any]:
    named = {"sku": item.sku, "product_id": item.product_id}
    return {"code": code_of(code), "quantity": str(quantity(item.millionths))} | {
        name: value for name, value in named.items() if value is not None
    }
