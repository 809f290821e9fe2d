"""Metrics are flushed before they are read."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from adapter.metrics import Metrics

SECONDS = st.lists(st.floats(0, 10) | st.sampled_from([0.0, 0.001, 0.0025, 5.0]), max_size=50)


@given(SECONDS, SECONDS)
def test_observing_many_amounts_at_once_equals_observing_each(first: list[float], then: list[float]) -> None:
    together, alone = Metrics(), Metrics()
    at_once, one_by_one = (each.request_seconds.labels("x") for each in (together, alone))
    for amounts in (first, then):
        at_once.observe_all(amounts)
        for amount in amounts:
            one_by_one.observe(amount)
    samples = [
        {(each.name, *each.labels.items()): each.value for metric in one.registry.collect()
         for each in metric.samples if each.name.startswith("adapter_request_seconds_")}
        for one in (together, alone)
    ]  # fmt: skip
    assert samples[0].keys() == samples[1].keys()
    for key, value in samples[0].items():
        if key[0] != "adapter_request_seconds_created":
            assert abs(value - samples[1][key]) < 1e-9, key


def test_counters_are_flushed_before_a_scrape() -> None:
    metrics = Metrics()
    metrics.register_flush(lambda: metrics.waiting.set(7))
    assert "adapter_waiting_messages 7.0" in metrics.render().decode()
