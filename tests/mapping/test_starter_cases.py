"""The cases that lie beside the starter mappings, and what no case exercises."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pytest

from adapter.mapping import mapping_set
from adapter.mapping.testing import case_files, cases, coverage
from adapter.model.messages import Message
from adapter.sources.mparticle import batches
from adapter.sources.segment import webhook

MAPPINGS = Path(__file__).parents[2] / "mappings"
CASES, PROBLEMS = case_files.load(MAPPINGS)


def decode(source: str, body: bytes, received_at: datetime) -> tuple[Sequence[Message], Sequence[str]]:
    decoded = {"segment": webhook, "mparticle": batches}[source].decode(body, received_at)
    return decoded.messages, [entry.reason for entry in decoded.quarantined]


@pytest.fixture(scope="module")
def starter() -> mapping_set.MappingSet:
    loaded, problems = mapping_set.load(MAPPINGS)
    assert [str(problem) for problem in problems] == []
    assert loaded is not None
    return loaded


def test_the_case_files_have_no_faults() -> None:
    assert PROBLEMS == []


@pytest.mark.parametrize("case", CASES, ids=[f"{case.source}: {case.name}" for case in CASES])
def test_a_case_becomes_what_it_says(case: case_files.Case, starter: mapping_set.MappingSet) -> None:
    [result] = cases.run(starter, [case], decode)
    assert result.diff == ""


def test_every_starter_mapping_and_each_of_its_branches_has_a_case(starter: mapping_set.MappingSet) -> None:
    missed = coverage.unexercised(starter, cases.run(starter, CASES, decode))
    assert [str(found) for found in missed] == []
