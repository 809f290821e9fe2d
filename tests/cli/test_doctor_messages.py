"""`adapter doctor`: test messages, and what arrived beside what Segment counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec import json

from adapter.cli.diagnosis import arrivals, probes, reachability
from adapter.cli.diagnosis.web import Answer
from adapter.mapping import mapping_set
from adapter.model.journal import JournalEntry
from adapter.settings.values import Settings
from adapter.sources.registry import SOURCES
from adapter.sources.segment.webhook import verify
from tests.cli.doctor_values import NOW, SETTINGS, answer, error, statuses


def made() -> list[probes.Probe]:
    return probes.probes(SETTINGS, NOW, lambda: "1")


def test_each_source_with_secrets_gets_a_message_without_a_customer() -> None:
    assert [each.shape.name for each in made()] == [
        "segment-actions",
        "mparticle-webhook",
        "mparticle-events",
    ]
    assert [each.shape.name for each in probes.probes(Settings(), NOW, str)] == ["segment-actions"]
    for probe in made():
        (message,) = SOURCES[probe.shape.source].decode(probe.body, NOW).messages
        assert message.document["messageId"] == probe.id
        assert message.document.get("userId") is message.document.get("anonymousId") is None


def test_a_large_body_is_signed_and_decodes_to_the_same_message() -> None:
    for probe in made():
        request = probe.large(SETTINGS)
        assert len(request.body) == reachability.LARGE
        decoded = SOURCES[probe.shape.source].decode(request.body, NOW)
        assert [each.document["messageId"] for each in decoded.messages] == [probe.id]
    signed = made()[0].large(SETTINGS)
    assert verify(signed.body, signed.headers["X-Signature"], [b"s3cret"]) == "whole"


@pytest.mark.parametrize(
    ("trigger", "taken"), [('type = "track"', False), ("userId = null", True), ('type != "page"', True)]
)
def test_a_message_that_a_mapping_would_take_is_not_sent(trigger: str, taken: bool, tmp_path: Path) -> None:
    mapping = {"name": "All", "subscribe": trigger, "action": "customer.upsert", "fields": {"source_id": "x"}}
    (tmp_path / "a.yaml").write_bytes(json.encode({"source": "segment", "mappings": [mapping]}))
    loaded, problems = mapping_set.load(tmp_path)
    assert loaded is not None, problems
    assert bool(probes.taking(made()[0], loaded, NOW)) == taken
    assert not probes.taking(made()[1], loaded, NOW)


@pytest.mark.parametrize(
    ("given", "status", "said"),
    [
        (answer(200, {"results": [{"message_id": "1", "outcome": "ignored"}]}), "ok", "match"),
        (answer(200, {"results": [{"message_id": "1", "outcome": "processed"}]}), "warning", "`processed`"),
        (answer(200, {"hello": 1}), "failure", "something else"),
        (answer(202), "failure", "answered 202"),
        (answer(401), "failure", "a proxy answers 401"),
        (answer(403, error("X-Signature does not match the body")), "failure", "not the server's"),
        (answer(401, error("the X-Signature header is missing; set")), "failure", "lost on the way"),
        (answer(401, error("this endpoint is disabled because")), "failure", "disabled"),
        (answer(404), "failure", "a proxy answered"),
        (answer(503, error("the queue is full")), "failure", "the queue is full"),
        (answer(0), "failure", "no answer"),
    ],
)
def test_what_an_answer_says_of_secrets_and_proxies(given: Answer, status: str, said: str) -> None:
    found = probes.answered(made()[0], given)
    assert (found.status, said in found.detail) == (status, True), found


def test_the_events_api_is_answered_by_202_alone() -> None:
    assert probes.answered(made()[2], answer(202)).status == "ok"


def entry(
    message_id: str, outcome: Any = "processed", *, at: datetime = NOW, document: Any = None
) -> JournalEntry:  # fmt: skip
    return JournalEntry("segment", message_id, message_id, at, outcome, "", [], json.encode(document or {}))


def test_a_message_that_is_answered_elsewhere_is_not_found_again() -> None:
    probe = made()[0]
    assert statuses(probes.found(probe, [entry("m-1"), entry(probe.id)])) == ["ok"]
    assert statuses(probes.found(probe, [entry("m-1")])) == ["failure"]
    assert statuses(probes.found(probe, None, "journal.days is 0")) == ["skipped"]


@pytest.mark.parametrize(
    ("seconds", "status"), [(0.5, "ok"), (-30, "warning"), (30, "warning"), (3600, "failure")]
)
def test_when_a_message_was_received_shows_the_clock_of_the_server(seconds: float, status: str) -> None:
    probe = made()[0]
    entries = [entry(probe.id, at=NOW + timedelta(seconds=seconds))]
    assert statuses(probes.server_clock(probe, entries, NOW, NOW + timedelta(seconds=1))) == [status]


def arrived(entries: Iterable[JournalEntry]) -> arrivals.ArrivalCounts:
    found = arrivals.ArrivalCounts(Counter())
    found.add(entries)
    return found


def test_the_last_hour_is_counted_without_the_doctors_own_messages() -> None:
    entries = [entry("m-1"), entry("m-2"), entry("m-3", "quarantined"), entry(made()[0].id, "ignored")]
    found = arrived(entries)
    (line,) = arrivals.last_hour(found)
    assert (line.status, line.detail) == ("warning", "segment: 2 processed, 1 quarantined")
    assert statuses(arrivals.last_hour(arrived(entries[:2]))) == ["ok"]
    assert statuses(arrivals.last_hour(arrived(entries[3:]))) == ["warning"]
    assert statuses(arrivals.last_hour(None, "why")) == ["skipped"]


@pytest.mark.parametrize(("seconds", "status"), [(2, "ok"), (-30, "warning"), (900, "warning")])
def test_messages_that_arrive_before_segment_received_them_show_a_wrong_clock(
    seconds: int, status: str
) -> None:
    received_at = (NOW - timedelta(seconds=seconds)).isoformat()
    late = (NOW - timedelta(hours=3)).isoformat()
    entries = [entry("m-1", document={"receivedAt": received_at}),
               entry("m-2", document={"receivedAt": late}),
               entry("m-3", document={"receivedAt": "soon"}), entry("m-4", document=["cut"])]  # fmt: skip
    assert statuses(arrivals.sender_clock(arrived(entries))) == [status]
    assert statuses(arrivals.sender_clock(arrived([]))) == []


@pytest.mark.parametrize(
    ("delivered", "discarded", "status"),
    [(100, 0, "ok"), (110, 0, "ok"), (200, 0, "warning"), (100, 50, "warning")],
)
def test_segments_counts_stand_beside_ours(delivered: int, discarded: int, status: str) -> None:
    ours = arrived(entry(f"m-{number}") for number in range(100))
    metrics = [
        {"metricName": "successes", "total": delivered},
        {"metricName": "discarded", "total": discarded},
    ]
    (line,) = arrivals.delivered(metrics, ours)
    assert line.status == status
    assert f"{delivered} successes, {discarded} discarded; 100 arrived here" in line.detail


def test_metrics_of_other_names_are_shown_and_not_compared() -> None:
    (line,) = arrivals.delivered([{"metricName": "delivered_ok", "total": 9_000}], arrived([]))
    assert (line.status, line.detail) == ("ok", "Segment counts 9000 delivered_ok")
