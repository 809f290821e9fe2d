"""Mapping and rule files as a command loads them: problems are printed and end the command."""

from __future__ import annotations

from pathlib import Path

import typer

from adapter.cli.settings import tell
from adapter.mapping import mapping_set
from adapter.mapping.mapping_set import MappingSet
from adapter.rules.engine.ruleset import RuleSet
from adapter.services.loaded_files import check_files, placeholders
from adapter.settings.values import Settings


def mappings_of(settings: Settings) -> MappingSet:
    """Return the mapping files."""
    found, problems = mapping_set.load(Path(settings.files.mappings), placeholders(settings))
    if found is None:
        tell(problems)
        raise typer.Exit(1)
    return found


def books_of(settings: Settings) -> tuple[MappingSet, RuleSet]:
    """Return the mapping and the rule files."""
    found = check_files(
        settings.files, placeholders=placeholders(settings), destinations=settings.destinations.names,
        deciding=settings.destinations.core is None,
    )  # fmt: skip
    if found.mappings is None or found.rules is None:
        tell(found.problems)
        raise typer.Exit(1)
    return found.mappings, found.rules
