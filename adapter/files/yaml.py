"""Parse YAML with positions, and reject its traps.

Plain scalars follow the YAML 1.2 core schema, so `NO` can never become false; the words that
YAML 1.1 readers would turn into booleans must be quoted, and so must digits that begin with a zero,
which would lose it. Duplicate keys, merge keys, tags, infinite numbers, tabs, anchors that expand too much
and non-string keys are problems, each with its place.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

import yaml
from msgspec import Struct

from adapter.files.problems import Mark, Problem, did_you_mean

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]+(\.[0-9]*)?\Z")
_AMBIGUOUS = frozenset(
    word
    for plain in ("y", "yes", "n", "no", "on", "off")
    for word in (plain, plain.capitalize(), plain.upper())
)
_CONSTANTS: dict[str, Any] = {"": None, "~": None, "null": None, "Null": None, "NULL": None,
                              "true": True, "True": True, "TRUE": True,
                              "false": False, "False": False, "FALSE": False}  # fmt: skip
_TAGS = "tag:yaml.org,2002:"
#: A path; its first group is the part before the first bracket.
#: An entry of a list that begins with a text in quotes, and goes on.
_QUOTED_START = re.compile(r"""(\s*- )("[^"]*"\s*|'[^']*'\s*)(?=\S)""")
_PATH = re.compile(r"(\$[^\s\[\]{},\"']*)(?:\[[^\s\[\]{},\"]*\][^\s\[\]{},\"']*)+")
_MAX_NODES = 200_000
_MAX_DEPTH = 64
#: A depth that libyaml can compose on the stack of any thread.
_SAFE_DEPTH = 1000

Keys = tuple[str | int, ...]


class _Loader(yaml.CSafeLoader if hasattr(yaml, "CSafeLoader") else yaml.SafeLoader):  # type: ignore[misc]
    """Leaves the tag of a node empty unless the file has one: this module resolves scalars itself."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> str:
        """Return no tag."""
        del kind, value, implicit
        return ""


class Document(Struct, frozen=True):
    """One YAML file: plain values, and the place of each.

    `marks` maps the path of every value (keys and list indexes from the root, `()` for the root)
    to the place where the value starts; `key_marks` likewise to the place of its key. `text` is the
    file as it was read.
    """

    file: str
    value: Any
    marks: dict[Keys, Mark]
    key_marks: dict[Keys, Mark]
    text: str = ""

    def mark(self, *path: str | int) -> Mark:
        """Return the place of a value, or of the nearest value that contains it."""
        at: Keys = path
        while at and at not in self.marks:
            at = at[:-1]
        return self.marks.get(at, Mark(self.file, 1, 1))

    def key_mark(self, *path: str | int) -> Mark:
        """Return the place of the key that leads to a value, else the value's own."""
        return self.key_marks.get(path) or self.mark(*path)

    def problem(self, path: Keys, message: str, remedy: str = "", *, key: bool = False) -> Problem:
        """Return a problem at a value, or at its key."""
        return Problem(self.key_mark(*path) if key else self.mark(*path), message, remedy)

    def unknown_keys(self, path: Keys, block: dict[str, Any], known: Collection[str]) -> list[Problem]:
        """Return a problem for each unknown key of a block."""
        return [
            self.problem((*path, key), f"unknown key `{key}`", did_you_mean(key, known), key=True)
            for key in block
            if key not in known
        ]


def read(path: Path, shown_as: str | None = None) -> tuple[Document | None, list[Problem]]:
    """Read one YAML file; the document is None when it cannot be read at all."""
    name = shown_as or str(path)
    text, problems = read_text(path, name)
    return (None, problems) if text is None else parse(text, name)


