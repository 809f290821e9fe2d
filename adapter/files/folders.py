"""Directories of mapping and rule files."""

from __future__ import annotations

import os
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path

from adapter.files.problems import Mark, Problem


def visible(folder: Path, *patterns: str) -> list[Path]:
    """Return the files of a directory that match these glob patterns, in the order of the paths.

    A pattern is of names, or of names at any depth where it begins with `**/`. Hidden paths, with any part
    below the directory that begins with `.`, are ignored: editors, notebooks and Kubernetes (`..data`) keep
    second copies there. So are directories that cannot be read, or that disappear meanwhile.
    """
    deep = [pattern.removeprefix("**/") for pattern in patterns if pattern.startswith("**/")]
    found = []
    for at, below, names in os.walk(folder):
        below[:] = [name for name in below if deep and not name.startswith(".")]
        wanted = deep if Path(at) != folder else [*deep, *patterns]
        found += [Path(at, name) for name in names if not name.startswith(".") and _matches(name, wanted)]
    return sorted(found)


def nothing_in(folder: Path, message: str) -> Problem:
    """Return the warning that a directory has no file of its kind."""
    remedy = "put a `*.yaml` file there, or name another folder"
    return Problem(Mark(str(folder), 1, 1), message, remedy, "warning")


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
