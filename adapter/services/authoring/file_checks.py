"""All checks of mapping and rule files: what `adapter check` says of them, apart from their test cases."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from adapter.files.problems import Problem
from adapter.rules.engine.ruleset import RuleSet
from adapter.services.authoring.inexpressible import inexpressible
from adapter.services.authoring.lineage import unfed
from adapter.services.authoring.unsent_identities import unsent_identities
from adapter.services.loaded_files import NO_DRAFTS, CheckedFiles, Drafts, check_files
from adapter.settings.values import Files, Settings


def check_all(
    files: Files,
    settings: Settings | None,
    now: datetime,
    drafts: Drafts = NO_DRAFTS,
    *,
    rules: RuleSet | None = None,
) -> CheckedFiles:
    """Check files by themselves, against each other, and against the settings, where these are known.

    With `rules` these stand for the files of rules, which are not read: a draft of a mapping is checked
    against the rules in force.
    """
    names = settings.destinations.names if settings else None
    deciding = settings is None or settings.destinations.core is None
    found = check_files(files, now, destinations=names, deciding=deciding and rules is None, drafts=drafts)
    found = found if rules is None else replace(found, rules=rules)
    return replace(found, problems=[*found.problems, *_between(found, settings, deciding=deciding)])


def _between(found: CheckedFiles, settings: Settings | None, *, deciding: bool) -> list[Problem]:
    problems: list[Problem] = []
    if deciding and found.mappings and found.rules and found.model:
        problems += unfed(found.model, found.mappings, found.rules)
    if found.mappings and settings:
        problems += unsent_identities(settings.destinations, found.mappings)
    if found.rules and settings:
        problems += inexpressible(settings.destinations, found.rules)
    return problems
