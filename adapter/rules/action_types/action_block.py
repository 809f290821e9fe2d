"""Reads the `action` block of a rule: its keys, and a value that is a number or is computed when issued."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import Any

from adapter.files.problems import Problem
from adapter.files.schemas import TEXT, Schema, block, listed, said, table
from adapter.files.yaml import Document, Keys
from adapter.rules.action_types.computed import (
    ComputedValue,
    Expression,
    PerCurrency,
    Table,
    Tiers,
    ValueKind,
)
from adapter.rules.blocks.block import Block, shown
from adapter.rules.blocks.expression import expression
from adapter.rules.blocks.money import CURRENCY, exact
from adapter.rules.blocks.schema import ABOVE_ZERO, AMOUNT
from adapter.rules.expressions import Kind, Names, Node, parse_value
from adapter.rules.expressions.typed_tree import Constant

_TIER = block({"from": AMOUNT, "value": ABOVE_ZERO}, "from", "value")
_COMPUTED: tuple[Schema, ...] = (
    said(TEXT, "An expression over the event, the customer and history."),
    block({"tiers": listed(_TIER, minItems=1), "of": TEXT}, "tiers", "of"),
    block({"by": TEXT, "values": table(ABOVE_ZERO, minProperties=1), "else": ABOVE_ZERO}, "by", "values"),
)
_MAX_VALUE = said(ABOVE_ZERO, "The most that a computed value may be.")


def value_keys(number: Schema, kind: ValueKind) -> dict[str, Schema]:
    """Return the JSON Schemas of a value that may be computed, and of what goes with it."""
    keys: dict[str, Schema] = {"value": {"anyOf": [number, *_COMPUTED]}, "max_value": _MAX_VALUE}
    if kind == "money":
        amounts = {"type": "object", "patternProperties": {f"^{CURRENCY.pattern}$": ABOVE_ZERO}}
        closed = {**amounts, "additionalProperties": False, "minProperties": 1}
        keys["currencies"] = said(closed, "The value in each currency, such as {EUR: 10, USD: 12}.")
    return keys


class ActionBlock(Block):
    """The block of an action. `names` are those of the rule's trigger, `budget` the currency of its budget.

    `computed` is the value where it is not a plain number.
    """

    def __init__(  # noqa: PLR0917 - a block's own arguments come first
        self,
        document: Document,
        text: str,
        path: Keys,
        problems: list[Problem],
        names: Names,
        budget: str | None = None,
    ) -> None:
        super().__init__(document, text, path, problems)
        self.computed: ComputedValue | None = None
        self._names = names
        self._budget = budget
        self._kind: ValueKind = "units"

    def value(self, kind: ValueKind, *, above: Decimal | None = Decimal(0)) -> Decimal | None:
        """Return the value; of one that is computed the most that it can be, Infinity where nothing says.

        A plain number is more than `above`; None lets 0 itself in.
        """
        self._kind = kind
        if kind == "money" and "currencies" in self.values:
            source: Any = self._per_currency()
        elif isinstance(self.values.get("value"), str | dict):
            source = self._source()
        else:
            return self._plain(kind, above)
        most = self.number("max_value", highest=100 if kind == "percent" else 10**12)
        if source is None:
            return None
        self.computed = ComputedValue(kind=kind, source=source, max_value=most)
        if isinstance(source, Expression) and most is None and kind != "percent":
            self.warn(("value",), "nothing bounds the value that the expression gives",
                      "add `max_value: 50`, so that wrong data costs no more than that")  # fmt: skip
        amounts = source.amounts if isinstance(source, PerCurrency) else {}
        return amounts.get(self._budget or "", self.computed.most)

    def _plain(self, kind: ValueKind, above: Decimal | None) -> Decimal | None:
        highest = 100 if kind == "percent" else 10**12
        found = self.number("value", above=above, highest=highest, required=True)
        self.get("max_value")
        if "max_value" in self.values:
            self.refuse(("max_value",), "`max_value` bounds a value that is computed",
                        "leave it out beside a number", at_key=True)  # fmt: skip
        return found

    def _source(self) -> Expression | Tiers | Table | None:
        written = self.get("value")
        if isinstance(written, str):
            node = self._expression(self, written, ("value",), "number")
            if isinstance(node, Constant):
                self.refuse(("value",), f"`value` is {shown(written)}", "write the number without quotes")
                return None
            return None if node is None else Expression(node)
        inner = Block(self.document, self.text_of_file, (*self.path, "value"), self.problems)
        return self._table(inner) if "by" in inner.values else self._tiers(inner)

    def _expression(self, block: Block, text: str, at: Keys, *kinds: Kind) -> Node | None:
        return expression(block, text, at, self._names, partial(parse_value, kinds=kinds))

    def _node(self, block: Block, key: str, *kinds: Kind) -> Node | None:
        text = block.text(key, required=True, longest=2000)
        return None if text is None else self._expression(block, text, (key,), *kinds)

    def _tiers(self, block: Block) -> Tiers | None:
        of, listed = self._node(block, "of", "number"), block.get("tiers")
        block.finish({"expression": "of"})
        if not isinstance(listed, list) or not listed:
            block.refuse(("tiers",) if "tiers" in block.values else (), "`tiers` lists no tiers",
                         "write `tiers: [{from: 100, value: 10}]`")  # fmt: skip
            return None
        tiers: dict[Decimal, Decimal] = {}
        for at in range(len(listed)):
            inner = Block(block.document, block.text_of_file, (*block.path, "tiers", at), block.problems)
            start, value = inner.number("from", above=None, required=True), self._amount(inner, "value")
            inner.finish({"at": "from", "min": "from"})
            if start in tiers:
                inner.refuse(("from",), f"two tiers begin at {start:f}", "keep one of them")
            if start is not None and value is not None:
                tiers[start] = value
        return None if of is None or len(tiers) < len(listed) else Tiers(of, tuple(sorted(tiers.items())))

    def _table(self, block: Block) -> Table | None:
        by = self._node(block, "by", "text", "number", "boolean")
        otherwise = self._amount(block, "else") if "else" in block.values else None
        inner = block.block("values")
        block.finish({"default": "else", "otherwise": "else"})
        if inner is None:
            block.lacks("values", "add `values: {gold: 15}`")
            return None
        values = {name: self._amount(inner, name) for name in inner.values}
        found = {str(name): value for name, value in values.items() if value is not None}
        return None if by is None or not found or len(found) < len(values) else Table(by, found, otherwise)

    def _amount(self, block: Block, key: str) -> Decimal | None:
        """Return a value among others; money must be payable in the currency of the action."""
        found = block.number(key, highest=100 if self._kind == "percent" else 10**12, required=True)
        code = self.values.get("currency", self._budget)
        if found is not None and self._kind == "money" and isinstance(code, str):
            exact(block, code, {key: found})
        return found

    def _per_currency(self) -> PerCurrency | None:
        for key in ("value", "currency"):
            if key in self.values:
                self.refuse((key,), f"`{key}` and `currencies` both say the amount",
                            "keep one of the two", at_key=True)  # fmt: skip
        self.get("value")
        inner = self.block("currencies")
        found: dict[str, Decimal] = {}
        for code in inner.values if inner is not None else ():
            amount = inner.number(code) if inner is not None else None
            if not CURRENCY.fullmatch(str(code)) and inner is not None:
                inner.refuse((code,), f"`{code}` is not a currency", "write its three letters, such as USD",
                             at_key=True)  # fmt: skip
            elif amount is not None and inner is not None:
                exact(inner, code, {code: amount})
                found[code] = amount
        if found and self._budget is not None and self._budget not in found:
            self.refuse(("currencies",), f"the budget counts {self._budget}, and `currencies` has none in it",
                        f"add an amount in {self._budget}")  # fmt: skip
        return PerCurrency(found) if found else None
