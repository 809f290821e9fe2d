"""Pricing: an order and codes in, exact amounts out; `docs/pricing.md` is the policy.

Pure: it imports `adapter.model` and `adapter.errors` alone, and has no clock, randomness or I/O. Balances,
budgets and what is left of a redemption are arguments. Money is integers of minor units, quantities are
millionths. A new action type is one module in `effects/` with an `EFFECT`, and its name in
`effects/__init__.py`; what is exported below is what other rooms may use.
"""

from __future__ import annotations

from adapter.pricing.best import EXACT_CODES
from adapter.pricing.combining import Mode
from adapter.pricing.document_fields import MOST_LINES
from adapter.pricing.effects import EFFECTS
from adapter.pricing.errors import InvalidAction, InvalidOrder, InvalidRefund, OrderProblem
from adapter.pricing.order import ItemTest, Line, Order, ShippingLine
from adapter.pricing.outcomes import Refusal
from adapter.pricing.pricing import MOST_CODES, price, total_problem
from adapter.pricing.reading import read_order
from adapter.pricing.redemptions import Redeemed, RedeemedLine, redeemed
from adapter.pricing.refunds import Refund, ReturnedLine, roll_back, roll_back_amount
from adapter.pricing.results import CodeResult, LineResult, Pricing, Totals
from adapter.pricing.terms import Budget, Minimum, Terms, conflict, read_terms

__all__ = [
    "EFFECTS",
    "EXACT_CODES",
    "MOST_CODES",
    "MOST_LINES",
    "Budget",
    "CodeResult",
    "InvalidAction",
    "InvalidOrder",
    "InvalidRefund",
    "ItemTest",
    "Line",
    "LineResult",
    "Minimum",
    "Mode",
    "Order",
    "OrderProblem",
    "Pricing",
    "Redeemed",
    "RedeemedLine",
    "Refund",
    "Refusal",
    "ReturnedLine",
    "ShippingLine",
    "Terms",
    "Totals",
    "conflict",
    "price",
    "read_order",
    "read_terms",
    "redeemed",
    "roll_back",
    "roll_back_amount",
    "total_problem",
]  # fmt: skip
