"""Column names as a small path language: where a column's cells go.

    tier                    a name alone: a known column of the kind, else a trait or an attribute
    metadata.address.city   nested objects
    tags[]  tags[0]         a list; a member of a list
    metadata["a.b"]         a name with points, brackets or quotes
    metadata.level:json     the cells are JSON

Known names are recognised without regard to case; blanks and dashes are as good as `_`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from msgspec import Struct

from adapter.errors import InvalidImport

#: A name without need for brackets.
_PLAIN = re.compile(r"[^.\[\]\"]+")
_QUOTED = re.compile(r'\[("(?:[^"\\]|\\.)*")\]')
_INDEX = re.compile(r"\[(\d{0,4})\]\Z")
_JSON = ":json"
#: Names of a path: values nest as deeply as those that sources may send.
_MOST_NAMES = 32
#: Columns of the file of refused rows, which an import leaves out.
MARKS = ("import.row", "import.reason")


class Target(Struct, frozen=True):
    """Where a column goes: a path from a root. `index` is a place in a list, -1 all of it, None no list."""

    path: tuple[str, ...]
    index: int | None = None
    is_json: bool = False

    @property
    def root(self) -> str:
        """The first name of the path."""
        return self.path[0]

    @property
    def shown(self) -> str:
        """The path for people."""
        return ".".join(self.path)


class Kind(Struct, frozen=True, kw_only=True):
    """What one kind of rows has: `aliases` are names in normal form and their paths.

    `roots` are the names that begin a path, each with the root that it means; other names go below `rest`.
    Of each of `needed` a column must be there, unless one of `instead` is. `ignored` are left out.
    """

    name: str
    aliases: Mapping[str, tuple[str, ...]]
    roots: Mapping[str, str]
    rest: str
    needed: Mapping[str, str]
    instead: frozenset[tuple[str, ...]] = frozenset()
    ignored: frozenset[str] = frozenset()

    @property
    def known(self) -> frozenset[str]:
        """The names by which a header is recognised."""
        return frozenset((*self.aliases, *self.roots, *self.ignored, *map(normal, MARKS)))


def normal(name: str) -> str:
    """Return a column's name as known names are compared."""
    return name.strip().lower().replace(" ", "_").replace("-", "_").removesuffix("[]").removesuffix(_JSON)


def targets(
    header: Sequence[str], kind: Kind, renamed: Mapping[str, str] | None = None
) -> list[Target | None]:
    """Return the target of each column, None for one that is left out.

    `renamed` has other names for columns, empty for those to leave out. Raises InvalidImport with everything
    that is wrong.
    """
    found: list[Target | None] = []
    problems: list[str] = []
    for number, name in enumerate(header, 1):
        written = name if renamed is None else renamed.get(name, name)
        target = None
        if (
            written
            and normal(written) not in MARKS
            and not (written == name and _left_out(name, kind, header))
        ):
            try:
                target = _target(unguarded(written), kind)
            except ValueError as error:
                problems.append(f"column {number} ({name}) {error}")
        elif not name.strip() and renamed is None:
            problems.append(f"column {number} has no name")
        found.append(target)
    problems += _clashes(header, found)
    have = {each.path for each in found if each is not None}
    for needed, remedy in kind.needed.items():
        if (needed,) not in have and have.isdisjoint(kind.instead):
            problems.append(f"no column is `{needed}`: {remedy}")
    if problems:
        raise InvalidImport("; ".join(problems))
    return found


def unguarded(text: str) -> str:
    """Return a text without the apostrophe that an export put before a formula."""
    if text[:1] == "'":
        bare = text.lstrip("'")
        if bare and is_formula(bare):
            return text[1:]
    return text


#: With these a spreadsheet takes a cell for a formula; the last are full-width forms.
TRIGGERS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?\Z")


def is_formula(text: str) -> bool:
    """Return whether a spreadsheet may run a text: it begins with a trigger, and is no plain number."""
    return text.startswith(TRIGGERS) and _NUMBER.match(text) is None


