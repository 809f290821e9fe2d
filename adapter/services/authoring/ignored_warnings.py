"""Warnings that a comment at their line ignores, with a reason: `# adapter: ignore the app will send it`.

The comment is at the end of the warning's line, alone on a line above it, or behind the `>-` that begins the
text in which the warning is. A comment behind `extends:` ignores the warnings in the starters that it names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from msgspec import Struct

from adapter.files.problems import Mark, Problem, errors
from adapter.files.starters import is_starter

_COMMENT = re.compile(r"(?:^|\s)#\s*adapter:\s*ignore\b:?(.*)")
_BLOCK_TEXT = re.compile(r"[|>][+-]?[1-9]?[+-]?\s*(#.*)?$")
_ALONE = re.compile(r"\s*(#.*)?$")
_STARTER = re.compile(r"adapter/[a-z-]+@[0-9]+")


class Comment(Struct, frozen=True):
    """A comment that ignores warnings, where it is, and the files and lines whose warnings it ignores."""

    at: Mark
    reason: str
    lines: frozenset[tuple[str, int]]
    starters: frozenset[str]

    def covers(self, problem: Problem) -> bool:
        """Say whether it ignores this; never an error."""
        if problem.severity != "warning":
            return False
        mark = problem.mark
        return mark.file in self.starters if is_starter(mark.file) else (mark.file, mark.line) in self.lines


def comments(files: Iterable[Path]) -> list[Comment]:
    """Return the comments of files; one that cannot be read has none."""
    found: list[Comment] = []
    for path in files:
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            continue
        for index, line in enumerate(lines):
            if match := _COMMENT.search(line):
                found.append(_comment(str(path), lines, index, match))
    return found


def applied(
    problems: Sequence[Problem], files: Iterable[Path], everything: Callable[[], Sequence[Problem]]
) -> tuple[list[Problem], list[Problem]]:
    """Return the problems that stay, and the warnings that comments in these files ignore.

    A comment without a reason ignores nothing, and is a warning. So is one that ignores none of `everything`
    that there can be: `problems` may have been found without a part of the checks.
    """
    found = comments(files)
    good = [comment for comment in found if comment.reason]
    ignored = [each for each in problems if any(comment.covers(each) for comment in good)]
    stays = [each for each in problems if each not in ignored]
    stays += [_reasonless(comment) for comment in found if not comment.reason]
    if unused := _unused(problems, good):
        every = everything()
        # Beside an error, not every check has run.
        stays += map(_useless, [] if errors(every) else _unused(every, unused))
    return stays, ignored


def _unused(problems: Sequence[Problem], good: Sequence[Comment]) -> list[Comment]:
    return [one for one in good if not any(one.covers(problem) for problem in problems)]


def _useless(comment: Comment) -> Problem:
    message = "there is no warning here for this comment to ignore"
    return Problem(comment.at, message, "delete the comment", "warning")


def _comment(file: str, lines: Sequence[str], index: int, match: re.Match[str]) -> Comment:
    at = Mark(file, index + 1, match.start() + (match[0][:1] != "#") + 1)
    line = lines[index]
    if _ALONE.fullmatch(line):
        index = next((n for n in range(index, len(lines)) if not _ALONE.fullmatch(lines[n])), index)
        line = lines[index]
    covered = {index + 1, *_text_lines(lines, index)}
    named = (
        frozenset(_STARTER.findall(line))
        if line.lstrip().startswith(("extends:", "- adapter/"))
        else frozenset()
    )
    return Comment(at, match[1].strip(" :,-\t"), frozenset((file, number) for number in covered), named)


def _text_lines(lines: Sequence[str], index: int) -> list[int]:
    """Return the numbers of the lines of the text that begins behind this line's `>` or `|`."""
    if not _BLOCK_TEXT.search(lines[index]):
        return []
    indent = len(lines[index]) - len(lines[index].lstrip(" -"))
    found = []
    for number in range(index + 1, len(lines)):
        if lines[number].strip() and len(lines[number]) - len(lines[number].lstrip()) < indent:
            break
        found.append(number + 1)
    return found


def _reasonless(comment: Comment) -> Problem:
    remedy = "write why behind it: `# adapter: ignore the app will send it`"
    return Problem(comment.at, "the comment ignores a warning without a reason", remedy, "warning")
