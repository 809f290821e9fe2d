"""Which lines of shipping an effect takes from, and what the three shipping effects share."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from adapter.pricing.actions import ActionReader
from adapter.pricing.effects.contract import Stage
from adapter.pricing.order import ShippingLine
from adapter.pricing.scope import Sheet


class Shipping(Struct, frozen=True):
    """Lines of these service levels and of these regions or countries; all where a list is empty.

    Names are compared without regard to capitals.
    """

    service_levels: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether it takes from all lines of shipping of every order."""
        return not self.service_levels and not self.regions

    def lines(self, sheet: Sheet) -> list[int]:
        """Return the places of the lines."""
        return sheet.shipping(self.takes)

    def takes(self, line: ShippingLine) -> bool:
        """Tell whether a line is among them."""
        named = (line.region, line.country)
        return _among(self.service_levels, line.service_level) and (
            not self.regions or any(_among(self.regions, name) for name in named if name)
        )


def _among(names: tuple[str, ...], name: str | None) -> bool:
    return not names or (name is not None and name.casefold() in {one.casefold() for one in names})


class ShippingEffect(Struct, frozen=True, kw_only=True):
    """What every effect on shipping is: it takes from its lines of shipping."""

    shipping: Shipping = Shipping()
    stage = Stage.SHIPPING

    @property
    def sensitive(self) -> bool:
        """It reads the sum of all shipping unless lines are named."""
        return not self.shipping.whole

    def scope(self, sheet: Sheet) -> Sequence[int]:
        """Return its lines of shipping."""
        return self.shipping.lines(sheet)


def read(action: ActionReader) -> Shipping:
    """Return the lines that an action names."""
    return Shipping(action.words("service_levels"), action.words("regions"))
