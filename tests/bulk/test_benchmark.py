"""The benchmark of imports runs, and its last line has what it says."""

from __future__ import annotations

import pytest

from benchmarks.bulk import main


@pytest.mark.process
def test_the_benchmark_runs_on_few_rows() -> None:
    last = main(["--rows", "300", "--batch-rows", "100", "--rounds", "1", "--calls", "5", "--no-postgres"])
    assert {
        "ratio_customers", "ratio_events", "events_over_batch_ingest", "peak_mb",
        "webhook_p99_beside_import_over_alone",
    } <= last.keys()  # fmt: skip
    assert last["peak_mb"] < 2_000
