"""`adapter doctor`: counts of the server, disk, backups, files, store and destinations."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest

from adapter.cli.diagnosis import machine, received, state
from adapter.cli.diagnosis.machine import BackupFile, Disk
from adapter.files.problems import Mark, Problem
from adapter.services.delivery.retries import Pushed
from adapter.services.delivery.shown import Rest
from adapter.settings.scalars import Secret
from adapter.settings.values import Segment
from adapter.store.migrations import Schema
from tests.cli.doctor_values import NOW, answer, statuses

METRICS = """# TYPE adapter_segment_signatures_total counter
adapter_segment_signatures_total{{body="message",form="whole"}} 5.0
adapter_segment_signatures_total{{body="batch",form="whole"}} {whole}
adapter_segment_signatures_total{{body="batch",form="first_element"}} {first}
# TYPE adapter_requests_total counter
adapter_requests_total{{endpoint="webhooks_segment",status="401"}} {refused}
adapter_requests_total{{endpoint="customers",status="401"}} 9.0
adapter_messages_total{{source="segment",outcome="ignored"}} 9.0
"""


@pytest.mark.parametrize(
    ("whole", "first", "segment", "status"),
    [
        (0, 0, Segment(), "ok"),
        (0, 7, Segment(), "warning"),
        (0, 7, Segment(authorizations=(Secret("a"),)), "ok"),
        (3, 7, Segment(authorizations=(Secret("a"),), whole_signature_suffices=True), "warning"),
        (3, 0, Segment(authorizations=(Secret("a"),), whole_signature_suffices=True), "ok"),
    ],
)
def test_batches_of_which_the_first_message_alone_is_signed_are_named(
    whole: int, first: int, segment: Segment, status: str
) -> None:
    found = received.samples(METRICS.format(whole=whole, first=first, refused=0).encode())
    (line,) = received.signatures(found, segment)
    assert line.status == status
    assert f"{whole} over whole batches, {first} over a batch's first message" in line.detail


def test_metrics_that_are_none_are_not_read() -> None:
    assert received.samples(b'{"hello": 1}') is received.samples(b"\xff") is None
    assert statuses(received.signatures(None, Segment())) == ["skipped"]


def test_requests_with_wrong_secrets_are_a_warning() -> None:
    def found(refused: int) -> list[received.Sample]:
        return received.samples(METRICS.format(whole=0, first=0, refused=refused).encode()) or []

    assert statuses(received.refused(found(0))) == ["ok"]
    (line,) = received.refused(found(3))
    assert (line.status, line.detail) == (
        "warning",
        "answered 401 or 403 since the server started: 3 at webhooks_segment",
    )


@pytest.mark.parametrize(
    ("free", "store", "status"),
    [(50_000, 100, "ok"), (1_000, 100, "warning"), (50_000, 400_000, "warning"), (100, 10, "failure")],
)
def test_space_on_the_disk(free: int, store: int, status: str) -> None:
    assert statuses(machine.disk(Disk(free * 1_000_000, store * 1_000_000))) == [status]


def test_the_disk_is_that_of_the_store_with_its_log(tmp_path: Path) -> None:
    (tmp_path / "adapter.db").write_bytes(b"1234")
    (tmp_path / "adapter.db-wal").write_bytes(b"12")
    found = machine.disk_of(tmp_path / "adapter.db")
    assert found is not None
    assert found.store == 6
    assert found.free > 0
    assert machine.disk_of(tmp_path / "none" / "adapter.db") is None
    assert statuses(machine.disk(None)) == ["skipped"]


def test_the_latest_finished_backup_counts(tmp_path: Path) -> None:
    for name, hours in (("monday.db", 60), ("tuesday.db", 30), ("wednesday.db.part", 1)):
        (tmp_path / name).write_bytes(b"backup")
        os.utime(tmp_path / name, (NOW.timestamp() - hours * 3600,) * 2)
    found = machine.latest_backup(tmp_path)
    assert found == BackupFile("tuesday.db", NOW - timedelta(hours=30), 6)
    assert statuses(machine.backup(tmp_path, found, NOW)) == ["ok"]
    assert statuses(machine.backup(tmp_path, found, NOW + timedelta(days=2))) == ["warning"]


def test_a_missing_backup_is_a_failure_where_a_folder_is_named(tmp_path: Path) -> None:
    assert statuses(machine.backup(tmp_path, machine.latest_backup(tmp_path), NOW)) == ["failure"]
    assert statuses(machine.backup(tmp_path, "No such file or directory", NOW)) == ["failure"]
    assert statuses(machine.backup(None, None, NOW)) == ["skipped"]


def test_problems_of_files_are_told_as_adapter_check_tells_them() -> None:
    doubt = Problem(Mark("a.yaml", 3, 1), "no rule uses it", "remove it", "warning")
    wrong = Problem(Mark("b.yaml", 9, 2), "no such field", "write `fields`")
    assert statuses(state.files([])) == ["ok"]
    assert statuses(state.files([doubt])) == ["warning"]
    (line,) = state.files([doubt, wrong])
    assert line.status == "failure"
    assert line.detail.startswith("b.yaml:9:2")
    assert "1 more" in line.detail


def test_what_the_server_says_of_itself() -> None:
    slow = {"name": "store", "ok": False, "detail": "no response within 2 seconds"}
    old = {"name": "files", "ok": False, "detail": "a.yaml:1:1 is wrong"}
    assert statuses(state.readiness(answer(200, {"ready": True, "checks": []}))) == ["ok"]
    assert statuses(state.readiness(answer(200, {"ready": True, "checks": [old]}))) == ["warning"]
    assert statuses(state.readiness(answer(503, {"ready": False, "checks": [slow]}))) == ["failure"]
    assert statuses(state.readiness(answer(502))) == ["failure"]
    assert statuses(state.readiness(answer(0))) == []


def test_the_schema_and_contents_of_the_store() -> None:
    assert statuses(state.schema("s", Schema(9, 9), "")) == ["ok"]
    assert statuses(state.schema("s", Schema(10, 9), "")) == ["warning"]
    assert statuses(state.schema("s", Schema(8, 9), "old")) == ["failure"]
    assert statuses(state.schema("s", Schema(10, 9, usable=False), "new")) == ["failure"]
    assert statuses(state.soundness([])) == ["ok"]
    assert statuses(state.soundness(["a code twice", "another"])) == ["failure"]
    assert statuses(state.soundness(None, "why")) == ["skipped"]


def test_destinations_that_rest_and_deliveries_given_up() -> None:
    rest = Rest("webhook", NOW, NOW + timedelta(hours=1), "answered 429")
    broken = Rest("segment", NOW, NOW + timedelta(hours=1), "answered 500", "open")
    found = list(state.destinations(["webhook", "segment", "crm"], [rest, broken], ["webhook"] * 2, NOW))
    assert [(each.check.split()[1], each.status) for each in found] == [
        ("crm", "ok"), ("segment", "warning"), ("webhook", "warning"), ("webhook", "warning")
    ]  # fmt: skip
    assert "answered 429" in found[2].detail
    assert "2 deliveries were given up" in found[3].detail
    assert statuses(state.destinations([], [], [], NOW)) == ["skipped"]


def test_a_test_push_that_is_refused_is_a_failure() -> None:
    assert state.pushed("webhook", Pushed(True, 200, None, "")).status == "ok"
    assert state.pushed("webhook", Pushed(False, 410, "answered 410", "")).status == "failure"
    assert state.pushed("core", "it has no test").status == "skipped"
