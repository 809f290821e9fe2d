"""What a type of action states; everything that rules know of it follows from this record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Generic, TypeVar

from msgspec import Struct

from adapter.files.schemas import Schema
from adapter.model.actions import ActionMembers
from adapter.rules.action_types.action_block import ActionBlock
from adapter.rules.blocks.block import Block
from adapter.rules.expressions import Names, Path
from adapter.rules.expressions.contradictions import Fact

A = TypeVar("A", bound=ActionMembers)
ZERO = Decimal(0)


class Cart(Struct, frozen=True):
    """What is known of the cart at hand, in its currency: the items' value and the price of delivery."""

    value: Decimal | None = None
    shipping: Decimal | None = None


class RuleFacts(Struct, frozen=True):
    """What lint may know of the rule: facts that its conditions require, the paths that they read, and the
    names that its trigger has.
    """

    required: Sequence[Fact]
    paths: Sequence[Path]
    names: Names


def _worth_nothing(action: ActionMembers, cart: Cart) -> Decimal:
    return ZERO


def _unbounded(action: ActionMembers) -> Decimal | None:
    return None


def _no_end(action: ActionMembers) -> datetime | None:
    return None


def _unchanged(action: A, expires_at: datetime | None) -> A:
    return action


def _no_doubt(block: Block, action: ActionMembers, facts: RuleFacts) -> None:
    pass


@dataclass(frozen=True, kw_only=True)
class ActionType(Generic[A]):
    """One type of action. What is not given holds for a type that promises no money.

    `parse` reads the type's keys of an `action` block, None where they do not check. `keys` are their JSON
    Schemas, of which one of `either` must be given, and `other_names` what people write for them. `worth` is
    what the action takes off a cart, to compare discounts, never to charge; `most` the most that it can cost,
    None where nothing bounds it: what every action may have (`max_amount`, a minimum) is considered in
    `valuation`. `money` names the type's own keys that are amounts. `describe` is read by customers. `ends`
    is an end that the action itself has, and `issued` the action with the end of its discount. `lint` warns
    of what can hardly be meant.
    """

    kind: type[A]
    parse: Callable[[ActionBlock], A | None]
    describe: Callable[[A], str]
    keys: Mapping[str, Schema]
    required: tuple[str, ...] = ()
    either: tuple[str, ...] = ()
    other_names: Mapping[str, str] = field(default_factory=dict)
    worth: Callable[[A, Cart], Decimal] = _worth_nothing
    of_shipping: bool = False
    most: Callable[[A], Decimal | None] = _unbounded
    money: tuple[str, ...] = ()
    ends: Callable[[A], datetime | None] = _no_end
    issued: Callable[[A, datetime | None], A] = _unchanged
    lint: Callable[[Block, A, RuleFacts], None] = _no_doubt

    @property
    def name(self) -> str:
        """The word under `type`."""
        return str(self.kind.__struct_config__.tag)


def in_currency(action: ActionMembers) -> str:
    """Return an action's currency as it follows an amount in a sentence."""
    return "" if action.currency is None else f" {action.currency}"