def guarded(text: str) -> str:
    """Return a text with an apostrophe before it where a spreadsheet would run it."""
    return "'" + text if is_formula(text.lstrip("'")) else text


def written(path: Sequence[str], *, is_json: bool = False) -> str:
    """Return the column name of a path, so that `targets` reads the same path from it."""
    text = path[0]
    for name in path[1:]:
        plain = _PLAIN.fullmatch(name) and name == name.strip() and not name.endswith(_JSON)
        text += f".{name}" if plain else f"[{json.dumps(name, ensure_ascii=False)}]"
    return text + (_JSON if is_json else "")


def _left_out(name: str, kind: Kind, header: Sequence[str]) -> bool:
    return normal(name) in kind.ignored and len(header) > 1


def _target(name: str, kind: Kind) -> Target:
    is_json = name.endswith(_JSON)
    path, index = parsed(name.removesuffix(_JSON).strip())
    whole = kind.aliases.get(normal(name)) if len(path) == 1 or normal(name) in kind.aliases else None
    if whole is not None:
        return Target(whole, index, is_json)
    root = kind.roots.get(normal(path[0]))
    if root is not None and (len(path) > 1 or is_json or normal(path[0]) in _WHOLE):
        return Target((root, *path[1:]), index, is_json)
    return Target((kind.rest, *path), index, is_json)


#: Roots that may stand alone: their cells are whole objects or lists.
_WHOLE = frozenset(
    ("metadata", "traits", "attributes", "properties", "context", "address", "identities", "segments", "user")
)


def parsed(name: str) -> tuple[tuple[str, ...], int | None]:
    """Return the path of a name and its index in a list; raises ValueError with what is wrong."""
    index: int | None = None
    found = _INDEX.search(name)
    if found is not None:
        name = name[: found.start()]
        index = int(found[1]) if found[1] else -1
    path: list[str] = []
    at = 0
    while at < len(name):
        quoted = _QUOTED.match(name, at)
        if quoted is not None:
            path.append(json.loads(quoted[1]))
            at = quoted.end()
        else:
            if path and name[at] == ".":
                at += 1
            plain = _PLAIN.match(name, at)
            if plain is None:
                raise ValueError("has an empty name between points" if name[at : at + 1] in (".", "")
                                 else "has a bracket that is not closed, or a quote")  # fmt: skip
            path.append(plain[0].strip())
            at = plain.end()
            if not path[-1]:
                raise ValueError("has an empty name between points")
    if not path or name.endswith("."):
        raise ValueError("has an empty name between points")
    if len(path) > _MOST_NAMES:
        raise ValueError(f"nests deeper than {_MOST_NAMES} names")
    return tuple(path), index


def _clashes(header: Sequence[str], found: Sequence[Target | None]) -> list[str]:
    """Return what is wrong between columns: two of one target, and a value that is an object elsewhere."""
    problems: list[str] = []
    at: dict[tuple[str, ...], list[int]] = {}
    for place, target in enumerate(found):
        if target is not None:
            at.setdefault(target.path, []).append(place)
    for path, places in at.items():
        indexes = [found[place].index for place in places if found[place] is not None]  # type: ignore[union-attr]
        apart = len(set(indexes)) == len(indexes) and all(each is not None and each >= 0 for each in indexes)
        if len(places) > 1 and not apart:
            named = " and ".join(f"{place + 1} ({header[place]})" for place in places)
            problems.append(
                f"columns {named} both mean {_shown(path)}: rename one, or leave it out with --column"
            )
        for length in range(2, len(path)):  # a root alone is an object already
            above = at.get(path[:length])
            if above is not None:
                problems.append(
                    f"{header[above[0]]} is a value in column {above[0] + 1} "
                    f"and an object in column {places[0] + 1}"
                )
    return problems


def _shown(path: tuple[str, ...]) -> str:
    return ".".join(path[1:] if path[0] in {"fields", "traits", "attributes"} and len(path) > 1 else path)
