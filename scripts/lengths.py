"""Names Python files and functions that are too long, and exits with 1 then; run by scripts/check.

A function counts from its `def` line to its last. Folders are arguments; without any, those of this project.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("adapter", "benchmarks", "scripts", "tests")
MOST_LINES_OF_A_FILE = 400
MOST_LINES_OF_A_FUNCTION = 60


def too_long(file: Path) -> Iterator[str]:
    """Yield a sentence for the file and for each function that is longer than it may be."""
    text = file.read_text(encoding="utf-8")
    lines = text.count("\n")
    if lines > MOST_LINES_OF_A_FILE:
        yield f"{file}: {lines} lines; a file may have {MOST_LINES_OF_A_FILE}"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
            length = node.end_lineno - node.lineno + 1
            if length > MOST_LINES_OF_A_FUNCTION:
                yield (
                    f"{file}:{node.lineno}: `{node.name}` has {length} lines; "
                    f"a function may have {MOST_LINES_OF_A_FUNCTION}"
                )


def main(folders: list[Path]) -> int:
    """Print what is too long; return the exit code."""
    files = sorted(file for folder in folders for file in folder.rglob("*.py"))
    found = [sentence for file in files for sentence in too_long(file)]
    for sentence in found:
        print(sentence)  # noqa: T201 - the output of the command
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main([Path(name) for name in sys.argv[1:]] or [ROOT / name for name in FOLDERS]))
