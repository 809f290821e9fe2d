"""The order in which codes are applied, and which of two lines gets a spare minor unit."""

from __future__ import annotations

from collections.abc import Sequence

from adapter.model.codes import folded
from adapter.pricing.effects.contract import Stage
from adapter.pricing.scope import Sheet
from adapter.pricing.terms import Terms


def place(terms: Terms) -> tuple[Stage, int, str, str]:
    """Return the key by which codes are sorted: class, priority (higher first), folded code."""
    return terms.effect.stage, -terms.priority, folded(terms.code), terms.code


def tie_ranks(sheet: Sheet, terms: Sequence[Terms]) -> dict[str, Sequence[int]]:
    """Return, for codes before one whose amount depends on single lines, ranks that break their ties.

    By place, the order of the lines would decide which line keeps a minor unit more, and so what the later
    code takes, or what is taxed at which rate. Ranks follow from what the lines are; only lines that are
    equal in everything keep their order.
    """
    found = dict[str, Sequence[int]]()
    taxed_alike = len({line.tax_rate for line in sheet.items}) <= 1
    for shipping in (False, True):
        same = [one for one in terms if (one.effect.stage is Stage.SHIPPING) == shipping]
        last = max((at for at, one in enumerate(same) if _sensitive(one)), default=0)
        last = last if shipping or taxed_alike else len(same)
        if last > 0:
            ranks = sheet.ranks()
            found.update((one.code, ranks) for one in same[:last])
    return found


def _sensitive(terms: Terms) -> bool:
    """Tell whether what the code takes depends on how earlier discounts lie on the lines."""
    minimum = terms.minimum
    if minimum is not None and minimum.excludes is not None and minimum.basis == "items_after_earlier":
        return True
    return terms.effect.sensitive
