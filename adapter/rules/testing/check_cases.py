"""What a test case names, checked: a slip of the pen would make it pass for nothing.

Rules and guardrails that are not there are errors; unknown events, attributes and traits are
warnings, for a case may well try what a source should not send.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from adapter.files.problems import Problem, did_you_mean
from adapter.files.yaml import Keys
from adapter.model.codes import folded
from adapter.rules.blocks.block import Block
from adapter.rules.expressions import ExpressionError
from adapter.rules.expressions.durations import window_text
from adapter.rules.guardrails.contract import CAMPAIGN, GLOBAL
from adapter.rules.guardrails.full_counters import whose
from adapter.rules.guardrails.one_of_these import NAME as ONE_OF_THESE
from adapter.rules.guardrails.registry import COUNTING
from adapter.rules.testing.vocabulary import KnownNames

_COUNTING = [name for each in COUNTING for name in each.names]
#: The guardrails that count, by the names under which they are withheld.
COUNTED = (
    *(name for name in _COUNTING if name != ONE_OF_THESE),
    *(f"{GLOBAL}{name}" for name in _COUNTING if name != ONE_OF_THESE),
    *(f"{CAMPAIGN}{name}" for name in _COUNTING),
)


def check(block: Block, known: KnownNames) -> None:
    """Report the names of a case that are not known."""
    for at, name in _listed(block, "exhausted"):
        if name not in COUNTED and name not in known.keyed:
            counted = [each for each in (*COUNTED, *sorted(known.keyed)) if whose(each) in ("", whose(name))]
            block.refuse(at, f"`{name}` is not a guardrail that counts", did_you_mean(name, counted))
    for at, name in _listed(block, "holds"):
        _check_rule(block, at, name, known)
    for number, each in enumerate(block.values.get("had") or ()):
        if isinstance(each, dict) and isinstance(each.get("rule"), str):
            _check_rule(block, ("had", number, "rule"), each["rule"], known)
    for name, expected in _mapping(block.values.get("expect")).items():
        _check_rule(block, ("expect", name), name, known, at_key=True)
        variant = _mapping(expected).get("variant")
        if isinstance(variant, str) and variant not in (variants := known.variants.get(name, ())):
            at = ("expect", name, "variant")
            block.refuse(at, f"`{name}` has no variant `{variant}`", did_you_mean(variant, variants))
    _check_due(block, known)
    issuer = _mapping(block.values.get("discount")).get("rule")
    if isinstance(issuer, str):
        _check_rule(block, ("discount", "rule"), issuer, known)
    _check_claim(block, known)
    for at, event in _events(block):
        _check_event(block, at, event, known)
    for name in _mapping(_mapping(block.values.get("customer")).get("traits")):
        _warn(block, ("customer", "traits", name), known.trait(name), at_key=True)


def _listed(block: Block, key: str) -> list[tuple[Keys, str]]:
    """Return the texts of a list, or a single one, with their places."""
    value = block.values.get(key)
    if isinstance(value, str):
        return [((key,), value)]
    items = value if isinstance(value, list) else []
    return [((key, at), item) for at, item in enumerate(items) if isinstance(item, str)]


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _check_rule(block: Block, at: Keys, name: str, known: KnownNames, *, at_key: bool = False) -> None:
    if name not in known.rules:
        remedy = did_you_mean(name, known.rules)
        block.refuse(at, f"there is no rule `{name}`", remedy, at_key=at_key)


def _check_due(block: Block, known: KnownNames) -> None:
    name = block.values.get("due")
    if not isinstance(name, str) or name in known.scheduled:
        return
    if name in known.living:
        if "discount" not in block.values:
            message = f"no `discount` whose life triggers `{name}`"
            block.refuse(("due",), message, "add `discount: {rule: a-rule, ago: 5d}`")
        return
    absence = known.waiting.get(name)
    if name in known.rules and absence is None:
        block.refuse(("due",), f"`{name}` is triggered by an event and never due", "write an `event`")
    elif absence is None:
        block.refuse(
            ("due",),
            f"no rule of absence is named `{name}`",
            did_you_mean(name, [*known.waiting, *known.scheduled]),
        )
    elif absence.event not in _past_names(block, known):
        remedy = f"add `past: [{{name: {absence.event}, ago: {window_text(absence.within)}}}]`"
        message = f"nothing in `past` starts the wait of `{name}`"
        block.refuse(("past",) if "past" in block.values else ("due",), message, remedy)


def _check_claim(block: Block, known: KnownNames) -> None:
    code = _mapping(block.values.get("claim")).get("code")
    if isinstance(code, str) and folded(code) not in {folded(one) for one in known.codes}:
        block.refuse(("claim", "code"), f"no rule has the code `{code}`", did_you_mean(code, known.codes))


def _past(block: Block) -> list[tuple[Keys, dict[str, Any]]]:
    past = block.values.get("past")
    return [
        (("past", at), _mapping(event)) for at, event in enumerate(past if isinstance(past, list) else [])
    ]


def _past_names(block: Block, known: KnownNames) -> set[str]:
    names = (event.get("name") for _, event in _past(block))
    return {known.meant(name) for name in names if isinstance(name, str)}


def _events(block: Block) -> list[tuple[Keys, dict[str, Any]]]:
    return [*_past(block), (("event",), _mapping(block.values.get("event")))]


def _check_event(block: Block, at: Keys, event: dict[str, Any], known: KnownNames) -> None:
    name = event.get("name")
    if not isinstance(name, str):
        return
    name = known.meant(name)
    doubts = known.event(name)
    _warn(block, (*at, "name"), doubts)
    if not doubts:
        for attribute in _mapping(event.get("attributes")):
            place = (*at, "attributes", attribute)
            _warn(block, place, known.attribute(name, attribute), at_key=True)


def _warn(block: Block, at: Keys, doubts: Iterable[ExpressionError], *, at_key: bool = False) -> None:
    for doubt in doubts:
        path = (*block.path, *at)
        mark = block.document.key_mark(*path) if at_key else block.document.mark(*path)
        problem = Problem(mark, doubt.message, doubt.remedy, "warning")
        if problem not in block.problems:  # cases that share an event by an alias share its place
            block.problems.append(problem)
