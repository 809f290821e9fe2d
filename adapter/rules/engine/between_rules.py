"""What is wrong between rules, each of which checks alone: names that are taken, or that name nothing."""

from __future__ import annotations

from collections.abc import Sequence

from adapter.files.problems import Mark, Problem, did_you_mean
from adapter.model.codes import folded
from adapter.model.triggers import DiscountLife
from adapter.rules.engine.changes import names_in, of_traits
from adapter.rules.engine.read_past import doubtful_counts
from adapter.rules.files.definitions import Definitions
from adapter.rules.files.rule_file import Compiled
from adapter.rules.guardrails.registry import named_segments


def problems(compiled: Sequence[Compiled], shared: Definitions) -> list[Problem]:
    """Return the problems between rules, and between them and the shared definitions."""
    return [
        *_twice(compiled), *_same_codes(compiled), *_unknown_segments(compiled, shared),
        *_unseen_changes(compiled, shared), *_unknown_replaced(compiled), *_unknown_lives(compiled),
        *doubtful_counts(compiled),
    ]  # fmt: skip


def _twice(compiled: Sequence[Compiled]) -> list[Problem]:
    found: list[Problem] = []
    places: dict[str, Mark] = {}
    for one in compiled:
        first = places.setdefault(one.rule.name, one.at)
        if first is not one.at:
            where = f"the first is at {first.file}:{first.line}"
            found.append(
                Problem(one.at, f"a rule named `{one.rule.name}` is there already", f"{where}; rename one")
            )
    return found


def _same_codes(compiled: Sequence[Compiled]) -> list[Problem]:
    """Refuse shared codes that differ in case, blanks and dashes alone: customers type them as they like."""
    found: list[Problem] = []
    places: dict[str, Compiled] = {}
    for one in compiled:
        first = places.setdefault(folded(one.rule.code), one) if one.rule.code is not None else one
        if first is not one:
            message = f"the code `{one.rule.code}` is the same as `{first.rule.code}` of `{first.rule.name}`"
            where = f"which is at {first.at.file}:{first.at.line}; choose another"
            found.append(Problem(one.at, message, where))
    return found


def _unknown_replaced(compiled: Sequence[Compiled]) -> list[Problem]:
    """Refuse a rule that replaces the discounts of rules that are not there, or of shared codes."""
    found: list[Problem] = []
    issuing = {one.rule.name for one in compiled if one.rule.code is None}
    shared = {one.rule.name for one in compiled} - issuing
    for one in compiled:
        at = one.replaces_at or one.at
        for name in one.rule.replaces:
            if name in shared or one.rule.code is not None:
                message = "a shared code is issued to no one customer, so it replaces no discount"
                found.append(Problem(at, message, "name rules that issue codes of their own"))
            elif name not in issuing:
                found.append(Problem(at, f"there is no rule `{name}`", did_you_mean(name, issuing)))
    return found


def _unknown_segments(compiled: Sequence[Compiled], shared: Definitions) -> list[Problem]:
    """Warn of a segment that is not declared but nearly spelled like one that is."""
    found: list[Problem] = []
    for one in compiled:
        for name in [*named_segments(one.rule), *names_in([one.rule.trigger])]:
            near = "" if name in shared.segments else did_you_mean(name, shared.segments)
            if near.startswith("did"):
                message = f"the segment `{name}` of rule `{one.rule.name}` is not declared"
                found.append(Problem(one.at, message, near, "warning"))
    return found


def _unseen_changes(compiled: Sequence[Compiled], shared: Definitions) -> list[Problem]:
    """Refuse to watch a segment whose members change without a change of a customer."""
    found: list[Problem] = []
    for one in compiled:
        for name in names_in([one.rule.trigger]):
            segment = shared.segments.get(name)
            if segment is not None and segment.node is not None and not of_traits(segment.node):
                message = f"`{name}` reads more than traits, and its members change when no message says so"
                remedy = "trigger the rule by an event, and require the segment in `eligible_segments`"
                found.append(Problem(one.at, f"rule `{one.rule.name}`: {message}", remedy))
    return found


def _unknown_lives(compiled: Sequence[Compiled]) -> list[Problem]:
    """Refuse to wait for the discounts of rules that are not there, or of the rule itself."""
    found: list[Problem] = []
    names = {one.rule.name for one in compiled}
    for one in compiled:
        trigger = one.rule.trigger
        for name in trigger.of if isinstance(trigger, DiscountLife) else ():
            if name == one.rule.name:
                message = f"rule `{name}` waits for its own discounts, and would never end"
                found.append(Problem(one.at, message, "name other rules in `of`"))
            elif name not in names:
                found.append(Problem(one.at, f"there is no rule `{name}`", did_you_mean(name, names)))
    return found
