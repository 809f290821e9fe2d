"""A code as it is priced: its effect and everything that bounds, orders or excludes it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal, Protocol, get_args

from msgspec import Struct

from adapter.model.codes import code_of
from adapter.pricing.actions import ActionReader, CompileTest
from adapter.pricing.effects import EFFECTS
from adapter.pricing.effects.contract import Effect
from adapter.pricing.order import ItemTest

#: What a minimum is compared with: all items at their prices, all items after the codes that come earlier,
#: or the lines that the code may take from, at their prices.
Basis = Literal["items_before", "items_after_earlier", "scope_before"]


class Minimum(Struct, frozen=True):
    """An amount that the order must reach; equal is enough. Items that `excludes` holds for do not count."""

    amount: Decimal
    basis: Basis = "items_before"
    excludes: ItemTest | None = None


class Budget(Struct, frozen=True):
    """What is left of a budget, in money; with `partial` a code that wants more gets what is left."""

    left: Decimal
    currency: str | None = None
    partial: bool = False


class Terms(Struct, frozen=True, kw_only=True):
    """One code with its effect; `code` is a `benefit_key` where it is one benefit of several.

    `currency` is that of its amounts; None takes the order's. `balance` is what remains of a value that is
    spent in parts (store credit, units), None where nothing was spent. `budgets` are keys of the budgets
    that what it takes is charged to.
    """

    code: str
    effect: Effect
    currency: str | None = None
    max_amount: Decimal | None = None
    minimum: Minimum | None = None
    balance: Decimal | None = None
    budgets: tuple[str, ...] = ()
    priority: int = 0
    stackable: bool = True
    stacking_group: str | None = None
    exclusive: bool = False

    @property
    def names_money(self) -> bool:
        """Whether an amount of money is among its terms: then it needs a currency."""
        return self.effect.names_money or self.max_amount is not None or self.minimum is not None


class Stacking(Protocol):
    """What says whether a code may be used beside others."""

    @property
    def code(self) -> str:
        """The code, or one of its benefits."""
        ...

    @property
    def stackable(self) -> bool:
        """False where it is used alone."""
        ...

    @property
    def stacking_group(self) -> str | None:
        """Of a group one code is used."""
        ...

    @property
    def exclusive(self) -> bool:
        """True where no other code is used."""
        ...


def conflict(one: Stacking, other: Stacking) -> bool:
    """Tell whether two codes may not be used on the same order; the benefits of one code always may."""
    if code_of(one.code) == code_of(other.code):
        return False
    if one.exclusive or other.exclusive or not (one.stackable and other.stackable):
        return True
    return one.stacking_group is not None and one.stacking_group == other.stacking_group


def read_terms(
    code: str, action: Mapping[str, Any], compile_test: CompileTest, *, path: str = "action"
) -> Terms:
    """Return the terms that an action states; `compile_test` makes a test of a condition over `item`.

    Read are the action type's own members, and of every type `currency`, `max_amount`, `min_cart_value`,
    `min_basis` and `min_excludes`. What is not in the action (balance, budgets, priority, stacking) is set
    with `msgspec.structs.replace`. Raises InvalidAction.
    """
    reader = ActionReader(action, compile_test, path)
    kind = EFFECTS.get(reader.word("type") or "")
    if kind is None:
        raise reader.refuse("type", f"must be one of {', '.join(EFFECTS)}")
    return Terms(
        code=code,
        effect=kind.read(reader),
        currency=reader.word("currency"),
        max_amount=reader.number_or_none("max_amount"),
        minimum=_minimum(reader),
    )


def _minimum(reader: ActionReader) -> Minimum | None:
    amount = reader.number_or_none("min_cart_value")
    chosen = reader.choice("min_basis", *get_args(Basis))
    [basis] = [one for one in get_args(Basis) if one == chosen]
    excludes = reader.test("min_excludes")
    return None if amount is None else Minimum(amount, basis, excludes)
