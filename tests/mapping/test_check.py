"""What the check finds in files that load, each with its place and its remedy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from adapter.mapping import book

CASES = yaml.safe_load((Path(__file__).parent / "check.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_file_is_told_what_is_wrong(case: dict[str, object], write_mappings: Callable[..., Path]) -> None:
    directory = write_mappings(shop=str(case["file"]))
    loaded, problems = book.load(directory)
    assert [str(problem).replace(f"{directory}/", "") for problem in problems] == case["problems"]
    assert (loaded is None) == any(problem.severity == "error" for problem in problems)
