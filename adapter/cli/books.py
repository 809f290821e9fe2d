"""Mapping and rule files as a command gets them: problems are told, and end it."""

from __future__ import annotations

from pathlib import Path

import typer

from adapter.app import check_files
from adapter.cli.settings import tell
from adapter.mapping import book
from adapter.mapping.book import MappingBook
from adapter.rules.book import RuleBook
from adapter.settings.values import Files


def mappings_of(files: Files) -> MappingBook:
    """Return the mapping files."""
    found, problems = book.load(Path(files.mappings))
    if found is None:
        tell(problems)
        raise typer.Exit(1)
    return found


def books_of(files: Files) -> tuple[MappingBook, RuleBook]:
    """Return the mapping and the rule files."""
    mappings, rules, problems = check_files(files)
    if mappings is None or rules is None:
        tell(problems)
        raise typer.Exit(1)
    return mappings, rules
