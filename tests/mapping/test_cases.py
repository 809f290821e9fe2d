"""Cases beside mappings: read, run, compared, recorded, reported."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from textwrap import dedent

import msgspec
import pytest

from adapter.files import yaml
from adapter.mapping import mapping_set
from adapter.mapping.testing import case_files, cases, coverage, snapshot_update
from adapter.model.messages import Message

SHOP = """
    source: segment
    mappings:
      - name: Ordered
        subscribe: type = "track" and event = "Order Completed"
        action: event
        fields:
          source_id: {"@if": {exists: {"@path": $.userId}, then: {"@path": $.userId}, else: nobody}}
          name: order_completed
          attributes: {"@path": $.properties}
      - name: Erased
        subscribe: type = "delete"
        action: customer.erase
        fields: {source_id: {"@path": $.userId}}
"""
CASES = """
    # What this shop expects.
    source: segment
    ignore: [event.id, event.occurred_at]
    cases:
      - name: An order
        payload: {type: track, event: Order Completed, userId: u, properties: {total: 5}}
        expect:
          - action: event
            source_id: u
            event: {name: order_completed, user: {id: u}, attributes: {total: 5}}

      # A comment that stays.
      - name: A wrong expectation
        payload: {type: track, event: Order Completed, userId: u, properties: {total: 5}}
        expect:
          - action: event
            source_id: u
            event: {name: order_completed, user: {id: u}, attributes: {total: 6}}
      - name: Not recorded yet
        payload: {type: delete, userId: 7}
      - name: Quarantined
        payload: {type: delete, userId: [u]}
        quarantined: "mapping `Erased`: `source_id` is a list, but must be text or a number"
