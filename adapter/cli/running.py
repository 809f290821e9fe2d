"""The cases beside mappings and rules, run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from adapter.cli.junit import Ran
from adapter.cli.payloads import decode_case
from adapter.datamodel.declarations import DataModel
from adapter.errors import InvalidFiles
from adapter.files.problems import Mark, Problem, errors
from adapter.mapping.mapping_set import MappingSet
from adapter.mapping.testing import case_files, snapshot_update
from adapter.mapping.testing import cases as mapping_cases
from adapter.mapping.testing import coverage as mapping_coverage
from adapter.rules.engine.ruleset import RuleSet
from adapter.rules.testing import cases as rule_cases
from adapter.rules.testing import coverage as rule_coverage
from adapter.rules.testing import run_case
from adapter.rules.testing.vocabulary import known
from adapter.settings.values import Files


class Report(Struct, frozen=True):
    """What one run found. `missed` is what no case tries, reported only when all cases ran; `doubts` are
    warnings of what cases name.
    """

    mappings: list[Ran]
    rules: list[Ran]
    missed: list[str]
    recorded: list[str]
    doubts: list[Problem]

    @property
    def failed(self) -> list[Ran]:
        """The cases that did not pass."""
        return [case for case in (*self.mappings, *self.rules) if case.failure]

    @property
    def passed(self) -> int:
        """How many cases passed."""
        return len(self.mappings) + len(self.rules) - len(self.failed)


def run(files: Files, mappings: MappingSet, rules: RuleSet, paths: Sequence[Path], *, update: bool) -> Report:
    """Run all cases, or those of test files under `paths`; with `update` record mapping cases that fail.

    Raises InvalidFiles where test files do not check.
    """
    recorded: list[Path] = []
    mapped, unread = _mapped(files, mappings, paths)
    if update:
        recorded = snapshot_update.record(mapped)
        mapped, unread = _mapped(files, mappings, paths)
    ruled, doubts = _ruled(files, rules, mappings.model, paths)
    missed: list[str] = []
    if not paths:
        missed += [str(one) for one in mapping_coverage.unexercised(mappings, mapped)]
        missed += rule_coverage.untried(rules, ruled)
    return Report(
        [*(_ran_mapping(one) for one in mapped), *unread],
        [Ran(one.case.name, one.case.at, "\n".join(one.missed)) for one in ruled],
        missed,
        [str(path) for path in recorded],
        doubts,
    )


def _mapped(
    files: Files, book: MappingSet, paths: Sequence[Path]
) -> tuple[list[mapping_cases.Result], list[Ran]]:
    """Return what the chosen cases came to, and those whose payload cannot be read, which fail."""
    cases, problems = case_files.load(Path(files.mappings))
    problems += case_files.unknown_names(book, cases)
    if any(problem.severity == "error" for problem in problems):
        raise InvalidFiles(problems)
    unread = [
        Ran("a case without its payload", problem.mark, f"{problem.message}; {problem.remedy}")
        for problem in problems
        if _chosen(problem.mark, paths)
    ]
    return mapping_cases.run(book, [case for case in cases if _chosen(case.at, paths)], decode_case), unread


def _ruled(
    files: Files, book: RuleSet, model: DataModel | None, paths: Sequence[Path]
) -> tuple[list[rule_cases.Result], list[Problem]]:
    """Return the chosen cases' results, and what is doubtful in them."""
    cases, problems = rule_cases.load(Path(files.rules), known(book, model))
    if errors(problems):
        raise InvalidFiles(problems)
    ran = [run_case.run(case, book) for case in cases if _chosen(case.at, paths)]
    return ran, [problem for problem in problems if _chosen(problem.mark, paths)]


def _ran_mapping(result: mapping_cases.Result) -> Ran:
    case = result.case
    if result.passed:
        return Ran(case.name, case.at)
    return Ran(case.name, case.at, result.diff or "the case expects nothing yet; --update records what came")


def _chosen(at: Mark, paths: Sequence[Path]) -> bool:
    file = Path(at.file).resolve()
    return not paths or any(file.is_relative_to(path.resolve()) for path in paths)
