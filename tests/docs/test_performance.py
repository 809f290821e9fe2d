"""docs/performance.md and its charts are what benchmarks/plots.py makes of the committed results."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks import plots
from benchmarks.charts import CHARTS, FIGURES, Chart, at

ROOT = Path(__file__).parents[2]
RESULTS = plots.load()


def test_the_tables_of_the_page_are_those_of_the_results() -> None:
    text = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    assert set(re.findall(r"<!-- results: (\w+) -->", text)) == set(RESULTS) == set(FIGURES)
    assert plots.page(text, RESULTS) == text, "run python -m benchmarks.plots"


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.name)
def test_a_chart_is_drawn_from_its_results(chart: Chart) -> None:
    drawn = plots.images(RESULTS)[f"{chart.name}.svg"]
    committed = (ROOT / "docs" / "images" / f"{chart.name}.svg").read_text(encoding="utf-8")
    assert committed == drawn, "run python -m benchmarks.plots"
    assert drawn.count('height="26"') == sum(
        at(RESULTS[chart.result]["figures"], key) is not None for _, key in chart.bars
    )


@pytest.mark.parametrize("name", RESULTS)
def test_a_result_names_its_command_its_commit_its_day_and_its_machine(name: str) -> None:
    result = RESULTS[name]
    assert result["command"].startswith(".venv/bin/python -m benchmarks.")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", result["measured"])
    assert all(result[key] for key in ("commit", "machine", "figures"))
