"""Put a draft in its file: only one that checks, and only in place of what its editor saw."""

from __future__ import annotations

import asyncio
from pathlib import Path

from msgspec import Struct

from adapter.errors import Forbidden, InvalidDraft, Refused, WrongMove
from adapter.files import contents
from adapter.files.problems import errors
from adapter.services.authoring.recorded_case import RecordedCase
from adapter.services.loaded_files import HasSettings
from adapter.services.playground import drafts as files
from adapter.services.playground.checking import DraftChecker
from adapter.services.playground.drafts import Draft


class WrittenFile(Struct, frozen=True):
    """A file that was written: its text before, None where it is new, and after."""

    path: str
    before: str | None
    after: str


class DraftWriter:
    """Writes files where `console.write_files` allows it; one at a time."""

    def __init__(self, checker: DraftChecker, of: HasSettings) -> None:
        self._checker = checker
        self._of = of
        self._one = asyncio.Lock()

    @property
    def allowed(self) -> bool:
        """Whether files are written."""
        return self._of.settings.console.write_files

    async def write(self, draft: Draft, digest: str) -> WrittenFile:
        """Replace or create the file of a draft, atomically and durably.

        `digest` is of the file as its editor saw it, empty for a new one. Raises Forbidden where no files are
        written, InvalidDraft with all errors, WrongMove where the file changed meanwhile, and Refused.
        """
        self._expect_allowed()
        async with self._one:
            checked = await self._checker.check(draft)
            if not checked.passes:
                problems = [*checked.problems, *checked.elsewhere]
                wrong = [str(each) for each in problems if each.severity == "error"]
                raise InvalidDraft("\n".join(wrong[:10]) or f"{errors(problems)} errors")
            return await asyncio.to_thread(self._put, draft, digest)

    async def write_case(self, made: RecordedCase, name: str) -> list[str]:
        """Write a fixture and its case into the folder of mappings; existing files stay. Raises Refused."""
        self._expect_allowed()
        folder = Path(self._of.settings.files.mappings)
        async with self._one:
            return await asyncio.to_thread(_put_case, folder, name, made)

    def _expect_allowed(self) -> None:
        if not self.allowed:
            raise Forbidden(
                "the console writes no files here: set `console.write_files = true`, or copy the text"
            )

    def _put(self, draft: Draft, digest: str) -> WrittenFile:
        known = files.read(self._of.settings.files, draft.kind, draft.name)
        if known.digest != digest:
            raise WrongMove(
                f"{known.path} has changed since it was opened: open it again, and make the change there"
            )
        path = Path(known.path)
        if path.is_symlink():
            raise Refused(f"{path} is a link, which writing would replace: edit the file that it leads to")
        _put(path, draft.text)
        return WrittenFile(known.path, known.text if digest else None, draft.text)


def _put_case(folder: Path, name: str, made: RecordedCase) -> list[str]:
    fixture, cases = folder / f"{name}.json", folder / f"{name}.test.yaml"
    for path in (fixture, cases):
        if path.exists():
            raise WrongMove(f"{path} exists: choose another name")
    _put(fixture, made.fixture)
    _put(cases, made.cases)
    return [str(fixture), str(cases)]


def _put(path: Path, text: str) -> None:
    try:
        contents.replace(path, text)
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror}") from error
