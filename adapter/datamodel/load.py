"""Load and check `model.yaml` and its parts: all problems at once, each with its place and a remedy.

A part (`travel.model.yaml`) declares more traits, context and events, and more attributes of events.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, get_args

from msgspec.structs import replace

from adapter.datamodel.constraints_block import CONSTRAINTS, Refuse, read_constraints
from adapter.datamodel.declarations import DataModel, Declared, DeclaredEvent, Policy, UnknownPolicy
from adapter.datamodel.types import NAMES, Type, parse_type
from adapter.files import starters, yaml
from adapter.files.folders import visible
from adapter.files.problems import Problem, did_you_mean

#: The file of a mapping directory that holds the data model; its parts are named `*.model.yaml`.
MODEL_FILE = "model.yaml"
#: Files that are kept, as they were parsed, for the next reading.
_MOST_PARSED = 16
_PART_KEYS = ("traits", "events", "context")
_FILE_KEYS = ("unknown", "misfit", *_PART_KEYS)
#: The blocks that a file and the starters that it extends have together; in all others its own are alone.
_JOINED: frozenset[yaml.Keys] = frozenset(
    {(), ("traits",), ("context",), ("events",), ("events", "*"), ("events", "*", "attributes")}
)
_EVENT_KEYS = ("description", "like", "attributes")
_DECLARED_KEYS = ("type", "required", "misfit", "description", "of", *CONSTRAINTS)
_MEANING = {
    "allow": "stored without a flag",
    "keep": "stored unchanged, and flagged",
    "quarantine": "the message is quarantined",
}
_EVENT_NAME = re.compile(r"[^\W_A-Z]+(?:_[^\W_A-Z]+)*\Z")
_TYPES = "one of " + ", ".join(f"`{name}`" for name in NAMES) + ", or `array of string` and the like"


def is_model(path: Path) -> bool:
    """Return whether a file of a mapping directory is the data model, or a part of it."""
    return path.name == MODEL_FILE or path.name.endswith(f".{MODEL_FILE}")


def load(directory: Path) -> tuple[DataModel | None, list[Problem]]:
    """Return the model of a mapping directory with its parts (None if missing or invalid), and problems."""
    model: DataModel | None = None
    problems: list[Problem] = []
    for path in (directory / MODEL_FILE, *visible(directory, f"*.{MODEL_FILE}")):
        document, found = _document(path) if path.is_file() else (None, [])
        problems += found
        if document is not None:
            document, found = _with_starters(document)
            problems += found
            read_so_far, found = read(document, model)
            model = read_so_far or model
            problems += found
    return (None if problems else model), problems


def _document(path: Path) -> tuple[yaml.Document | None, list[Problem]]:
    text, problems = yaml.read_text(path, str(path))
    return (None, problems) if text is None else _parsed(text, str(path))


@lru_cache(maxsize=_MOST_PARSED)
def _parsed(text: str, name: str) -> tuple[yaml.Document | None, list[Problem]]:
    """Parse a file, or return what the same text was parsed to: a reload parses what has changed."""
    return yaml.parse(text, name)


def _with_starters(document: yaml.Document) -> tuple[yaml.Document, list[Problem]]:
    """Return a document with what the starters declare that it extends; its own declarations win."""
    bases, problems = starters.extended("model", document)
    if not isinstance(document.value, dict) or "extends" not in document.value:
        return document, problems
    own = {key: value for key, value in document.value.items() if key != "extends"}
    joined = replace(document, value=own)
    for base in reversed(bases):
        joined = starters.overlaid(base, joined, _JOINED)
    return joined, problems


def read(document: yaml.Document, whole: DataModel | None = None) -> tuple[DataModel | None, list[Problem]]:
    """Return the model of a document, or `whole` with this part added; None where the document is invalid."""
    reading = _Reading(document, whole)
    model = reading.model()
    return (None if reading.problems else model), sorted(reading.problems, key=lambda problem: problem.mark)


class _Reading:
    def __init__(self, document: yaml.Document, whole: DataModel | None) -> None:
        self.document = document
        self.whole = whole or DataModel(file=document.file)
        self.known = _FILE_KEYS if whole is None else _PART_KEYS
        self.problems: list[Problem] = []
        self.misfit = self.whole.misfit

    def refuse(self, path: yaml.Keys, message: str, remedy: str, *, key: bool = False) -> None:
        self.problems.append(self.document.problem(path, message, remedy, key=key))

    def model(self) -> DataModel:
        root, whole = self.block((), self.document.value, self.known), self.whole
        self.misfit = self.policy(("misfit",), root.get("misfit")) or whole.misfit
        context = self.all_declared(("context",), root["context"]) if "context" in root else {}
        stays = whole.context is None and "context" not in root
        return DataModel(
            traits=self.joined(("traits",), whole.traits, self.all_declared(("traits",), root.get("traits"))),
            events=self.events(root.get("events")),
            context=None if stays else self.joined(("context",), whole.context or {}, context),
            unknown=self.unknown(root.get("unknown")),
            misfit=self.misfit,
            file=whole.file,
        )

    def joined(
        self, path: yaml.Keys, known: dict[str, Declared], added: dict[str, Declared]
    ) -> dict[str, Declared]:
        """Return both; declarations of the same name must be equal."""
        for name in known.keys() & added.keys():
            if not known[name].agrees(added[name]):
                self.refuse((*path, name), f"`{name}` has another declaration in the rest of the model: "
                            f"{known[name].type}", "declare it once, or equally", key=True)  # fmt: skip
        return {**known, **added}

    def block(self, path: yaml.Keys, value: Any, known: Sequence[str] = ()) -> dict[str, Any]:
        """Return a block of `key: value` lines; an empty one where the value is empty or no block."""
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.refuse(path, "expected a block of `key: value` lines", "indent the keys under it")
            return {}
        if known:
            self.problems += self.document.unknown_keys(path, value, known)
        return value

    def unknown(self, value: Any) -> UnknownPolicy:
        word = self.word(("unknown",), value, get_args(UnknownPolicy)) or self.whole.unknown
        return "quarantine" if word == "quarantine" else "keep" if word == "keep" else "allow"

    def policy(self, path: yaml.Keys, value: Any) -> Policy | None:
        word = self.word(path, value, get_args(Policy))
        return "quarantine" if word == "quarantine" else "keep" if word == "keep" else None

    def word(self, path: yaml.Keys, value: Any, words: Sequence[str]) -> Any:
        if value is not None and value not in words:
            remedy = "write " + ", ".join(f"`{word}` ({_MEANING[word]})" for word in words)
            self.refuse(path, f"`{path[-1]}` cannot be `{value}`", remedy)
        return value

    def events(self, value: Any) -> dict[str, DeclaredEvent]:
        blocks = self.block(("events",), value)
        read = {name: self.event(("events", name), name, event) for name, event in blocks.items()}
        completed = {name: self.completed(name, blocks, read) for name in blocks}
        return {**self.whole.events, **{name: self.extended(name, completed[name]) for name in completed}}

    def extended(self, name: str, event: DeclaredEvent) -> DeclaredEvent:
        """Return an event with its attributes from the rest of the model."""
        known = self.whole.events.get(name, DeclaredEvent())
        at = ("events", name, "attributes")
        attributes = self.joined(at, known.attributes, event.attributes)
        return DeclaredEvent(attributes, event.description or known.description)

    def event(self, path: yaml.Keys, name: str, value: Any) -> DeclaredEvent:
        if not _EVENT_NAME.match(name):
            words = "_".join(re.findall(r"[^\W_]+", name.lower()))
            self.refuse(path, f"`{name}` is not a valid event name: event names are in snake_case",
                        f"write `{words}`", key=True)  # fmt: skip
        block = self.block(path, value, _EVENT_KEYS)
        attributes = self.all_declared((*path, "attributes"), block.get("attributes"))
        return DeclaredEvent(attributes, self.text((*path, "description"), block.get("description")))

    def completed(self, name: str, blocks: dict[str, Any], read: dict[str, DeclaredEvent]) -> DeclaredEvent:
        """Return the event with the attributes that it inherits (`like`); its own take precedence."""
        attributes = dict(read[name].attributes)
        seen = [name]
        while (like := _like(blocks[seen[-1]])) is not None:
            at = ("events", seen[-1], "like")
            if not isinstance(like, str):
                self.refuse(
                    at, "`like` is not the name of an event", "write the name of one event, without brackets"
                )
                break
            if like not in read:
                known = self.whole.events
                if like in known:
                    attributes = {**known[like].attributes, **attributes}
                else:
                    near = did_you_mean(like, (*read, *known))
                    self.refuse(at, f"`{like}` is not an event of the model", near)
                break
            if like in seen:
                self.refuse(
                    at,
                    f"`{name}` inherits from itself (`like`)",
                    "write the attributes of one of these events",
                )
                break
            attributes = {**read[like].attributes, **attributes}
            seen.append(like)
        return DeclaredEvent(attributes, read[name].description)

    def all_declared(self, path: yaml.Keys, value: Any) -> dict[str, Declared]:
        return {
            name: declared
            for name, entry in self.block(path, value).items()
            if (declared := self.declared((*path, name), entry)) is not None
        }

    def declared(self, path: yaml.Keys, value: Any) -> Declared | None:
        if isinstance(value, str):
            kind = self.type(path, value)
            return None if kind is None else Declared(kind, misfit=self.misfit)
        block = self.block(path, value, _DECLARED_KEYS)
        if "type" not in block:
            if isinstance(value, dict) or value is None:
                self.refuse(path, f"`{path[-1]}` has no type", f"write {_TYPES}", key=True)
            return None
        kind = self.type((*path, "type"), block["type"])
        required = block.get("required", False)
        if not isinstance(required, bool):
            self.refuse((*path, "required"), "`required` is neither true nor false", "write true or false")
        misfit = self.policy((*path, "misfit"), block.get("misfit")) or self.misfit
        text = self.text((*path, "description"), block.get("description"))
        of = self.all_declared((*path, "of"), block.get("of"))
        if of and kind is not None and kind.name != "object":
            self.refuse(
                (*path, "of"), f"`{kind}` has no members", "declare an `object`, or drop `of`", key=True
            )
        if kind is None:
            return None
        refuse: Refuse = lambda key, message, remedy: self.refuse((*path, key), message, remedy)  # noqa: E731
        return Declared(kind, required is True, misfit, text, of, read_constraints(kind, block, refuse))

    def type(self, path: yaml.Keys, value: Any) -> Type | None:
        kind = parse_type(value) if isinstance(value, str) else None
        if kind is None:
            word = str(value).removeprefix("array of ")
            near = did_you_mean(word, NAMES)
            remedy = near if near.startswith("did you mean") else f"write {_TYPES}"
            self.refuse(path, f"`{value}` is not a type", remedy)
        return kind

    def text(self, path: yaml.Keys, value: Any) -> str:
        if value is None or isinstance(value, str):
            return value or ""
        self.refuse(path, f"`{path[-1]}` is not text", "write a sentence, in quotes if it contains `: `")
        return ""


def _like(value: Any) -> Any:
    return value.get("like") if isinstance(value, dict) else None
