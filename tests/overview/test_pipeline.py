"""The pipeline in figures: stages, plots and percentiles of the recorded activity."""

from __future__ import annotations

from bisect import bisect_left
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from adapter.model.activity import BOUNDS, REQUEST_SECONDS, ActivityCount
from adapter.services.overview.pipeline import lines, percentile, stages, totals

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def test_each_stage_has_what_came_so_far_and_what_left_there() -> None:
    hour = {
        "messages/processed": 6, "messages/duplicate": 1, "messages/ignored": 2, "messages/quarantined": 1,
        "requests/refused": 3, "requests/failed": 4, "decisions": 5, "discounts/issued": 2,
        "discounts/withheld": 1, "deliveries/done": 2, "deliveries/retry": 7, "deliveries/dead": 1,
    }  # fmt: skip
    day = {"messages/processed": 30}
    found = stages(hour, day, {"messages/processed": 20})
    assert [(each.name, each.amount.hour, each.amount.day) for each in found] == [
        ("received", 10, 30), ("mapped", 7, 30), ("decided", 5, 0), ("issued", 2, 0), ("pushed", 2, 0),
    ]  # fmt: skip
    beside = {each.name: each.amount.hour for stage in found for each in stage.beside}
    assert beside == {
        "refused": 3, "not taken": 4, "own": 0, "ignored": 2, "quarantined": 1, "duplicate": 1,
        "withheld": 1, "retried": 7, "given up": 1,
    }  # fmt: skip
    assert (found[0].change, found[2].change) == (0.5, None)


def test_plots_have_a_point_for_each_span_also_where_nothing_happened() -> None:
    counted = [
        ActivityCount("messages/processed", NOON, 10),
        ActivityCount("messages/quarantined", NOON + 10 * MINUTE, 5),
        ActivityCount("request_seconds/0.005", NOON, 100),
    ]
    plots = lines(counted, NOON, NOON + 15 * MINUTE, 5 * MINUTE)
    messages = {each.label: each.points for each in plots["messages"].series}
    assert plots["messages"].at == [int((NOON + at * MINUTE).timestamp()) for at in (0, 5, 10)]
    assert (messages["received"], messages["mapped"]) == ([2, 0, 1], [2, 0, 0])
    speeds = {each.label: each.points for each in plots["milliseconds"].series}
    assert (speeds["p50"], speeds["p99"]) == ([3.75, None, None], [4.98, None, None])


def test_only_spans_between_two_moments_are_summed() -> None:
    counted = [ActivityCount("a", NOON + at * MINUTE, 1) for at in range(4)]
    assert totals(counted, NOON + MINUTE, NOON + 3 * MINUTE) == {"a": 2}


def test_without_requests_there_is_no_percentile() -> None:
    assert percentile({}, 0.99, REQUEST_SECONDS) is None


@given(
    st.lists(st.floats(0.0001, 10), min_size=1, max_size=50),
    st.sampled_from([0.5, 0.9, 0.99, 1.0]),
)
def test_a_percentile_is_in_the_bucket_of_the_true_one(seconds: list[float], share: float) -> None:
    bounds = [float(bound) for bound in BOUNDS[:-1]]
    counts: dict[str, int] = {}
    for each in seconds:
        name = REQUEST_SECONDS[BOUNDS[bisect_left(bounds, each)]]
        counts[name] = counts.get(name, 0) + 1
    found = percentile(counts, share, REQUEST_SECONDS)
    at = -(-share * len(seconds) // 1)
    true = sorted(seconds)[int(at) - 1]
    bucket = bisect_left(bounds, true)
    assert found is not None
    lower, upper = ([0.0, *bounds][bucket], [*bounds, bounds[-1]][bucket])
    assert lower <= found <= upper + 1e-9
