"""The gauges have the counts of the store, of all processes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import Raw
from msgspec.structs import replace

from adapter.metrics import Metrics
from adapter.model.breakers import Tally
from adapter.model.deliveries import Pause
from adapter.model.quarantine import Quarantined
from adapter.services.background.store_metrics import StoreMetrics

NOW = datetime(2026, 3, 1, tzinfo=UTC)


async def test_the_gauge_counts_messages_in_quarantine_until_they_are_released(open_desk: Any) -> None:
    desk, metrics = await open_desk("name: none\ntrigger: never\naction: {type: free_shipping}"), Metrics()
    gauges = StoreMetrics(desk.store, metrics)
    kept = Quarantined("segment", "m", Raw(b"{}"), "no user", NOW)
    await desk.settle([replace(desk.work(), quarantine=kept)])
    await gauges.read()
    assert "adapter_quarantined_messages 1.0" in metrics.render().decode()
    [entry] = await desk.store.quarantined()
    await desk.store.release_quarantined([entry.id])
    await gauges.read()
    assert "adapter_quarantined_messages 0.0" in metrics.render().decode()


async def test_a_gauge_has_what_is_left_of_each_pool_that_rules_name(open_desk: Any) -> None:
    desk, metrics = await open_desk("name: none\ntrigger: never\naction: {type: free_shipping}"), Metrics()
    gauges = StoreMetrics(desk.store, metrics, pools=lambda: {"partner", "empty"})
    await desk.store.add_pool_codes("partner", ["P-1", "P-2"], NOW)
    await desk.store.add_pool_codes("of-no-rule", ["N-1"], NOW)
    await gauges.read()
    left = [
        line for line in metrics.render().decode().splitlines() if line.startswith("adapter_pool_codes_left{")
    ]
    assert left == [
        'adapter_pool_codes_left{pool="empty"} 0.0',
        'adapter_pool_codes_left{pool="partner"} 2.0',
    ]


async def test_destinations_to_which_nothing_is_sent_are_counted_once_each(open_desk: Any) -> None:
    desk, metrics = await open_desk(""), Metrics()
    gauges = StoreMetrics(desk.store, metrics, clock=lambda: NOW)
    for name, failed in (("crm", 10), ("shop", 10), ("news", 1)):
        await desk.store.settle([], Tally(name, 0, failed, NOW, "answered 500"))
    await desk.store.pause(Pause("shop", NOW, NOW + timedelta(hours=1), "answered 410"))
    await gauges.read()
    assert metrics.registry.get_sample_value("adapter_destinations_at_rest") == 2
