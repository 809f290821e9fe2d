"""`adapter map`: what a payload becomes, of either source and in every form in which it arrives."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from adapter.cli.main import commands
from adapter.cli.payloads import source_of

ROOT = Path(__file__).parents[2]
FIXTURES = sorted((*ROOT.glob("fixtures/segment/*.json"), *ROOT.glob("fixtures/mparticle/*.json")))
ORDER = {
    "type": "track",
    "event": "Order Completed",
    "userId": "u",
    "messageId": "m-1",
    "properties": {"total": 5},
}


@pytest.fixture(autouse=True)
def at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def run(*arguments: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(commands, ["map", *arguments], input=typed)


def shown(body: Any) -> Any:
    result = run("--json", "-", typed=body if isinstance(body, str) else json.dumps(body))
    return json.loads(result.stdout)


def test_mappings_that_take_it_show_each_field_with_the_path_it_came_from() -> None:
    result = run("fixtures/segment/classic-track.json")
    assert result.exit_code == 0
    assert "  takes it: Event from track (mappings/segment.yaml:" in result.stdout
    assert '    source_id: "cust-1001"  from $.userId' in result.stdout
    assert "          name: product_viewed" in result.stdout


def test_mappings_that_do_not_say_why() -> None:
    result = run("fixtures/segment/classic-track.json")
    assert "does not: Customer from identify (mappings/segment.yaml:" in result.stdout
    assert '): `type` is "track", not "identify"' in result.stdout


def test_programs_get_the_same() -> None:
    [body] = shown(ORDER)
    [message] = body["messages"]
    taken = {mapping["name"]: mapping for mapping in message["mappings"] if mapping["matched"]}
    assert list(taken) == ["Event from track", "Discount redeemed with the order"]
    [operation] = taken["Event from track"]["operations"]
    assert operation["event"]["name"] == "order_completed"
    fields = {field["name"]: field for field in taken["Event from track"]["fields"]}
    assert fields["source_id"]["paths"] == ["$.userId"]


@pytest.mark.parametrize(
    ("body", "messages"),
    [
        (ORDER, 1),
        ([ORDER, ORDER], 2),
        ({"batch": [ORDER, ORDER]}, 2),
        ([{"json": ORDER}], 1),
        (json.dumps(ORDER, indent=2), 1),
        (json.dumps(ORDER) + "\n\n" + json.dumps(ORDER) + "\n", 2),
    ],
)
def test_every_form_of_a_body_is_read(body: Any, messages: int) -> None:
    assert sum(len(one["messages"]) for one in shown(body)) == messages


@pytest.mark.parametrize("path", FIXTURES, ids=[f"{path.parent.name}/{path.stem}" for path in FIXTURES])
def test_the_source_is_recognised_by_the_shape(path: Path) -> None:
    assert source_of(path.read_bytes()) == path.parent.name


def test_an_option_overrules_the_shape() -> None:
    result = run("fixtures/segment/classic-track.json", "--source", "mparticle")
    assert result.stdout.startswith("mparticle: quarantined: neither an mParticle batch")


def test_a_message_for_the_quarantine_is_reported_with_exit_status_1() -> None:
    result = run("-", typed=json.dumps([ORDER, 17, {"type": "track", "event": "x", "messageId": "m"}]))
    assert result.exit_code == 1
    assert "segment: quarantined: the item is not a Segment message" in result.stdout
    assert "    quarantined: no source_id: the message has neither userId nor anonymousId" in result.stdout


def test_a_data_subject_request_is_refused_with_a_reason_and_not_a_traceback() -> None:
    demand = {
        "type": "dsr_processing_request", "id": "1", "subject_request_type": "erasure",
        "subject_identities": {},
    }  # fmt: skip
    result = run("-", typed=json.dumps(demand))
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert "mparticle: quarantined: `dsr_processing_request` is not taken here" in result.stdout


def test_unmapped_messages_are_reported_as_ignored() -> None:
    result = run("-", typed='{"type": "unheard-of", "userId": "u"}')
    assert result.exit_code == 0
    assert result.stdout.endswith("no mapping takes it, so it is ignored\n")


def test_a_bad_line_is_reported_with_its_place_and_the_others_are_mapped(tmp_path: Path) -> None:
    file = tmp_path / "recorded.txt"
    line = json.dumps(ORDER).encode()
    file.write_bytes(
        b"\n".join([line, b'{"type": track}', b"", line, b'{"event": "\xff"}', b'{"type"', line])
    )
    result = run("--json", str(file))
    assert result.exit_code == 1
    assert [len(body["messages"]) for body in json.loads(result.stdout)] == [1, 1, 1]
    told = [line.removeprefix(f"{file}:") for line in result.stderr.splitlines()]
    assert [line.partition("; ")[0] for line in told] == [
        "2:14: the line is not JSON: invalid character",
        "5:12: the line is not JSON: not UTF-8",
        "6:8: the line is not JSON: it ends too early",
    ]


def test_a_file_of_lines_with_a_bad_first_line_is_recognised_by_its_name(tmp_path: Path) -> None:
    file = tmp_path / "recorded.jsonl"
    file.write_text("nonsense\n" + json.dumps(ORDER))
    result = run(str(file))
    assert "recorded.jsonl:1:5: the line is not JSON: invalid character; write one" in result.stderr
    assert "takes it: Event from track" in result.stdout


def test_a_file_named_for_lines_may_hold_one_body_on_several(tmp_path: Path) -> None:
    file = tmp_path / "recorded.jsonl"
    file.write_text(json.dumps(ORDER, indent=2))
    result = run(str(file))
    assert (result.exit_code, result.stderr) == (0, "")
    assert "takes it: Event from track" in result.stdout


def test_a_number_that_is_too_large_is_no_bad_line() -> None:
    result = run("-", typed=json.dumps(ORDER) + '\n{"type": "track", "n": 1e999}')
    assert (result.exit_code, result.stderr) == (1, "")
    assert "segment: quarantined: " in result.stdout


def test_invalid_json_is_reported_in_one_line() -> None:
    result = run("-", typed="{nonsense")
    assert result.exit_code == 1
    assert result.stdout.startswith("segment: quarantined: ")


def test_a_misfit_is_shown_with_the_operation() -> None:
    result = run("-", typed=json.dumps(ORDER | {"event": "Product Viewed", "properties": {"price": "a lot"}}))
    assert "the attribute `price` of `product_viewed` is text, but must be an amount" in result.stdout


def test_a_missing_file_and_broken_mappings_are_reported(tmp_path: Path) -> None:
    assert "no.json cannot be read: No such file" in run("no.json").stderr
    (tmp_path / "a.yaml").write_text("source: segment\nmapings: []\n", encoding="utf-8")
    result = run("fixtures/segment/classic-track.json", "--mappings", str(tmp_path))
    assert (result.exit_code, "a.yaml:2:1: unknown key `mapings`" in result.stderr) == (1, True)


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_json_that_nests_too_deep_is_quarantined(tmp_path: Path, opening: str) -> None:
    file = tmp_path / "deep.json"
    closing = {"[": "]"}.get(opening, "}")
    file.write_text(f'{{"type": "track", "userId": "u", "a": {opening * 50_000}1{closing * 50_000}}}')
    result = run("--json", str(file))
    assert result.exit_code == 1
    [body] = json.loads(result.stdout)
    assert (body["messages"], len(body["quarantined"])) == ([], 1)
