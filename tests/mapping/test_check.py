"""What the check finds in files that load, each with its place and its remedy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from adapter.mapping import mapping_set
from adapter.mapping.files import mapping_file
from adapter.mapping.lint import lint

CASES = yaml.safe_load((Path(__file__).parent / "check.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_every_problem_of_a_file_is_reported(
    case: dict[str, object], write_mappings: Callable[..., Path]
) -> None:
    directory = write_mappings(shop=str(case["file"]))
    loaded, problems = mapping_set.load(directory)
    assert [str(problem).replace(f"{directory}/", "") for problem in problems] == case["problems"]
    assert (loaded is None) == any(problem.severity == "error" for problem in problems)


def test_directives_that_segment_does_not_know_are_named_on_request(
    write_mappings: Callable[..., Path],
) -> None:
    text = """
        source: segment
        mappings:
          - name: Ours
            subscribe: type = "identify"
            action: customer.upsert
            fields: {source_id: {"@first": [{"@path": $.userId}, {"@path": $.anonymousId}]}}
        """
    read, _ = mapping_file.load(mapping_set.mapping_files(write_mappings(shop=text)))
    [found] = lint.portability(read)
    assert (found.mark.line, found.severity) == (7, "warning")
    assert "`@first` is an extension that Segment does not know" in found.message
