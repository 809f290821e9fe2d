"""`limits`: how many discounts one value of a key gets, such as a payment card, a household or an address.

A value is counted as a keyed hash: the store holds no card and no address, and what was counted stays when a
customer is erased. A text that says nothing (`Placeholders`) is no value, and neither is what is missing:
then nothing is counted, unless the limit is `required`.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from hashlib import blake2b
from typing import Any
from unicodedata import normalize

from msgspec import Struct

from adapter.files.schemas import TEXT, listed, said
from adapter.files.schemas import block as block_schema
from adapter.model.discounts import CounterReservation
from adapter.model.emails import normal
from adapter.model.events import Event
from adapter.model.ids import KEYED
from adapter.model.rules import Guardrails, Period, Rule
from adapter.rules.blocks.block import Block, shown
from adapter.rules.blocks.expression import expression
from adapter.rules.blocks.schema import FLAG
from adapter.rules.expressions import Names, Node, Path, parse_value
from adapter.rules.guardrails.addresses import addresses
from adapter.rules.guardrails.contract import (
    Check,
    CountedBlock,
    Given,
    Guardrail,
    GuardrailBlock,
    Keyed,
    Rejection,
    withheld,
)
from adapter.rules.guardrails.counted_over import KEYS, OTHER_NAMES, all_had, counted_over, personal
from adapter.rules.guardrails.full_counters import full
from adapter.rules.guardrails.membership import Membership

NAME = "limits"
#: The key that is every address by which the customer is known at the event.
_EMAIL = "email"
#: Each limit is a counter, or some, that every discount of the rule reserves.
_MOST = 8
_EXAMPLE = "{key: email, count: 1}"
_NO_KEY = "write {key: email, count: 1} or {key: attributes.card_fingerprint, count: 1, window: 30d}"
_BLOCK = block_schema({"key": TEXT, **KEYS, "required": FLAG}, "key", "count")


class KeyLimit(Struct, frozen=True, kw_only=True):
    """At most `count` discounts for each value of `key`, over a calendar period or, if set, any window.

    `path` is where the value is, None for the customer's addresses. `none` has the texts that are no value.
    """

    key: str
    path: Path | None
    count: int
    period: Period
    window: timedelta | None
    required: bool
    none: Container[object]

    @property
    def name(self) -> str:
        """The name under which it withholds."""
        return f"{NAME}.{self.key}"

    def values(self, event: Event, members: Membership) -> Sequence[str]:
        """Return the values of the key at an event, in the spelling in which they are compared."""
        if self.path is None:
            return [each for each in addresses(members.customer, event) if each not in self.none]
        value = meant(members.view.look_up(self.path), self.none)
        return () if value is None else (value,)

    def scopes(self, event: Event, members: Membership, secret: bytes) -> Sequence[str]:
        """Return the scopes of the counters of the values."""
        return [scope(self.key, value, secret) for value in self.values(event, members)]


def meant(value: Any, none: Container[object]) -> str | None:
    """Return a value as it is compared: addresses in their normal form, 42 as "42"; None where it is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float | Fraction):
        whole = int(value)
        return str(value) if whole != value else None if whole in none else str(whole)
    if not isinstance(value, str) or value in none:
        return None
    return ("@" in value and normal(value)) or normalize("NFC", value).strip() or None


def scope(key: str, value: str, secret: bytes) -> str:
    """Return the scope of the counters of a value, from which the value cannot be told without the secret."""
    text = f"{key}\0{value}".encode("utf-8", "surrogatepass")
    return f"{KEYED}{key}:{blake2b(text, key=secret, digest_size=16).hexdigest()}"


def key_limits(guardrails: Guardrails) -> tuple[KeyLimit, ...]:
    """Return the limits of a block."""
    found: tuple[KeyLimit, ...] = guardrails.more.get(NAME, ())
    return found


def _parse(block: GuardrailBlock, given: Given | None) -> Mapping[str, Any]:
    written = block.get(NAME)
    if written is None:
        return {}
    items = written if isinstance(written, list) else [written]
    if not items or not all(isinstance(item, dict) for item in items):
        block.refuse((NAME,), f"`{NAME}` is {shown(written)}", f"write a list such as [{_EXAMPLE}]")
        return {}
    if len(items) > _MOST:
        block.refuse((NAME,), f"{len(items)} limits are more than {_MOST}", "keep those that matter")
    limits: dict[tuple[str, Any], KeyLimit] = {}
    for at in range(len(items)):
        below = (*block.path, NAME, at) if isinstance(written, list) else (*block.path, NAME)
        inner = Block(block.document, block.text_of_file, below, block.problems)
        found = _limit(inner, block.names)
        if (
            found is not None
            and limits.setdefault((found.key, found.window or found.period), found) is not found
        ):
            inner.refuse((), f"`{found.key}` is counted over the same time above", "keep one of the two")
    return {NAME: tuple(limits.values()) or None}


def _limit(block: Block, names: Names) -> KeyLimit | None:
    before = len(block.problems)
    key = block.text("key")
    if "key" not in block.values:
        block.lacks("key", _NO_KEY)
    count, period, window = counted_over(block, NAME, _EXAMPLE)
    required = block.flag("required") or False
    path = None if key is None or key == _EMAIL else _path(block, key, names)
    block.finish({**OTHER_NAMES, "by": "key", "per_key": "key"})
    if key is None or count is None or (path is None and key != _EMAIL) or len(block.problems) > before:
        return None
    return KeyLimit(
        key=key, path=path, count=count, period=period, window=window, required=required,
        none=names.placeholders,
    )  # fmt: skip


def _path(block: Block, key: str, names: Names) -> Path | None:
    node = expression(block, key, ("key",), names, _value)
    if node is None or isinstance(node, Path):
        return node
    block.refuse_inside(("key",), key, 0, f"`{key}` is no name of a value",
                        "write one name, such as user.household_id or attributes.card")  # fmt: skip
    return None


def _value(text: str, names: Names) -> Node:
    return parse_value(text, names, ("text", "number"))


def _check(rule: Rule, guardrails: Guardrails, label: str) -> Check | None:
    required = [each for each in key_limits(guardrails) if each.required]
    if not required:
        return None

    def check(event: Event, members: Membership, now: datetime) -> Rejection | None:
        for each in required:
            if not each.values(event, members):
                return withheld(label + each.name, f"`{each.key}` is missing, and is needed to count by")
        return None

    return check


def _reserve(counted: CountedBlock) -> Iterator[Keyed]:
    for each in key_limits(counted.guardrails):
        yield Keyed(each.scopes, personal(counted, each.name, each.count, each.period, each.window))


def _full(claim: CounterReservation, used: int) -> str:
    return all_had(claim) or full(claim, used)


def _stops(guardrails: Guardrails) -> Iterable[str]:
    return [each.name for each in key_limits(guardrails)]


def _lint(block: Block, rule: Rule, now: datetime | None) -> None:
    for each in key_limits(rule.guardrails):
        if each.count == 0:
            block.warn(("guardrails", NAME), f"the limit by `{each.key}` is 0: who has one gets nothing",
                       "write 1 or more, or exclude a segment")  # fmt: skip


GUARDRAIL = Guardrail(
    names=(NAME,),
    keys={NAME: said({"anyOf": [_BLOCK, listed(_BLOCK, minItems=1)]}, "For each card, address, household.")},
    parse=_parse,
    other_names={"limit": NAME, "per_key_limit": NAME, "limit_by": NAME},
    stops=_stops,
    check=_check,
    reserve_keyed=_reserve,
    full=_full,
    lint=_lint,
)
