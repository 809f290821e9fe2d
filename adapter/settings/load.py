"""Load the settings: the command line overrides the environment, that the file, that the defaults.

All problems are found in one pass, each with its place.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from adapter.errors import InvalidFiles
from adapter.files.problems import Mark, Problem, did_you_mean
from adapter.settings import convert, positions
from adapter.settings.checks import check
from adapter.settings.fields import FIELDS, SECTIONS, Field, Keys, build
from adapter.settings.named_destinations import named_fields
from adapter.settings.values import Settings

DEFAULT_FILE = "adapter.toml"
#: A second, shorter name of a setting.
_ALIASES = {"ADAPTER_STORE": ("store", "url")}


class GivenValue(Struct, frozen=True):
    """A value and its place; `text` when it has no type yet."""

    value: Any
    mark: Mark
    text: bool


class KnownSetting(Struct, frozen=True):
    """A setting that there is; `mark` is the place of its section where the file names that."""

    field: Field
    mark: Mark | None = None


def load(
    path: Path | None, environ: Mapping[str, str], options: Mapping[Keys, Any] | None = None
) -> Settings:
    """Return the settings; raises InvalidFiles with every problem found."""
    settings, problems = read(path, environ, options)
    errors = [problem for problem in problems if problem.severity == "error"]
    if settings is None or errors:
        raise InvalidFiles(errors)
    return settings


def read(
    path: Path | None, environ: Mapping[str, str], options: Mapping[Keys, Any] | None = None
) -> tuple[Settings | None, list[Problem]]:
    """Return the settings (None where a value is wrong) and every problem, warnings included.

    Without a path, adapter.toml in the working directory is read if it exists. `options` are the values of
    the command line by path.
    """
    given, known, problems = _given(path, environ, options or {})
    chosen: dict[Keys, Any] = {}
    for keys, one in given.items():
        value, wrong = convert.convert(known[keys].field, one.value, environ, one.mark, text=one.text)
        problems += wrong
        if not wrong:
            chosen[keys] = value
    if any(problem.severity == "error" for problem in problems):
        return None, sorted(problems, key=lambda problem: problem.mark)
    settings: Settings = build(chosen)
    marks = {keys: one.mark for keys, one in known.items() if one.mark is not None}
    problems += check(settings, marks | {keys: one.mark for keys, one in given.items()})
    return settings, problems


def place(
    keys: Keys, path: Path | None, environ: Mapping[str, str], options: Mapping[Keys, Any] | None = None
) -> Mark:
    """Return the place of a setting of `read`, for problems that are found later."""
    given, _, _ = _given(path, environ, options or {})
    return given[keys].mark if keys in given else Mark("default", 1, 1)


def _given(
    path: Path | None, environ: Mapping[str, str], options: Mapping[Keys, Any]
) -> tuple[dict[Keys, GivenValue], dict[Keys, KnownSetting], list[Problem]]:
    """Return the values as they are given, all settings that there are, and what is wrong."""
    file, problems = _file(path)
    named, wrong = named_fields(file.table, lambda keys: positions.nearest(file.marks, keys, file.name))
    fields = FIELDS | named
    problems += wrong
    given = dict(_from_file(file, file.table, fields, problems))
    given |= _from_environment(environ, fields, problems)
    known = {keys: KnownSetting(field) for keys, field in fields.items()}
    known |= {
        keys: KnownSetting(named[keys], positions.nearest(file.marks, keys, file.name)) for keys in named
    }
    for keys, value in options.items():
        given[keys] = GivenValue(value, Mark("command line", 1, 1), text=isinstance(value, str))
    return given, known, problems


class _File(Struct):
    name: str
    table: dict[str, Any] = {}
    marks: dict[Keys, Mark] = {}


def _file(path: Path | None) -> tuple[_File, list[Problem]]:
    at = path or Path(DEFAULT_FILE)
    name = str(at)
    if path is None and not at.exists():
        return _File(name), []
    try:
        text = at.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        remedy = "name an existing file with --config"
        message = f"cannot be read at `{at.absolute()}`: {reason.lower()}"
        return _File(name), [Problem(Mark(name, 1, 1), message, remedy)]
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        mark = positions.of_error(str(error), text, name)
        problem = Problem(mark, f"not TOML: {positions.without_place(str(error))}", "write `key = value`")
        return _File(name), [problem]
    except (RecursionError, ValueError):  # brackets without end, a number of thousands of digits
        mark = Mark(name, positions.longest_line(text), 1)
        return _File(name), [Problem(mark, "a value is too long or nested too deeply", "shorten it")]
    return _File(name, table, positions.places(text, name)), []


def _from_file(
    file: _File,
    table: Mapping[str, Any],
    known: Mapping[Keys, Field],
    problems: list[Problem],
    prefix: Keys = (),
) -> Iterator[tuple[Keys, GivenValue]]:
    for key, value in table.items():
        keys = (*prefix, key)
        mark = positions.nearest(file.marks, keys, file.name)
        if keys in known:
            yield keys, GivenValue(value, mark, text=False)
        elif keys not in SECTIONS and not any(each[: len(keys)] == keys for each in known):
            problems.append(_unknown(keys, known, mark))
        elif isinstance(value, dict):
            yield from _from_file(file, value, known, problems, keys)
        else:
            problems.append(
                Problem(mark, f"`{key}` is a section", f"write [{'.'.join(keys)}] above its keys")
            )


def _unknown(keys: Keys, known: Mapping[Keys, Field], mark: Mark) -> Problem:
    depth = len(keys) - 1
    siblings = {each[depth] for each in known if each[:depth] == keys[:-1] and len(each) > depth}
    what = "setting" if depth else "section"
    return Problem(mark, f"unknown {what} `{'.'.join(keys)}`", did_you_mean(keys[-1], siblings))


def _from_environment(
    environ: Mapping[str, str], known: Mapping[Keys, Field], problems: list[Problem]
) -> dict[Keys, GivenValue]:
    names: dict[str, Field] = {alias: FIELDS[keys] for alias, keys in _ALIASES.items()}
    names |= {field.variable: field for field in known.values()}
    mark = Mark("environment", 1, 1)
    sections = tuple("ADAPTER_" + "_".join(keys).upper() + "_" for keys in SECTIONS)
    for variable in environ:
        # Only a warning: Kubernetes sets ADAPTER_PORT and others for a service named adapter.
        if variable.startswith(sections) and variable not in names:
            remedy = did_you_mean(variable, names)
            problems.append(Problem(mark, f"`{variable}` has no effect", remedy, severity="warning"))
    return {
        field.keys: GivenValue(environ[variable], Mark(f"environment {variable}", 1, 1), text=True)
        for variable, field in names.items()
        if variable in environ
    }
