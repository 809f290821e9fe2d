"""Mappings and the data model: checked against it, and what they yield fitted to it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from adapter.errors import MappingError
from adapter.files.problems import Problem
from adapter.mapping import mapping_set
from adapter.mapping.explain.explain import explain
from adapter.model.messages import Message
from adapter.model.operations import CustomerUpsert, EventOccurred
from adapter.sources.mparticle import batches
from adapter.sources.segment import webhook

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CASES: list[dict[str, Any]] = yaml.safe_load((HERE / "model.yaml").read_text(encoding="utf-8"))
FIXTURES = sorted((*ROOT.glob("fixtures/segment/*.json"), *ROOT.glob("fixtures/mparticle/*.json")))
TRACK = """
    source: segment
    mappings:
      - name: Event
        subscribe: type = "track"
        action: event
        fields:
          source_id: {"@path": $.userId}
          name: {"@path": $.event}
          attributes: {"@path": $.properties}
"""
Write = Callable[..., Path]
MessageOf = Callable[..., Message]


def told(directory: Path, problems: list[Problem]) -> list[str]:
    return [
        str(problem).replace(f"{directory}/shop.yaml:", "").replace(f"{directory}/", "")
        for problem in problems
    ]


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_disagreement_is_an_error_where_the_model_quarantines(
    case: dict[str, Any], write_mappings: Write
) -> None:
    model = f"unknown: quarantine\nmisfit: quarantine\n{case['model']}"
    directory = write_mappings(shop=case["mappings"], model=model)
    loaded, problems = mapping_set.load(directory)
    assert told(directory, problems) == case["problems"]
    assert loaded is None


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_disagreement_is_a_warning_where_it_keeps(case: dict[str, Any], write_mappings: Write) -> None:
    directory = write_mappings(shop=case["mappings"], model=case["model"])
    loaded, problems = mapping_set.load(directory)
    assert [text.replace("warning: ", "") for text in told(directory, problems)] == case["problems"]
    assert {problem.severity for problem in problems} == {"warning"}
    assert loaded is not None


def test_a_broken_model_is_refused_with_its_place(write_mappings: Write) -> None:
    directory = write_mappings(shop=TRACK, model="traits: {points: numbr}")
    loaded, problems = mapping_set.load(directory)
    assert loaded is None
    assert told(directory, problems) == ["model.yaml:1:18: `numbr` is not a type; did you mean `number`?"]


def test_a_book_changes_its_digest_with_the_model(write_mappings: Write) -> None:
    digests = set()
    for model in ("", "events: {}", "unknown: keep", "events: {a: {}}"):
        loaded, _ = mapping_set.load(write_mappings(shop=TRACK, model=model))
        assert loaded is not None
        digests.add(loaded.digest)
    assert len(digests) == 3  # the first two say the same


def test_values_are_coerced_flagged_or_quarantined_on_their_way(
    write_mappings: Write, message_of: MessageOf
) -> None:
    document = {"type": "track", "event": "Order", "userId": "u", "properties": {"total": "5.5", "n": "many"}}
    for policy in ("keep", "quarantine"):
        model = f"misfit: {policy}\nevents: {{order: {{attributes: {{total: money, n: number}}}}}}"
        loaded, _ = mapping_set.load(write_mappings(shop=TRACK, model=model))
        assert loaded is not None
        says = "the attribute `n` of `order` is text, but must be a number"
        if policy == "quarantine":
            with pytest.raises(MappingError, match=says):
                loaded.operations(message_of(document))
            continue
        [operation] = loaded.operations(message_of(document))
        assert isinstance(operation, EventOccurred)
        assert operation.event.attributes == {"total": 5.5, "n": "many"}
        assert operation.misfits == (says,)
        assert says in explain(loaded, message_of(document)).text()
    assert document["properties"] == {"total": "5.5", "n": "many"}


@pytest.fixture(scope="module")
def starter() -> mapping_set.MappingSet:
    loaded, problems = mapping_set.load(ROOT / "mappings")
    assert problems == []
    assert loaded is not None
    assert loaded.model is not None
    return loaded


@pytest.mark.parametrize("path", FIXTURES, ids=[f"{path.parent.name}/{path.stem}" for path in FIXTURES])
def test_no_fixture_is_flagged_by_the_starter_model(path: Path, starter: mapping_set.MappingSet) -> None:
    decode = {"segment": webhook.decode, "mparticle": batches.decode}[path.parent.name]
    for message in decode(path.read_bytes(), datetime(2030, 1, 1, tzinfo=UTC)).messages:
        if message.document.get("type"):
            for operation in starter.operations(message):
                if isinstance(operation, EventOccurred | CustomerUpsert):
                    assert operation.misfits == ()


def test_the_starter_model_flags_schema_violations(starter: mapping_set.MappingSet) -> None:
    body = b'{"type": "track", "event": "Product Viewed", "userId": "u", "properties": {"price": "a lot"}}'
    [message] = webhook.decode(body, datetime(2030, 1, 1, tzinfo=UTC)).messages
    [operation] = starter.operations(message)
    assert isinstance(operation, EventOccurred)
    assert len(operation.misfits) == 1
