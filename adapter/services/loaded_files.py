"""Load the mapping and rule files, and the data model against which both are checked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from adapter.datamodel import load as data_model
from adapter.datamodel.declarations import DataModel
from adapter.errors import InvalidFiles
from adapter.files.problems import Problem
from adapter.mapping import mapping_set
from adapter.mapping.files import mapping_file
from adapter.mapping.lint import lint
from adapter.mapping.mapping_set import MappingSet
from adapter.mapping.placeholders import Placeholders
from adapter.rules.engine import ruleset
from adapter.rules.engine.ruleset import RuleSet
from adapter.rules.expressions import Names
from adapter.rules.files import model_names
from adapter.settings.values import Files, Settings


class LoadedFiles(Struct):
    """The current files. Each attribute is replaced as a whole when files change; read it once per use."""

    mappings: MappingSet
    rules: RuleSet

    def code_pools(self) -> frozenset[str]:
        """Return the code pools that the current rules take codes from."""
        return self.rules.code_pools


class Drafts(Struct, frozen=True):
    """Files that are read beside those of the folders, in the place of those of their names."""

    mappings: Sequence[Path] = ()
    rules: Sequence[Path] = ()


#: The files of the folders alone.
NO_DRAFTS = Drafts()


class CheckedFiles(Struct, frozen=True):
    """The result of reading the files; `mappings`, `rules` or `model` is None where it has an error."""

    mappings: MappingSet | None
    rules: RuleSet | None
    model: DataModel | None
    problems: list[Problem]


def placeholders(settings: Settings) -> Placeholders:
    """Return the placeholders of the settings."""
    return Placeholders((*settings.identities.placeholders, *settings.identities.more_placeholders))


def read_files(
    settings: Settings, known: Placeholders | None = None, drafts: Drafts = NO_DRAFTS
) -> LoadedFiles:
    """Return the mapping and rule files; raises InvalidFiles with all their problems.

    `known` are placeholders whose counts are kept over several readings. `drafts` are read beside the files.
    """
    found = check_files(
        settings.files,
        placeholders=known or placeholders(settings),
        destinations=settings.destinations.names,
        deciding=settings.destinations.core is None,
        drafts=drafts,
    )
    if found.mappings is None or found.rules is None:
        raise InvalidFiles(found.problems)
    return LoadedFiles(found.mappings, found.rules)


class HasSettings(Protocol):
    """What has the settings in force, which a reload replaces."""

    settings: Settings


class FilesInForce:
    """Reads the files that the settings in force name; `known` are placeholders that are kept."""

    def __init__(self, of: HasSettings, known: Placeholders) -> None:
        self._of = of
        self._known = known

    def read(self) -> LoadedFiles:
        """Return the files; raises InvalidFiles with all their problems."""
        return read_files(self._of.settings, self._known)


class FilesFit:
    """Refuses settings that lack a destination to which a rule of the files pushes; `known` as above."""

    def __init__(self, of: HasSettings, known: Placeholders) -> None:
        self._of = of
        self._known = known

    async def prepare(self, fresh: Settings) -> Callable[[], None]:
        """Read the files against other destinations; raises InvalidFiles. Nothing is to be exchanged."""
        if fresh.destinations.names != self._of.settings.destinations.names:
            await asyncio.to_thread(read_files, fresh, self._known)
        return lambda: None


def mapped_by(settings: Settings, file: Path, files: LoadedFiles) -> MappingSet:
    """Return the mappings of one file, with the data model of those in force; raises InvalidFiles."""
    found, problems = mapping_file.load([file])
    problems += lint.findings(found)
    if any(problem.severity == "error" for problem in problems):
        raise InvalidFiles(problems)
    return MappingSet(found, files.mappings.model, placeholders(settings))


def check_files(
    files: Files,
    now: datetime | None = None,
    placeholders: Placeholders | None = None,
    destinations: frozenset[str] | None = None,
    *,
    deciding: bool = True,
    drafts: Drafts = NO_DRAFTS,
) -> CheckedFiles:
    """Read the data model, and check mappings and rules against it.

    Dates before `now` are warnings; without `now` there are none. Rules may push to `destinations`, to any if
    that is None. A process that is not `deciding`, because a remote core does, needs no rules: none are read.
    `drafts` are read beside the files of the folders.
    """
    directory = Path(files.mappings)
    model, of_model = data_model.load(directory)
    mappings, problems = mapping_set.load(directory, placeholders, (model, of_model), drafts.mappings)
    names = model_names.names(model) if model is not None else Names()
    if mappings is not None:
        names = replace(names, spelled=mappings.names)
    names = replace(names, destinations=destinations)
    if placeholders is not None:
        names = replace(names, placeholders=placeholders)
    if not deciding:
        return CheckedFiles(mappings, ruleset.without_rules(names.spelled), model, problems)
    rules, of_rules = ruleset.load(Path(files.rules), names, now, drafts.rules)
    return CheckedFiles(mappings, rules, model, [*problems, *of_rules])
