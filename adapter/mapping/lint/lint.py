"""What is wrong with mapping files that load: findings across mappings and files."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

from adapter.files.problems import Problem, did_you_mean
from adapter.mapping.files.fields import portable_problems
from adapter.mapping.files.mapping_file import Mapping, MappingFile
from adapter.mapping.lint.lint_conflicts import trait_types
from adapter.mapping.lint.lint_duplicates import written_twice
from adapter.mapping.lint.lint_paths import path_findings
from adapter.mapping.subscriptions import Condition, lint
from adapter.mapping.subscriptions.satisfiable import contradiction, types_of, ways
from adapter.model.sources import SOURCES

#: Mappings whose findings are kept for the next reading of files.
_MOST_KEPT = 500


def findings(files: Sequence[MappingFile]) -> list[Problem]:
    """Return what the files say that cannot be meant.

    Errors: a mapping that no message can match; an event recorded twice; a trait of two types. Warnings:
    a condition that is hardly meant so, a path that no message of the source has, an alternative that is
    never reached, a customer's field or a discount's move written by two mappings.
    """
    mappings = [mapping for file in files for mapping in file.mappings]
    problems = [problem for mapping in mappings for problem in _mapping_findings(mapping)]
    return [*problems, *written_twice(mappings), *trait_types(mappings)]


def portability(files: Sequence[MappingFile]) -> list[Problem]:
    """Return a warning for every directive of ours, which Segment does not know."""
    found = [
        Problem(mapping.field_mark(*keys), message, remedy, "warning")
        for file in files
        for mapping in file.mappings
        for keys, message, remedy in portable_problems(mapping.fields)
    ]
    found += [
        Problem(mapping.at, f"`events` of `{mapping.name}` is ours: Segment does not know it",
                "write the names into `subscribe`, each as it is sent", "warning")
        for file in files for mapping in file.mappings if mapping.events
    ]  # fmt: skip
    return list(dict.fromkeys(found))  # a YAML anchor puts one line of a file into several mappings


@lru_cache(maxsize=_MOST_KEPT)
def _mapping_findings(mapping: Mapping) -> list[Problem]:
    """Return what is wrong with one mapping, or what was found before: a reload checks what has changed."""
    unmatched = _never_matches(mapping)
    if unmatched is not None:
        return [unmatched]
    doubts = [
        Problem(mapping.subscription_mark(position), message, remedy, "warning")
        for position, message, remedy in lint(mapping.filter)
    ]
    return doubts + path_findings(mapping)


def _never_matches(mapping: Mapping) -> Problem | None:
    """Return why no message can match, if so: of several ways to match, the first one's reason."""
    reasons = []
    for way in ways(mapping.filter):
        clash = contradiction(way)
        if clash is None and types_of(mapping.source, way):
            return None
        reasons.append((clash, way))
    clash, way = reasons[0]
    if clash is not None:
        why, remedy = (
            "this condition contradicts an earlier one",
            "join the two with `or`, or drop one",
        )
        for _, *alone in lint(clash):
            why, remedy = alone
        return Problem(mapping.condition_mark(clash), f"no message can match: {why}", remedy)
    return _unknown(mapping, way)


def _unknown(mapping: Mapping, way: Sequence[Condition]) -> Problem:
    """Say which condition no type of the source's messages can meet."""
    source, known = mapping.source, SOURCES[mapping.source].types
    typed = [condition for condition in way if condition.field == "type"]
    kinds = types_of(source, typed)
    if not kinds:
        word = str(typed[0].value)
        near = did_you_mean(word, known)
        severity: Literal["error", "warning"] = "error" if near.startswith("did you mean") else "warning"
        message = f"{source} is not known to send `{word}`"
        return Problem(mapping.condition_mark(typed[0]), message, near, severity)
    missing = next(test for test in way if not any(test.field in known[kind] for kind in kinds))
    holders = ", ".join(f"`{kind}`" for kind, members in known.items() if missing.field in members)
    remedy = f"it is in {holders}" if holders else "drop the condition"
    if missing.field == "traits":
        remedy = "read `context.traits` for what is known of the user"
    which = f"no `{kinds[0]}`" if len(kinds) == 1 else "no message"
    message = f"no message can match: {which} of {source} has `{missing.field}` at its top"
    return Problem(mapping.condition_mark(missing), message, remedy)
