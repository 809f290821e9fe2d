"""Read the settings: the command line wins over the environment, that over the file, that over defaults.

Every problem is found in one pass, each with the place where it stands.
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
from adapter.settings.values import Settings

DEFAULT_FILE = "adapter.toml"
#: A second, shorter name of a setting.
_ALIASES = {"ADAPTER_STORE": ("store", "url")}


class Given(Struct, frozen=True):
    """A value as somebody gave it, and where; `text` when it has no type yet."""

    value: Any
    mark: Mark
    text: bool


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

    Without a path, adapter.toml in the working directory is read where there is one. `options` are
    values by path, as the command line gave them.
    """
    given, problems = _given(path, environ, options or {})
    chosen: dict[Keys, Any] = {}
    for keys, one in given.items():
        value, wrong = convert.convert(FIELDS[keys], one.value, environ, one.mark, text=one.text)
        problems += wrong
        if not wrong:
            chosen[keys] = value
    if any(problem.severity == "error" for problem in problems):
        return None, sorted(problems, key=lambda problem: problem.mark)
    settings: Settings = build(chosen)
    problems += check(settings, {keys: one.mark for keys, one in given.items()})
    return settings, problems


def place(
    keys: Keys, path: Path | None, environ: Mapping[str, str], options: Mapping[Keys, Any] | None = None
) -> Mark:
    """Return where a setting of `read` stands, for what is found wrong with it later."""
    given, _ = _given(path, environ, options or {})
    return given[keys].mark if keys in given else Mark("default", 1, 1)


def _given(
    path: Path | None, environ: Mapping[str, str], options: Mapping[Keys, Any]
) -> tuple[dict[Keys, Given], list[Problem]]:
    file, problems = _file(path)
    given = dict(_from_file(file, file.table, problems))
    given |= _from_environment(environ, problems)
    for keys, value in options.items():
        given[keys] = Given(value, Mark("command line", 1, 1), text=isinstance(value, str))
    return given, problems


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
        remedy = "name a file that is there with --config"
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
    file: _File, table: Mapping[str, Any], problems: list[Problem], prefix: Keys = ()
) -> Iterator[tuple[Keys, Given]]:
    for key, value in table.items():
        keys = (*prefix, key)
        mark = positions.nearest(file.marks, keys, file.name)
        if keys in FIELDS:
            yield keys, Given(value, mark, text=False)
        elif keys not in SECTIONS:
            problems.append(_unknown(keys, mark))
        elif isinstance(value, dict):
            yield from _from_file(file, value, problems, keys)
        else:
            problems.append(
                Problem(mark, f"`{key}` is a section", f"write [{'.'.join(keys)}] above its keys")
            )


def _unknown(keys: Keys, mark: Mark) -> Problem:
    depth = len(keys) - 1
    siblings = {known[depth] for known in FIELDS if known[:depth] == keys[:-1] and len(known) > depth}
    what = "setting" if depth else "section"
    return Problem(mark, f"unknown {what} `{'.'.join(keys)}`", did_you_mean(keys[-1], siblings))


def _from_environment(environ: Mapping[str, str], problems: list[Problem]) -> dict[Keys, Given]:
    names: dict[str, Field] = {alias: FIELDS[keys] for alias, keys in _ALIASES.items()}
    names |= {field.variable: field for field in FIELDS.values()}
    mark = Mark("environment", 1, 1)
    sections = tuple("ADAPTER_" + "_".join(keys).upper() + "_" for keys in SECTIONS)
    for variable in environ:
        # A mere warning: Kubernetes sets ADAPTER_PORT and its like for a service named adapter.
        if variable.startswith(sections) and variable not in names:
            remedy = did_you_mean(variable, names)
            problems.append(Problem(mark, f"`{variable}` sets nothing", remedy, severity="warning"))
    return {
        field.keys: Given(environ[variable], Mark(f"environment {variable}", 1, 1), text=True)
        for variable, field in names.items()
        if variable in environ
    }
