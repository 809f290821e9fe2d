"""Draft rules and mappings: texts of files that take the place of those in force for one dry run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec import Struct

from adapter.errors import InvalidDraft, InvalidFiles
from adapter.files.problems import errors
from adapter.services.loaded_files import Drafts, LoadedFiles, placeholders, read_files
from adapter.settings.values import Settings

#: A file directly in its folder, which is read: no test cases, nothing hidden, and not the data model.
_NAME = re.compile(r"(?!model\.ya?ml$)[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}\.ya?ml")
#: Files of one request.
_MOST = 50


class DraftTexts(Struct, frozen=True):
    """Texts of files by the names that they would have in the folders of mappings and rules."""

    mappings: Mapping[str, str] = {}
    rules: Mapping[str, str] = {}


def with_drafts(settings: Settings, texts: DraftTexts) -> LoadedFiles:
    """Return the files of the folders with drafts laid over them; raises InvalidDraft with all problems."""
    with laid_out(texts) as (drafts, place):
        try:
            return read_files(settings, placeholders(settings), drafts)
        except InvalidFiles as error:
            raise InvalidDraft(_told(error, f"{place}/")) from None


@contextmanager
def laid_out(texts: DraftTexts) -> Iterator[tuple[Drafts, Path]]:
    """Write drafts into a private folder, removed at the end; raises InvalidDraft for their names."""
    with TemporaryDirectory(prefix="adapter-drafts-") as folder:
        place = Path(folder).resolve()
        yield (
            Drafts(_written(place / "mappings", texts.mappings), _written(place / "rules", texts.rules)),
            place,
        )


def is_draft_name(name: str) -> bool:
    """Tell whether a file of mappings or rules may have this name."""
    return _NAME.fullmatch(name) is not None and not name.endswith((".test.yaml", ".test.yml"))


def _written(folder: Path, texts: Mapping[str, str]) -> list[Path]:
    if len(texts) > _MOST:
        raise InvalidDraft(f"there are {len(texts)} draft files; send {_MOST} at most")
    folder.mkdir()
    return [_file(folder, name, text) for name, text in texts.items()]


def _file(folder: Path, name: str, text: str) -> Path:
    if not is_draft_name(name):
        raise InvalidDraft(f"`{name[:120]}` is not the name of a mapping or rule file, such as `vip.yaml`")
    (folder / name).write_text(text, encoding="utf-8", errors="replace")
    return folder / name


def _told(error: InvalidFiles, place: str) -> str:
    """Return the errors of files in one sentence, with their places but without where the drafts were."""
    wrong = [str(problem).replace(place, "") for problem in error.problems if problem.severity == "error"]
    more = errors(error.problems) - len(wrong[:10])
    return "\n".join(wrong[:10]) + (f"\nand {more} more" if more else "")
