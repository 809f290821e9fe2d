"""What the pricing room refuses, with the place and a stable code."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from adapter.errors import Refused


class OrderProblem(Struct, frozen=True):
    """One fault of an order: `path` such as `lines[2].quantity`, a stable `code`, and a sentence."""

    path: str
    code: str
    message: str


class InvalidOrder(Refused):
    """The order cannot be priced; `problems` has every fault that was found, in the order of the document."""

    code = "invalid_order"

    def __init__(self, problems: Sequence[OrderProblem]) -> None:
        super().__init__("; ".join(f"`{one.path}`: {one.message}" if one.path else one.message
                                   for one in problems))  # fmt: skip
        self.problems = tuple(problems)


class InvalidAction(Refused):
    """An action names no effect that can be priced; `path` is the member's, such as `buy.quantity`."""

    code = "invalid_action"

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"`{path}`: {message}")
        self.path = path


class InvalidRefund(Refused):
    """A redemption cannot be rolled back like this; `reason` is stable, `path` names the member at fault.

    The reasons are `invalid_quantity`, `invalid_amount`, `unknown_line`, `more_than_was_bought`,
    `more_than_was_redeemed` and `already_refunded`.
    """

    code = "invalid_refund"

    def __init__(self, reason: str, path: str, message: str) -> None:
        super().__init__(f"`{path}`: {message}" if path else message)
        self.reason = reason
        self.path = path
