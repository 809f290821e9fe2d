"""The files that may be edited as drafts, and their texts."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Literal

from msgspec import Struct

from adapter.errors import InvalidDraft, NotFound
from adapter.files.folders import visible
from adapter.services.dry_runs.drafts import DraftTexts, is_draft_name
from adapter.settings.values import Files

#: What a draft is of, as the folders are called in the settings.
Kind = Literal["mappings", "rules"]
#: Names of files that are listed; a file that is not can still be named.
MOST_LISTED = 500


class Draft(Struct, frozen=True):
    """The text of a file of mappings or rules, in place of what the file says."""

    kind: Kind
    name: str
    text: str


class FileText(Struct, frozen=True):
    """A file as it is on disk: `digest` names its exact content, empty where there is no such file."""

    name: str
    path: str
    text: str
    digest: str


def folder_of(files: Files, kind: Kind) -> Path:
    """Return the folder of a kind of files."""
    return Path(files.mappings if kind == "mappings" else files.rules)


def names(files: Files, kind: Kind) -> list[str]:
    """Return the names of the files of a kind, in order, the first `MOST_LISTED` of them."""
    found = (path.name for path in visible(folder_of(files, kind), "*.yaml", "*.yml"))
    return [name for name in found if is_draft_name(name)][:MOST_LISTED]


def read(files: Files, kind: Kind, name: str) -> FileText:
    """Return a file; an empty text and digest where there is none yet. Raises InvalidDraft and NotFound."""
    if not is_draft_name(name):
        raise InvalidDraft(f"`{name[:120]}` is not the name of a mapping or rule file, such as `vip.yaml`")
    path = folder_of(files, kind) / name
    try:
        content = path.read_bytes()
        return FileText(name, str(path), content.decode(), sha256(content).hexdigest())
    except FileNotFoundError:
        return FileText(name, str(path), "", "")
    except UnicodeDecodeError:
        raise InvalidDraft(f"{path} is not UTF-8 text") from None
    except OSError as error:
        raise NotFound(f"{path} cannot be read: {error.strerror}") from error


def texts(drafts: list[Draft]) -> DraftTexts:
    """Return drafts as a dry run takes them."""
    return DraftTexts(
        {each.name: each.text for each in drafts if each.kind == "mappings"},
        {each.name: each.text for each in drafts if each.kind == "rules"},
    )
