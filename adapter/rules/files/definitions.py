"""`definitions.yaml`: conditions and segments that rules share, and what holds for all rules.

Besides `definitions` and `segments` the file may hold `guardrails` over all rules together, `campaigns`, and
the shop's `time_zone` and `conflicts`, which rules follow that do not name their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from adapter.files import starters
from adapter.files.problems import Problem
from adapter.files.yaml import Document
from adapter.model.emails import normal
from adapter.model.rules import Conflicts, Guardrails
from adapter.rules.blocks.block import Block
from adapter.rules.expressions import Names, Node, is_taken, reads, used
from adapter.rules.files import campaigns, guardrail_block
from adapter.rules.files.conditions import Conditions
from adapter.rules.files.rule_file import Defaults
from adapter.rules.guardrails.membership import Segment

T = TypeVar("T")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")


class Definitions(Struct, frozen=True, kw_only=True):
    """What `definitions.yaml` says; all empty when there is none."""

    conditions: dict[str, Node] = {}
    segments: dict[str, Segment] = {}
    guardrails: Guardrails = Guardrails()
    paused: bool = False
    campaigns: campaigns.Found = {}
    defaults: Defaults = Defaults()


def read(document: Document, text: str, names: Names) -> tuple[Definitions, list[Problem]]:
    """Return the definitions that check, and the problems of the rest."""
    problems: list[Problem] = []
    block = Block(document, text, (), problems)
    block.get("extends")
    bases, wrong = starters.extended("definitions", document)
    problems += wrong
    all_blocks = [block, *(Block(base, base.text, (), problems) for base in reversed(bases))]
    zone = _first(guardrail_block.zone(each) for each in all_blocks)
    conflicts: Conflicts | None = _first(each.one_of("conflicts", Conflicts) for each in all_blocks)
    conditions = _conditions([each.block("definitions") for each in all_blocks], names)
    named = replace(names, definitions=conditions)
    segments = _segments([each.block("segments") for each in all_blocks], named)
    overall = _first(guardrail_block.within(each, "guardrails", named) for each in all_blocks)
    paused = bool(overall.flag("paused")) if overall is not None else False
    guardrails = guardrail_block.guardrails(overall, None, zone or "UTC")
    found: campaigns.Found = {}
    for each in reversed(all_blocks):
        found |= campaigns.read(each.block(campaigns.KEY), named, zone or "UTC")
    block.finish()
    budget = guardrails.budget.currency if guardrails.budget is not None else None
    defaults = Defaults(time_zone=zone or "UTC", conflicts=conflicts or "priority", budget_currency=budget)
    return Definitions(conditions=conditions, segments=segments, guardrails=guardrails, paused=paused,
                       campaigns=found, defaults=defaults), problems  # fmt: skip


def _first(values: Iterable[T | None]) -> T | None:
    """Return the first of the values that is there; all are read, so that all are checked."""
    return next((value for value in list(values) if value is not None), None)


def _by_name(blocks: Sequence[Block | None]) -> dict[str, Block]:
    """Return the block of each name, the first that has it."""
    found: dict[str, Block] = {}
    for block in blocks:
        if block is not None:
            found = dict.fromkeys(block.values, block) | found
    return found


def _conditions(blocks: Sequence[Block | None], names: Names) -> dict[str, Node]:
    read: dict[str, Node] = {}
    named = replace(names, definitions=read)  # each sees those that are read before it
    places = _by_name(blocks)
    for name in _ordered(places):
        block = places[name]
        value = block.get(name)
        if is_taken(name):
            block.refuse((name,), f"`{name}` means something else in expressions",
                         "choose another name, such as is_first_purchase", at_key=True)  # fmt: skip
            continue
        if not _NAME.fullmatch(name):
            block.refuse((name,), f"`{name}` cannot be named in an expression",
                         "use letters, digits and `_`, such as is_first_purchase", at_key=True)  # fmt: skip
            continue
        node = Conditions(block, named).read(value, (name,))
        if value is None:
            block.refuse((name,), f"`{name}` says nothing", "write an expression after it", at_key=True)
        elif node is not None:
            read[name] = node
    return read


def _ordered(places: dict[str, Block]) -> list[str]:
    """Return the names so that each comes after those it uses; circles are reported and left out."""
    place = {name: number for number, name in enumerate(places)}
    uses = {name: _used(block.values[name], place.keys()) - {name} for name, block in places.items()}
    users: dict[str, list[str]] = {name: [] for name in place}
    for name, used_names in uses.items():
        for one in used_names:
            users[one].append(name)
    waiting = {name: len(used_names) for name, used_names in uses.items()}
    ordered: list[str] = []
    ready = [name for name in place if not waiting[name]]
    while ready:
        ordered += ready
        freed = [user for name in ready for user in users[name]]
        for user in freed:
            waiting[user] -= 1
        ready = sorted({user for user in freed if not waiting[user]}, key=place.__getitem__)
    done = set(ordered)
    for name in (name for name in place if name not in done):
        circle = sorted(uses[name] - done, key=place.__getitem__)
        through = ", ".join(f"`{one}`" for one in circle)
        places[name].refuse((name,), f"`{name}` leads back to itself through {through}",
                            "write one of them out", at_key=True)  # fmt: skip
        places[name].get(name)
    return ordered


def _used(value: Any, known: AbstractSet[str]) -> set[str]:
    if isinstance(value, str):
        return {name for name in used(value) if name in known}
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return {name for part in parts for name in _used(part, known)}


def _segments(blocks: Sequence[Block | None], names: Names) -> dict[str, Segment]:
    read: dict[str, Segment] = {}
    for name, block in _by_name(blocks).items():
        segment = _segment(block, name, names)
        if segment is not None:
            read[name] = segment
    return read


def _emails(block: Block) -> frozenset[str]:
    """Return a list of email addresses in their normal spelling."""
    found = {email: normal(email) for email in block.words("emails")}
    for index, (email, address) in enumerate(found.items()):
        if address is None:
            block.refuse(
                ("emails", index), f"`{email}` is no email address", "write it as in ann@example.org"
            )
    return frozenset(address for address in found.values() if address is not None)


def _segment(block: Block, name: str, names: Names) -> Segment | None:
    value = block.get(name)
    if isinstance(value, dict) and ("source_ids" in value or "emails" in value):
        inner = block.block(name)
        if inner is None:
            return None
        segment = Segment(None, frozenset(inner.words("source_ids")), _emails(inner))
        inner.finish()
        return segment
    if value is None:
        block.refuse((name,), f"`{name}` says nothing",
                     "write an expression, {source_ids: [...]} or {emails: [...]}", at_key=True)  # fmt: skip
        return None
    node = Conditions(block, names).read(value, (name,))
    if node is not None and any(metric.kind == "discounts" for metric in reads(node).metrics):
        block.refuse((name,), "a segment cannot count discounts: they would be read at every event",
                     "write the count into the conditions of the rules")  # fmt: skip
        return None
    return None if node is None else Segment(node)
