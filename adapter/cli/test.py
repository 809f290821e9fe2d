"""`adapter test`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from adapter.cli.junit import junit
from adapter.cli.load_files import books_of
from adapter.cli.running import Report, run
from adapter.cli.settings import AsJson, Config, Mappings, Rules, options, settled, tell
from adapter.errors import InvalidFiles
from adapter.model.encoding import encode

EXAMPLES = """\b
Examples:
  adapter test
  adapter test mappings/segment.test.yaml --update
  adapter test --junit report.xml"""

Paths = Annotated[
    list[Path] | None, typer.Argument(exists=True, help="Test files or folders; all of them when not given.")
]
Update = Annotated[
    bool,
    typer.Option("--update", help="Write what mapping cases give into their files; then look at the diff."),
]
JUnit = Annotated[
    Path | None, typer.Option("--junit", metavar="FILE", help="Write the results as JUnit XML too.")
]


def cases(
    *,
    paths: Paths = None,
    update: Update = False,
    junit_file: JUnit = None,
    mappings: Mappings = None,
    rules: Rules = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Run the cases beside mappings and rules; exit code 1 when one does not come out as it says.

    Also names the mappings, branches, conditions and guardrails that no case tries.
    """
    settings = settled(config, options(mappings=mappings, rules=rules))
    try:
        report = run(settings.files, *books_of(settings), paths or [], update=update)
    except InvalidFiles as error:
        tell(error.problems)
        raise typer.Exit(1) from None
    if junit_file is not None:
        _write(junit_file, junit({"mappings": report.mappings, "rules": report.rules}))
    tell(report.doubts)
    typer.echo(_json(report) if as_json else "\n".join(_lines(report)))
    if report.failed:
        raise typer.Exit(1)


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        typer.echo(f"adapter: cannot write {file}: {error.strerror}", err=True)
        raise typer.Exit(1) from None


def _json(report: Report) -> bytes:
    return encode({
        "ok": not report.failed, "passed": report.passed, "failed": report.failed, "missed": report.missed,
        "recorded": report.recorded, "warnings": [str(problem) for problem in report.doubts],
    })  # fmt: skip


def _lines(report: Report) -> Iterator[str]:
    for case in report.failed:
        yield f"{case.at.file}:{case.at.line}:{case.at.column}: {case.name}"
        yield from _indented(case.failure)
        yield ""
    if report.missed:
        yield from report.missed
        yield ""
    yield from (f"recorded: {path}" for path in report.recorded)
    failed = f", {len(report.failed)} failed" if report.failed else ""
    things = len(report.missed)
    missed = f"; {things} thing{'' if things == 1 else 's'} no case tries" if things else ""
    yield f"{report.passed} case{'' if report.passed == 1 else 's'} passed{failed}{missed}"


def _indented(text: str) -> Sequence[str]:
    return [f"  {line}" for line in text.splitlines() if line not in ("--- expected", "+++ came")]
