"""`buy_x_get_y`: units that are bought make others in the same order free or cheaper."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from adapter.pricing.actions import ActionReader
from adapter.pricing.effects.contract import NO_ITEMS, Cut, EffectType, Nothing, Stage, taken
from adapter.pricing.left import Left
from adapter.pricing.numbers import MILLION
from adapter.pricing.scope import Items, Sheet

_ALL = Decimal(100)


class BuyXGetY(Struct, frozen=True):
    """`get_quantity` whole units are `percent` off for each `buy_quantity` units, the cheapest first.

    Where `buy` and `get` are the same items there is one pool, and only full groups count. Where they
    differ, a reward that is in the order in part counts in part. No unit is both.
    """

    buy_quantity: int
    get_quantity: int
    buy: Items = Items()
    get: Items = Items()
    percent: Decimal = _ALL
    names_money = False
    sensitive = True
    stage = Stage.ITEMS

    def scope(self, sheet: Sheet) -> Sequence[int]:
        """Return the items that may be the reward."""
        return sheet.lines(self.get)

    def cut(self, left: Left, balance: Decimal | None) -> Cut | Nothing:
        """Return its share of the reward units."""
        pools = _Pools(left, self.buy, self.get)
        count = self._rewards(pools)
        if self.get.max_units is not None:
            count = min(count, self.get.max_units // MILLION)
        if count == 0:
            return self._nothing(pools)
        numerator, denominator = self.percent.as_integer_ratio()
        return taken(left.portion(pools.pick(count, self._spare(pools, count))), numerator, denominator * 100)

    def _rewards(self, pools: _Pools) -> int:
        """Return how many reward units are earned: the most for which enough other units are bought."""
        if pools.are_one:
            return pools.bought // (self.buy_quantity + self.get_quantity) * self.get_quantity
        low, high = 0, pools.rewards
        while low < high:
            middle = (low + high + 1) // 2
            if self._spare(pools, middle) >= max(0, middle - pools.only_rewards):
                low = middle
            else:
                high = middle - 1
        return low

    def _spare(self, pools: _Pools, rewards: int) -> int:
        """Return how many of the bought units are free to be rewards."""
        return pools.bought - -(-rewards // self.get_quantity) * self.buy_quantity

    def _nothing(self, pools: _Pools) -> Nothing:
        missing = self.buy_quantity + (self.get_quantity if pools.are_one else 0) - pools.bought
        if missing <= 0:
            return NO_ITEMS
        return Nothing("no_effect", f"{missing} more of the items are needed", missing * MILLION)


class _Pools:
    """The whole units that can be bought, and those that can be the reward; only units that cost money."""

    def __init__(self, left: Left, buy: Items, get: Items) -> None:
        sheet = left.sheet
        self._units = [count // MILLION for count in sheet.millionths]
        there = {at for at in sheet.all_items if self._units[at] and left.amounts[at] > 0}
        triggers = there.intersection(sheet.lines(buy))
        rewards = there.intersection(sheet.lines(get))
        self.are_one = (buy.test, buy.exclude_on_sale) == (get.test, get.exclude_on_sale)
        self.bought = sum(self._units[at] for at in triggers)
        self.rewards = sum(self._units[at] for at in rewards)
        self.only_rewards = sum(self._units[at] for at in rewards - triggers)
        self._triggers = triggers
        self._sorted = left.sorted(sorted(rewards), get.prefer)

    def pick(self, count: int, spare: int) -> list[tuple[int, int]]:
        """Return so many rewards, of which at most `spare` could also have been bought, by line."""
        picked = list[tuple[int, int]]()
        for at in self._sorted:
            both = at in self._triggers
            taken_here = min(self._units[at], count, spare) if both else min(self._units[at], count)
            if taken_here > 0:
                picked.append((at, taken_here * MILLION))
                count -= taken_here
                spare -= taken_here if both else 0
        return sorted(picked)


def _read(action: ActionReader) -> BuyXGetY:
    buy, get = action.block("buy"), action.block("get")
    items = action.items("cheapest", "dearest")
    bought, rewarded = (block.block("applies_to").word("items") for block in (buy, get))
    test = buy.block("applies_to").test("items") or items.test
    same = bought == rewarded
    return BuyXGetY(
        buy.whole_units("quantity"),
        get.whole_units("quantity"),
        Items(test, items.exclude_on_sale),
        replace(items, test=test if same else get.block("applies_to").test("items") or items.test),
        get.percent("percent", _ALL),
    )


EFFECT = EffectType("buy_x_get_y", _read)
