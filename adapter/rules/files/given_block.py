"""What a rule gives: one `action`, several `actions` under one code, or `variants` with their own."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from msgspec import Struct

from adapter.files.yaml import Keys
from adapter.model.actions import Action
from adapter.model.rules import Variant
from adapter.rules.action_types.action_block import ActionBlock
from adapter.rules.action_types.computed import ComputedValue
from adapter.rules.blocks.block import Block, shown
from adapter.rules.expressions import Names
from adapter.rules.files import action_block, code_keys
from adapter.rules.files.action_block import Issuing

#: The most benefits of one code, and variants of one rule.
MOST: Final = 10
KEYS: Final = ("action", "actions", "variants")
#: Keys that say something of the code, not of one benefit.
_OF_THE_CODE: Final = (*code_keys.KEYS, "expires_in_hours", "metadata")
_HOW: Final = "write `action: {type: percentage_off, value: 10}`"


class Given(Struct, frozen=True, kw_only=True):
    """What a discount gives: its benefits, of which the first names code and life, and their places.

    `variant` is which of the rule's variants it is, None where it has none.
    """

    issuings: tuple[Issuing, ...]
    places: tuple[Keys, ...]
    variant: Variant | None = None

    @property
    def first(self) -> Issuing:
        """The first benefit, with the keys of the code."""
        return self.issuings[0]

    @property
    def actions(self) -> tuple[Action, ...]:
        """The action of each benefit."""
        return tuple(each.action for each in self.issuings)

    @property
    def computed(self) -> tuple[ComputedValue | None, ...]:
        """The value of each benefit, None where it is a plain number."""
        return tuple(each.computed for each in self.issuings)


def read(block: Block, names: Names, budget: str | None) -> tuple[Given, ...]:
    """Return what a rule gives: one, or one of each variant; nothing where it does not check."""
    used = [key for key in KEYS if block.get(key) is not None]
    if not used:
        block.lacks("action", _HOW.replace("write", "add"))
        return ()
    if len(used) > 1:
        named = " and ".join(f"`{key}`" for key in used)
        block.refuse((used[1],), f"{named} both say what the rule gives", "keep one of them", at_key=True)
        return ()
    if used == ["variants"]:
        return _variants(block, names, budget)
    return tuple(filter(None, [_given(block, names, budget)]))


def _given(block: Block, names: Names, budget: str | None) -> Given | None:
    """Return what `action` or `actions` of a block say."""
    if block.values.get("actions") is None:
        places: list[Keys] = [("action",)]
    else:
        listed = _listed(block, "actions", "- {type: free_shipping}")
        places = [("actions", at) for at in range(listed)]
    issuings = [_action(block, place, names, budget, several=len(places) > 1) for place in places]
    found = tuple(each for each in issuings if each is not None)
    if not found or len(found) < len(places):
        return None
    return Given(issuings=found, places=tuple(places))


def _action(block: Block, place: Keys, names: Names, budget: str | None, *, several: bool) -> Issuing | None:
    path = (*block.path, *place)
    inner = ActionBlock(block.document, block.text_of_file, path, block.problems, names, budget)
    if several:
        _expect_keys_of_the_code(inner, first=place[-1] == 0)
    return action_block.read(inner) if inner.values else None


def _expect_keys_of_the_code(inner: Block, *, first: bool) -> None:
    """Refuse keys of the code in another benefit than the first, and a shared code, which gives one."""
    if first and "code" in inner.values:
        inner.refuse(("code",), "a shared `code` gives one benefit", "use `code_prefix`, or one `action`",
                     at_key=True)  # fmt: skip
    for key in () if first else _OF_THE_CODE:
        if key in inner.values:
            inner.refuse((key,), f"`{key}` belongs to the code, which all benefits share",
                         "write it in the first of the `actions`", at_key=True)  # fmt: skip
    if not first and "expires_at" in inner.values and inner.values.get("type") != "store_credit":
        inner.refuse(("expires_at",), "`expires_at` belongs to the code, which all benefits share",
                     "write it in the first of the `actions`", at_key=True)  # fmt: skip


def _variants(block: Block, names: Names, budget: str | None) -> tuple[Given, ...]:
    count = _listed(block, "variants", "- {share: 50, action: {type: percentage_off, value: 10}}")
    found: list[Given] = []
    taken: set[str] = set()
    total = Decimal(0)
    for at in range(count):
        path = (*block.path, "variants", at)
        inner = Block(block.document, block.text_of_file, path, block.problems)
        share = inner.number("share", highest=100, required=True)
        name = inner.text("name", longest=40) or _letter(at)
        given = _of_variant(inner, names, budget)
        inner.finish({"percent": "share", "weight": "share"})
        if name in taken:
            inner.refuse(("name",) if "name" in inner.values else (), f"two variants are named `{name}`",
                         "give each a `name` of its own")  # fmt: skip
        taken.add(name)
        total += share or 0
        if given is not None and share is not None:
            places = tuple(("variants", at, *place) for place in given.places)
            variant = Variant(name=name, share=share)
            found.append(Given(issuings=given.issuings, places=places, variant=variant))
    if len(found) < count:
        return ()
    if total != 100:
        block.refuse(("variants",), f"the shares add up to {total:f}",
                     "let them add up to 100; hold customers out with `rollout: {control: 10}`")  # fmt: skip
        return ()
    return tuple(found)


def _of_variant(inner: Block, names: Names, budget: str | None) -> Given | None:
    both = [key for key in ("action", "actions") if inner.get(key) is not None]
    if len(both) != 1:
        inner.refuse((), "a variant needs one `action`, or several `actions`", _HOW)
        return None
    given = _given(inner, names, budget)
    if given is not None and given.first.codes.code is not None:
        inner.refuse((*given.places[0], "code"), "a shared `code` is the same for all variants",
                     "use `code_prefix`", at_key=True)  # fmt: skip
    return given


def _listed(block: Block, key: str, example: str) -> int:
    """Return how many items a list has, 0 where it is none."""
    value: Any = block.values.get(key)
    if not isinstance(value, list) or not value:
        block.refuse((key,), f"`{key}` is {shown(value)}", f"write a list of items such as `{example}`")
        return 0
    if len(value) > MOST:
        block.refuse((key,), f"`{key}` has {len(value)} items", f"write {MOST} at most")
        return 0
    return len(value)


def _letter(at: int) -> str:
    return "ABCDEFGHIJ"[at]