def read_text(path: Path, name: str) -> tuple[str | None, list[Problem]]:
    """Return the text of a file, its lines ended as on Unix; None with the problem when it cannot be read.

    `name` is the file in the problem's position.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        remedy = "replace it by a readable file, or remove it"
        return None, [Problem(Mark(name, 1, 1), f"cannot be read: {error.strerror}", remedy)]
    try:
        return content.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n"), []
    except UnicodeDecodeError as error:
        place = _end(content[: error.start].decode("utf-8"), name)
        return None, [Problem(place, "the file is not UTF-8 text from here on", "save it as UTF-8 text")]


def _end(text: str, name: str) -> Mark:
    """Return the place directly after a text."""
    return Mark(name, text.count("\n") + 1, len(text) - text.rfind("\n"))


def parse(text: str, name: str) -> tuple[Document | None, list[Problem]]:
    """Parse YAML text; `name` is the file in every position."""
    building = _Building(name)
    try:
        _stop_when_deep(text, name)
        root = yaml.compose(text, Loader=_Loader)
        value = building.build(root, ()) if root is not None else None
    except yaml.MarkedYAMLError as error:
        return None, [_syntax(error, text, name)]
    except yaml.YAMLError as error:
        return None, [Problem(Mark(name, 1, 1), f"not YAML: {error}", "save it as UTF-8 text")]
    except _TooLarge as error:
        return None, [Problem(error.at, "the file expands to too many or too deeply nested values",
                              "use fewer aliases, or split it")]  # fmt: skip
    return Document(name, value, building.marks, building.key_marks, text), building.problems


def _stop_when_deep(text: str, name: str) -> None:
    """Raise _TooLarge where values nest too deeply: libyaml would overflow the stack when it composes them.

    A block needs a column for every two levels, other nesting a bracket. Levels are only counted where these
    do not bound the depth, because counting takes half as long as composing.
    """
    widest = max(map(len, text.split("\n")))
    if text.count("[") + text.count("{") + 2 * widest <= _SAFE_DEPTH:
        return
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _MAX_DEPTH + 1:
                raise _TooLarge(_at(event.start_mark, name))
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _at(mark: Any, name: str) -> Mark:
    return Mark(name, mark.line + 1, mark.column + 1)


def _syntax(error: yaml.MarkedYAMLError, text: str, name: str) -> Problem:
    at = error.problem_mark or error.context_mark
    line, column = (at.line, at.column) if at else (0, 0)
    lines = text.splitlines()
    here = lines[line] if line < len(lines) else ""
    if "\t" in here[: len(here) - len(here.lstrip())] or "'\\t'" in (error.problem or ""):
        return Problem(
            Mark(name, line + 1, here.find("\t") + 1), "the indentation contains a tab", "use spaces"
        )
    path = _PATH.match(here, _path_start(here, column)) if here[column : column + 1] == "[" else None
    if path is not None and path.end(1) == column:
        remedy = f'write "{path.group()}": between brackets, a path with `[` needs quotes'
        return Problem(Mark(name, line + 1, path.start() + 1), "the path ends at its `[`", remedy)
    begins_quoted = _QUOTED_START.match(lines[line]) if line < len(lines) else None
    if begins_quoted is not None and begins_quoted.end(2) == column:
        whole = begins_quoted[2] + here[column:]
        quote = '"' if "'" in whole else "'"
        remedy = f"quote all of it: - {quote}{whole.strip()}{quote}"
        return Problem(Mark(name, line + 1, column + 1), "the text goes on after its closing quote", remedy)
    return Problem(Mark(name, line + 1, column + 1), f"not YAML: {error.problem}",
                   "check the indentation, and quote text with `: ` or a sign at its start")  # fmt: skip


def _path_start(line: str, column: int) -> int:
    """Return the start of a path that may end before a column: the first `$` after a character of no path."""
    start = column
    while start and not line[start - 1].isspace() and line[start - 1] not in "[]{},\"'":
        start -= 1
    return max(line.find("$", start, column), 0)


class _TooLarge(Exception):
    def __init__(self, at: Mark) -> None:
        self.at = at


class _Building:
    def __init__(self, name: str) -> None:
        self.name = name
        self.marks: dict[Keys, Mark] = {}
        self.key_marks: dict[Keys, Mark] = {}
        self.problems: list[Problem] = []
        self.nodes = 0

    def at(self, node: yaml.Node) -> Mark:
        return _at(node.start_mark, self.name)

    def problem(self, node: yaml.Node, message: str, remedy: str) -> None:
        self.problems.append(Problem(self.at(node), message, remedy))

    def build(self, node: yaml.Node, path: Keys) -> Any:
        self.nodes += 1
        if self.nodes > _MAX_NODES or len(path) > _MAX_DEPTH:
            raise _TooLarge(self.at(node))
        self.marks[path] = self.at(node)
        if node.tag:
            self.tagged(node)
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item, (*path, index)) for index, item in enumerate(node.value)]
        return self.scalar(node)

    def tagged(self, node: yaml.Node) -> None:
        tag = str(node.tag)
        shown = f"!!{tag.removeprefix(_TAGS)}" if tag.startswith(_TAGS) else tag
        if shown == "!!str" and isinstance(node, yaml.ScalarNode):
            remedy = f"write {json.dumps(node.value, ensure_ascii=False)} for the text"
        elif shown.startswith("!!"):
            remedy = "remove it, and put text in quotes"
        else:
            remedy = "remove it, or put text that begins with `!` in quotes"
        self.problem(node, f"`{shown}` is a tag, which has no meaning here", remedy)

    def mapping(self, node: yaml.MappingNode, path: Keys) -> dict[str, Any]:
        built: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value) if isinstance(key_node, yaml.ScalarNode) else None
            if key is None:
                self.problem(key_node, "a key must be text", "write `key: value`")
                continue
            if key_node.tag:
                self.tagged(key_node)
            if key == "<<" and not key_node.style:
                self.problem(
                    key_node, "merge keys (`<<`) are not supported", "use `@merge`, or write all members"
                )
                continue
            if key in built:
                first = self.key_marks[(*path, key)]
                remedy = f"keep one of the two; the first is on line {first.line}"
                self.problem(key_node, f"`{key}` occurs twice in this block", remedy)
                continue
            self.key_marks[(*path, key)] = self.at(key_node)
            built[key] = self.build(value_node, (*path, key))
        return built

    def scalar(self, node: yaml.Node) -> Any:
        text = str(node.value)
        if isinstance(node, yaml.ScalarNode) and node.style:  # quoted or a block: always text
            return text
        if text in _CONSTANTS:
            return _CONSTANTS[text]
        trap = _trap(text)
        if trap is not None:
            self.problem(node, *trap)
            return text
        if _INTEGER.match(text):
            return int(text)
        return float(text) if _FLOAT.match(text) else text


def _trap(text: str) -> tuple[str, str] | None:
    """Return the problem of an ambiguous plain scalar, and its remedy."""
    if text in _AMBIGUOUS:
        message = f"`{text}` is a boolean to some YAML readers and text to others"
        return message, f'write "{text}" for the text, or true / false'
    if _LEADING_ZERO.match(text):
        message = f"`{text}` is a number that would lose its leading zero"
        return message, f'write "{text}" for the text, or the number without it'
    if _FLOAT.match(text) and math.isinf(float(text)):
        shown = text if len(text) <= 20 else f"{text[:19]}…"
        return f"`{shown}` is too large for a number", "write a smaller one, or quotes around text"
    return None