"""


def decode(source: str, body: bytes, received_at: datetime) -> tuple[Sequence[Message], Sequence[str]]:
    return [Message(source, "key-1", msgspec.json.decode(body), received_at)], []


@pytest.fixture
def shop(write_mappings: Callable[..., Path]) -> Path:
    directory = write_mappings(shop=SHOP)
    (directory / "shop.test.yaml").write_text(dedent(CASES).lstrip(), encoding="utf-8")
    return directory


def run(directory: Path) -> list[cases.Result]:
    read, problems = mapping_set.load(directory)
    assert read is not None, problems
    found, problems = case_files.load(directory)
    assert problems == []
    return cases.run(read, found, decode)


def test_a_case_passes_when_the_outcome_is_what_it_expects(shop: Path) -> None:
    assert [result.passed for result in run(shop)] == [True, False, False, True]


def test_a_failure_shows_the_expected_and_the_actual_result(shop: Path) -> None:
    wrong = run(shop)[1]
    changed = [line for line in wrong.diff.splitlines() if line[0] in "+-" and line[:3] not in ("---", "+++")]
    assert changed == ["-      total: 6", "+      total: 5"]


def test_recording_changes_only_failed_cases(shop: Path) -> None:
    path = shop / "shop.test.yaml"
    before = path.read_text(encoding="utf-8")
    assert snapshot_update.record(run(shop)) == [path]
    after = path.read_text(encoding="utf-8")
    assert all(result.passed for result in run(shop))
    unchanged = before[: before.index("    expect:\n", before.index("A wrong expectation"))]
    assert "# A comment that stays." in unchanged
    assert after.startswith(unchanged)
    assert snapshot_update.record(run(shop)) == []


def test_mappings_and_branches_that_no_case_reaches_are_named(shop: Path) -> None:
    read, _ = mapping_set.load(shop)
    assert read is not None
    ordered = [result for result in run(shop) if result.case.name == "An order"]
    missed = [str(found).replace(f"{shop}/", "") for found in coverage.unexercised(read, ordered)]
    assert missed == [
        "shop.yaml:8:89: no case exercises the `else` of an `@if` in `Ordered`",
        "shop.yaml:11:5: no case exercises `Erased`",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("source: segment", "1:1: no cases; write `source:` and a list under `cases:`"),
        ("source: sgment\ncases: []", "1:9: `sgment` is no source; did you mean `segment`?"),
        ("source: segment\ncases: [{payload: {}}]", "2:9: no `name`; say in a sentence what should happen"),
        ("source: segment\ncases: [{name: x}]", "2:9: a case has either a `payload` or a `file`; keep one"),
        (
            "source: segment\ncases: [{name: x, file: no.json}]",
            "2:25: warning: `FOLDER/no.json` cannot be read: No",
        ),
        (
            "source: segment\ncases: [{name: x, payload: {}, expects: []}]",
            "2:32: unknown key `expects`; did you",
        ),
        ("source: segment\ncases: [{name: x, payload: {}, expect: {}}]", "2:40: `expect` is not a list"),
        (
            "source: segment\ncases: [{name: x, payload: {}, quarantined: true}]",
            "2:45: `true` under `quarantined` is not text; write the reason, or the reasons as a list",
        ),
        (
            "source: segment\ncases: [{name: x, payload: {}, quarantined: }]",
            "2:45: `null` under `quarantined`",
        ),
        (
            "source: segment\ncases: [{name: x, payload: {}, quarantined: [a, 5]}]",
            "2:49: `5` under `quarantined`",
        ),
        (
            "source: segment\ncases: [{name: x, payload: {}, received_at: yesterday}]",
            "2:45: `yesterday` is no time; write it as `2026-01-15T12:00:00Z`",
        ),
        (
            "source: segment\nignore: [event.contxt]\ncases: [{name: a, payload: 1}, {name: b, payload: 2}]",
            "2:10: no operation has `event.contxt`; did you mean `context`?",
        ),
        (
            "source: segment\ncases: [{name: x, payload: {}, ignore: event.user.emial}]",
            "2:40: no operation has `event.user.emial`; did you mean `email`?",
        ),
        ("source: segment\ncases: [{name: x, payload: {}, only: {a: b}}]", '2:38: `{"a":"b"}` under `only`'),
    ],
)
def test_a_fault_in_a_case_file_has_its_place(text: str, problem: str, tmp_path: Path) -> None:
    (tmp_path / "x.test.yaml").write_text(text, encoding="utf-8")
    _, [found] = case_files.load(tmp_path)
    said = str(found).removeprefix(f"{tmp_path}/x.test.yaml:")
    assert said.startswith(problem.replace("FOLDER", str(tmp_path)))


@pytest.mark.parametrize(
    ("only", "problem"),
    [
        ("Orderd", "7: `Orderd` is no mapping of segment, and no file of them; did you mean `Ordered`?"),
        ("[Ordered, shp.yaml]", "17: `shp.yaml` is no mapping of segment, and no file of them; did you mean"),
        ("shop.yaml", ""),
        ("Erased", ""),
    ],
)
def test_only_names_mappings_that_there_are(only: str, problem: str, shop: Path) -> None:
    path = shop / "shop.test.yaml"
    path.write_text(f"only: {only}\n{path.read_text(encoding='utf-8')}", encoding="utf-8")
    read, _ = mapping_set.load(shop)
    assert read is not None
    found = [str(one) for one in case_files.unknown_names(read, case_files.load(shop)[0])]
    assert [one.removeprefix(f"{path}:1:")[: len(problem)] for one in found] == [problem] * bool(problem)


def test_a_reason_that_did_not_come_is_shown_too(shop: Path) -> None:
    path = shop / "shop.test.yaml"
    path.write_text(
        path.read_text(encoding="utf-8").replace("`source_id` is a list", "nope"), encoding="utf-8"
    )
    *_, failed = run(shop)
    assert "-quarantined: mapping `Erased`: nope, but must be text or a number" in failed.diff.splitlines()


def test_the_file_is_still_yaml_after_recording(shop: Path) -> None:
    snapshot_update.record(run(shop))
    document, problems = yaml.read(shop / "shop.test.yaml")
    assert problems == []
    assert document is not None
    assert [case["name"] for case in document.value["cases"]] == [
        "An order", "A wrong expectation", "Not recorded yet", "Quarantined",
    ]  # fmt: skip
