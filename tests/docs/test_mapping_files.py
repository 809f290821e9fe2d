"""The page on mapping files says what the code takes, and its examples work."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from adapter.mapping import mapping_set
from adapter.mapping.actions.actions import ACTIONS, Action
from adapter.mapping.testing import case_files, cases
from adapter.model.messages import Message
from adapter.model.operations import CustomerUpsert

PAGE = (Path(__file__).parents[2] / "docs" / "mapping-files.md").read_text(encoding="utf-8")


def example(language: str, containing: str) -> str:
    blocks = re.findall(rf"^( *)```{language}\n(.*?)^ *```", PAGE, re.MULTILINE | re.DOTALL)
    found = [(len(indent), block) for indent, block in blocks if containing in block]
    [(indent, block)] = found
    return "".join(line[indent:] for line in block.splitlines(keepends=True))


def rows(action: Action) -> list[str]:
    section = PAGE.split(f"### {action.name}\n")[1].split("\n#")[0]
    return re.findall(r"^\| `(.*) \|$", section, re.MULTILINE)


@pytest.mark.parametrize("action", ACTIONS.values(), ids=ACTIONS)
def test_every_field_of_an_action_is_on_the_page_as_the_code_has_it(action: Action) -> None:
    expected = []
    for field in action.fields:
        default = f" Default: {field.default}." if field.default else ""
        note = " **Required.**" if field.required else default
        expected.append(f"{field.name}` | {field.kind} | {field.meaning}.{note}")
    assert rows(action) == expected


def test_the_page_has_no_action_that_the_code_does_not_have() -> None:
    listed = PAGE.split("## Actions")[1].split("\n## ")[0]
    assert re.findall(r"^### (.+)$", listed, re.MULTILINE) == list(ACTIONS)


def test_the_first_example_checks(tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(example("yaml", "name: Orders"), encoding="utf-8")
    loaded, problems = mapping_set.load(tmp_path)
    assert problems == []
    assert loaded is not None


def test_the_walk_from_a_payload_to_a_mapping_works(tmp_path: Path) -> None:
    (tmp_path / "ride.json").write_text(example("json", "Ride Ended"), encoding="utf-8")
    (tmp_path / "rides.test.yaml").write_text(example("yaml", "A ride that ended"), encoding="utf-8")
    (tmp_path / "rides.yaml").write_text(example("yaml", "name: Last ride"), encoding="utf-8")
    loaded, problems = mapping_set.load(tmp_path)
    assert loaded is not None, problems
    written, problems = case_files.load(tmp_path)
    assert problems == []
    [result] = cases.run(loaded, written, decode)
    assert result.diff == ""


def test_an_audience_is_entered_by_a_customer_unknown_to_mparticle(tmp_path: Path) -> None:
    (tmp_path / "audiences.yaml").write_text(example("yaml", "name: Audiences"), encoding="utf-8")
    loaded, problems = mapping_set.load(tmp_path)
    assert loaded is not None, problems
    document = {"type": "identify", "anonymousId": "5", "traits": {"in_high_value_shoppers": "true"}}
    [joined] = loaded.operations(Message("mparticle", "m-1", document, datetime(2026, 3, 1, tzinfo=UTC)))
    assert isinstance(joined, CustomerUpsert)
    assert (joined.source_id, joined.joined_segments) == ("5", ("high_value_shoppers",))


def decode(source: str, body: bytes, received_at: datetime) -> tuple[list[Message], list[str]]:
    assert received_at.tzinfo is UTC
    return [Message(source, "m-1", msgspec.json.decode(body), received_at)], []
