"""Draw docs/images/*.svg, and fill the tables of docs/performance.md, from benchmarks/results/*.json.

    .venv/bin/python -m benchmarks.plots

`benchmarks.record` writes the results. A test compares the page and the images with what this makes of them.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from benchmarks.charts import CHARTS, FIGURES, Chart, at, shown, svg

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).parent / "results"
PAGE = ROOT / "docs" / "performance.md"
IMAGES = ROOT / "docs" / "images"
_SECTION = re.compile(r"(<!-- results: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def main() -> None:
    results = load()
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), results), encoding="utf-8")
    for name, content in images(results).items():
        (IMAGES / name).write_text(content, encoding="utf-8")


def load() -> dict[str, Any]:
    """Return the results by their names."""
    paths = sorted(RESULTS.glob("*.json"))
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in paths}


def images(results: dict[str, Any]) -> dict[str, str]:
    """Return the charts by the names of their files."""
    return {f"{chart.name}.svg": svg(chart, results[chart.result]["figures"]) for chart in CHARTS}


def page(text: str, results: dict[str, Any]) -> str:
    """Return the page with each section between its marks made anew."""
    return _SECTION.sub(lambda found: found[1] + _section(found[2], results[found[2]]) + found[3], text)


def _section(name: str, result: dict[str, Any]) -> str:
    drawn = [_image(chart) for chart in CHARTS if chart.result == name]
    return "\n".join(["", *drawn, *_table(name, result["figures"]), "", *_origin(result), ""]) + "\n"


def _image(chart: Chart) -> str:
    return f'<img src="images/{chart.name}.svg" width="560" alt="{chart.title}: see the table">\n'


def _table(name: str, figures: Any) -> list[str]:
    found = [(meaning, at(figures, key), unit) for key, meaning, unit in FIGURES[name]]
    rows = [f"| {meaning} | {shown(value)} {unit} |" for meaning, value, unit in found if value is not None]
    return ["| figure | value |", "|---|---|", *(row.replace("  |", " |") for row in rows)]


def _origin(result: dict[str, Any]) -> list[str]:
    lines = [
        f"- Command: `{result['command']}`",
        f"- Commit: {result['commit']}, measured {result['measured']}",
        f"- Machine: {result['machine']}",
    ]
    return lines + ([f"- Note: {result['note']}"] if result["note"] else [])


if __name__ == "__main__":
    main()
