"""What cases gave, written into their files: `adapter test --update`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from adapter.files import contents, yaml
from adapter.files.dumping import dump
from adapter.mapping.testing.cases import Result

_RECORDED = ("expect", "quarantined")


def record(results: Sequence[Result]) -> list[Path]:
    """Write the outcome of every case that did not pass into its file; return the files changed.

    Only the lines of `expect` and `quarantined` change; comments and the rest stay as they were.
    """
    failed: dict[Path, list[Result]] = defaultdict(list)
    for result in results:
        if not result.passed:
            failed[result.case.path].append(result)
    for path, changed in failed.items():
        before, _ = yaml.read(path)
        lines = before.text.splitlines() if before is not None else []
        for result in sorted(changed, key=lambda result: -result.case.index):
            document, _ = yaml.parse("\n".join(lines) + "\n", str(path))
            if document is not None:
                lines = _recorded(lines, document, result)
        contents.replace(path, "\n".join(lines) + "\n")
    return list(failed)


def _recorded(lines: list[str], document: yaml.Document, result: Result) -> list[str]:
    path = ("cases", result.case.index)
    indent = document.mark(*path).column - 1
    for key in _RECORDED:
        if (*path, key) in document.key_marks:
            start = document.key_mark(*path, key).line - 1
            end = _end(lines, start, indent)
            lines = lines[:start] + lines[end:]
            reread, _ = yaml.parse("\n".join(lines) + "\n", document.file)
            document = reread or document
    at = _end(lines, document.mark(*path).line - 1, indent - 2)
    return lines[:at] + _written(result, indent) + lines[at:]


def _end(lines: list[str], start: int, indent: int) -> int:
    """Return the line after a block, which ends where a line is indented by at most so much."""
    end = start + 1
    while end < len(lines) and not _closes(lines[end], indent):
        end += 1
    while end > start + 1 and (not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("#")):
        end -= 1
    return end


def _closes(line: str, indent: int) -> bool:
    text = line.lstrip()
    return bool(text) and not text.startswith("#") and len(line) - len(text) <= indent


def _written(result: Result, indent: int) -> list[str]:
    outcome = result.outcome
    margin = " " * indent
    if outcome.operations:
        written = [f"{margin}expect:", *dump(outcome.operations, indent + 2).split("\n")]
    else:
        written = [f"{margin}expect: []"]
    if outcome.quarantined:
        written += [f"{margin}quarantined:", *dump(outcome.quarantined, indent + 2).split("\n")]
    return written
