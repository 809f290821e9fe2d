"""The starter files that the package carries, which files of a project extend: `extends: adapter/segment@1`.

They are `adapter/starters/KIND/NAME@VERSION.yaml`. A released version never changes: changed starters get the
next version (`scripts/starters`). So an upgrade of the package changes nothing in a project until its files
name the new version.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Literal

from adapter.files import yaml
from adapter.files.problems import Problem, did_you_mean
from adapter.files.yaml import Document, Keys

Kind = Literal["mappings", "rules", "definitions", "model"]

#: Where the package has its starters, and the parts of a new project.
FOLDER = Path(__file__).parents[1] / "starters"
_REFERENCE = re.compile(r"adapter/([a-z][a-z-]*)@([1-9][0-9]{0,5})")


def is_starter(file: str) -> bool:
    """Say whether the file of a position is a starter, such as `adapter/segment@1`."""
    return _REFERENCE.fullmatch(file) is not None


def references(kind: Kind) -> list[str]:
    """Return what files of a kind may extend, by name and version."""
    names = [path.stem.split("@") for path in (FOLDER / kind).glob("*@*.yaml")]
    return [
        f"adapter/{name}@{number}" for name, number in sorted(names, key=lambda one: (one[0], int(one[1])))
    ]


def latest(kind: Kind, name: str) -> str:
    """Return the reference of the newest version of a starter; raises LookupError where there is none."""
    found = [each for each in references(kind) if each.startswith(f"adapter/{name}@")]
    if not found:
        raise LookupError(name)
    return found[-1]


def text(kind: Kind, reference: str) -> str:
    """Return the text of a starter."""
    return _path(kind, reference).read_text(encoding="utf-8")


def extended(
    kind: Kind, document: Document, path: Keys = ("extends",)
) -> tuple[list[Document], list[Problem]]:
    """Return the starters that a file extends, in its order, and the problems of what it names.

    Positions in them name the starter: `adapter/segment@1:33:5`. Their values are shared: do not change them.
    """
    value = document.value.get("extends") if isinstance(document.value, dict) else None
    if value is None:
        return [], []
    places: list[tuple[Keys, object]] = [(path, value)]
    if isinstance(value, list):
        places = [((*path, index), each) for index, each in enumerate(value)]
    found, problems = [], []
    for at, each in places:
        problem = _unknown(kind, document, at, each)
        if problem is None:
            found.append(_read(kind, str(each)))
        else:
            problems.append(problem)
    return found, problems


def overlaid(base: Document, own: Document, deep: frozenset[Keys]) -> Document:
    """Return a document with the values of both, of which those of `own` win; each keeps its position.

    Blocks at paths of `deep` are joined by their keys, `*` stands for any key; all others are replaced whole.
    """
    taken: set[Keys] = set()
    value = _joined(base.value, own.value, (), deep, taken)
    marks = {path: mark for path, mark in base.marks.items() if not _below(path, taken)} | own.marks
    keys = {path: mark for path, mark in base.key_marks.items() if not _below(path, taken)} | own.key_marks
    return Document(own.file, value, marks, keys, own.text)


def _joined(base: object, own: object, path: Keys, deep: frozenset[Keys], taken: set[Keys]) -> object:
    if not (isinstance(base, dict) and isinstance(own, dict) and _matches(path, deep)):
        taken.add(path)
        return own
    joined = dict(base)
    for key, value in own.items():
        joined[key] = _joined(base[key], value, (*path, key), deep, taken) if key in base else value
    return joined


def _matches(path: Keys, patterns: frozenset[Keys]) -> bool:
    return any(
        len(pattern) == len(path)
        and all(wanted in {"*", key} for wanted, key in zip(pattern, path, strict=True))
        for pattern in patterns
    )


def _below(path: Keys, taken: set[Keys]) -> bool:
    return any(path[:length] in taken for length in range(len(path) + 1))


def _unknown(kind: Kind, document: Document, at: Keys, value: object) -> Problem | None:
    known = references(kind)
    if isinstance(value, str) and value in known:
        return None
    if not isinstance(value, str):
        return document.problem(at, "`extends` is no starter", f"write `{known[0]}`")
    name, _, version = value.partition("@")
    versions = [each for each in known if each.startswith(f"{name}@")]
    if versions and not version:
        return document.problem(at, f"`{value}` names no version", f"write `{versions[-1]}`")
    if versions:
        remedy = "known are " + ", ".join(f"`{each}`" for each in versions)
        return document.problem(at, f"this adapter has no `{value}`", f"{remedy}; or upgrade the adapter")
    return document.problem(
        at, f"this adapter has no starter `{value}` for this file", did_you_mean(value, known)
    )


def _path(kind: Kind, reference: str) -> Path:
    return FOLDER / kind / f"{reference.removeprefix('adapter/')}.yaml"


@lru_cache(maxsize=64)
def _read(kind: Kind, reference: str) -> Document:
    document, problems = yaml.read(_path(kind, reference), reference)
    if document is None or problems:
        raise ValueError(f"the installation is damaged: {reference}")
    return document
