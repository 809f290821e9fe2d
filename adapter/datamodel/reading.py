"""`model.yaml` read and checked: every problem at once, with its place and what to write."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

from adapter.datamodel.declared import DataModel, Declared, DeclaredEvent, Policy, UnknownPolicy
from adapter.datamodel.types import NAMES, Type, parse_type
from adapter.files import yaml
from adapter.files.problems import Problem, did_you_mean

#: The file of a mapping directory that holds the data model.
MODEL_FILE = "model.yaml"
_FILE_KEYS = ("unknown", "misfit", "traits", "events", "context")
_EVENT_KEYS = ("description", "like", "attributes")
_DECLARED_KEYS = ("type", "required", "misfit", "description")
_MEANING = {
    "allow": "nothing is said of it",
    "keep": "it is taken as it is, and flagged",
    "quarantine": "its message is kept back",
}
_EVENT_NAME = re.compile(r"[^\W_A-Z]+(?:_[^\W_A-Z]+)*\Z")
_TYPES = "one of " + ", ".join(f"`{name}`" for name in NAMES) + ", or `array of string` and the like"


def load(directory: Path) -> tuple[DataModel | None, list[Problem]]:
    """Read the model of a mapping directory; None when there is none, or it has an error."""
    path = directory / MODEL_FILE
    if not path.is_file():
        return None, []
    document, problems = yaml.read(path)
    if document is None:
        return None, problems
    model, found = read(document)
    return (None if problems else model), [*problems, *found]


def read(document: yaml.Document) -> tuple[DataModel | None, list[Problem]]:
    """Return the model that a document holds, None when anything in it is wrong."""
    reading = _Reading(document)
    model = reading.model()
    return (None if reading.problems else model), sorted(reading.problems, key=lambda problem: problem.mark)


class _Reading:
    def __init__(self, document: yaml.Document) -> None:
        self.document = document
        self.problems: list[Problem] = []
        self.misfit: Policy = "keep"

    def refuse(self, path: yaml.Keys, message: str, remedy: str, *, key: bool = False) -> None:
        self.problems.append(self.document.problem(path, message, remedy, key=key))

    def model(self) -> DataModel:
        root = self.block((), self.document.value, _FILE_KEYS)
        self.misfit = self.policy(("misfit",), root.get("misfit")) or "keep"
        context = self.all_declared(("context",), root["context"]) if "context" in root else None
        return DataModel(
            traits=self.all_declared(("traits",), root.get("traits")),
            events=self.events(root.get("events")),
            context=context,
            unknown=self.unknown(root.get("unknown")),
            misfit=self.misfit,
            file=self.document.file,
        )

    def block(self, path: yaml.Keys, value: Any, known: Sequence[str] = ()) -> dict[str, Any]:
        """Return a block of `key: value` lines; one that is empty or no block is an empty one."""
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.refuse(path, "a block of `key: value` lines is needed here", "indent the keys under it")
            return {}
        for key in value:
            if known and key not in known:
                self.refuse((*path, key), f"unknown key `{key}`", did_you_mean(key, known), key=True)
        return value

    def unknown(self, value: Any) -> UnknownPolicy:
        word = self.word(("unknown",), value, get_args(UnknownPolicy))
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
        return {name: self.completed(name, blocks, read) for name in blocks}

    def event(self, path: yaml.Keys, name: str, value: Any) -> DeclaredEvent:
        if not _EVENT_NAME.match(name):
            words = "_".join(re.findall(r"[^\W_]+", name.lower()))
            self.refuse(path, f"`{name}` is no event's name: mappings make them snake_case",
                        f"write `{words}`", key=True)  # fmt: skip
        block = self.block(path, value, _EVENT_KEYS)
        attributes = self.all_declared((*path, "attributes"), block.get("attributes"))
        return DeclaredEvent(attributes, self.text((*path, "description"), block.get("description")))

    def completed(self, name: str, blocks: dict[str, Any], read: dict[str, DeclaredEvent]) -> DeclaredEvent:
        """Return the event with the attributes of those that it is like; its own win."""
        attributes = dict(read[name].attributes)
        seen = [name]
        while (like := _like(blocks[seen[-1]])) is not None:
            at = ("events", seen[-1], "like")
            if like not in read:
                self.refuse(at, f"`{like}` is no event of this file", did_you_mean(str(like), read))
                break
            if like in seen:
                self.refuse(at, f"`{name}` is like itself", "name the attributes of one of them")
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
        return None if kind is None else Declared(kind, required is True, misfit, text)

    def type(self, path: yaml.Keys, value: Any) -> Type | None:
        kind = parse_type(value) if isinstance(value, str) else None
        if kind is None:
            word = str(value).removeprefix("array of ")
            near = did_you_mean(word, NAMES)
            remedy = near if near.startswith("did you mean") else f"write {_TYPES}"
            self.refuse(path, f"`{value}` is no type", remedy)
        return kind

    def text(self, path: yaml.Keys, value: Any) -> str:
        if value is None or isinstance(value, str):
            return value or ""
        self.refuse(path, f"`{path[-1]}` is not text", "write a sentence, in quotes where it holds `: `")
        return ""


def _like(value: Any) -> Any:
    return value.get("like") if isinstance(value, dict) else None
