"""`adapter check`."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from msgspec.structs import replace

from adapter.cli.settings import AsJson, Config, Mappings, Rules, Store, options
from adapter.errors import InvalidFiles
from adapter.files.folders import visible
from adapter.files.problems import Mark, Problem
from adapter.mapping import mapping_set
from adapter.mapping.testing import case_files
from adapter.rules.testing import cases as rule_cases
from adapter.rules.testing.vocabulary import known
from adapter.services.authoring import ignored_warnings
from adapter.services.authoring.file_checks import check_all
from adapter.settings.fields import Keys
from adapter.settings.load import place, read
from adapter.settings.values import Files, Settings
from adapter.sources.opendsr import Certificate

EXAMPLES = """\b
Examples:
  adapter check
  adapter check --rules drafts/
  adapter check --strict
  adapter check --portable
  adapter check --json"""

_YAML = ("**/*.yaml", "**/*.yml")
_CERTIFICATE = ("mparticle", "opendsr_certificate")

Portable = Annotated[
    bool, typer.Option("--portable", help="Also warn of mappings that Segment would not understand.")
]

Strict = Annotated[bool, typer.Option("--strict", help="Let warnings count as errors, for hooks and CI.")]


def check(
    *,
    store: Store = None,
    mappings: Mappings = None,
    rules: Rules = None,
    config: Config = None,
    portable: Portable = False,
    strict: Strict = False,
    as_json: AsJson = False,
) -> None:
    """Check settings, mappings, rules and their cases: every problem at once; exit code 1 on an error."""
    given, now = options(store, mappings, rules), datetime.now(UTC)
    problems, ignored = ignored_warnings.applied(
        all_problems(config, given, now, portable=portable),
        checked_files(config, given),
        lambda: all_problems(config, given, now, portable=True),
    )
    wrong = any(strict or problem.severity == "error" for problem in problems)
    if as_json:
        typer.echo(msgspec.json.encode({"ok": not wrong, "problems": [_plain(one) for one in problems],
                                       "ignored": [_plain(one) for one in ignored]}))  # fmt: skip
    else:
        for problem in problems:
            typer.echo(str(problem))
        if not wrong:
            warnings = f", with {len(problems)} warning{'s' * (len(problems) > 1)}" if problems else ""
            comments_used = f"; {len(ignored)} ignored by comments" if ignored else ""
            typer.echo(f"settings, mappings and rules are in order{warnings}{comments_used}")
    if wrong:
        raise typer.Exit(1)


def all_problems(
    config: Path | None, given: dict[Keys, Any], now: datetime, *, portable: bool = False
) -> list[Problem]:
    """Return the problems of all files; where the settings do not check, their folders still do."""
    settings, problems = read(config, os.environ, given)
    if settings is not None:
        problems += _uncertified(settings, place(_CERTIFICATE, config, os.environ, given))
    files = (settings or Settings(files=_folders(given))).files
    deciding = settings is None or settings.destinations.core is None
    found = check_all(files, settings, now)
    problems += found.problems
    cases, of_cases = case_files.load(Path(files.mappings))
    problems += of_cases
    if found.mappings:
        problems += case_files.unknown_names(found.mappings, cases)
    if deciding:
        vocabulary = known(found.rules, found.model) if found.rules else None
        problems += rule_cases.load(Path(files.rules), vocabulary)[1]
    return problems + (mapping_set.portability(Path(files.mappings)) if portable else [])


def checked_files(config: Path | None, given: dict[Keys, Any]) -> list[Path]:
    """Return the files that people write: settings, mappings, rules, model and cases."""
    settings, _ = read(config, os.environ, given)
    files = (settings or Settings(files=_folders(given))).files
    found = [path for folder in (files.mappings, files.rules) for path in visible(Path(folder), *_YAML)]
    return [*([config or Path("adapter.toml")] if (config or Path("adapter.toml")).is_file() else []), *found]


def _uncertified(settings: Settings, at: Mark) -> list[Problem]:
    try:
        Certificate.read(settings.mparticle.opendsr_certificate)
    except InvalidFiles as error:
        return [replace(problem, mark=at) for problem in error.problems]
    return []


def _folders(given: dict[Keys, Any]) -> Files:
    default = Files()
    return Files(
        given.get(("files", "mappings"), default.mappings), given.get(("files", "rules"), default.rules)
    )


def _plain(problem: Problem) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(problem)
    return {**plain.pop("mark"), **plain}
