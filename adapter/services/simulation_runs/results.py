"""The result of a simulation as it is stored: a report without persons, and examples of customers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec
import zstandard
from msgspec import Struct
from msgspec.structs import replace

from adapter.model.encoding import encode
from adapter.model.simulations import CustomerDifference, SimulationResult
from adapter.services.simulation.comparison import Change
from adapter.services.simulation.report import Report
from adapter.services.simulation.sweep import Sweep


class FinishedSimulation(Struct, frozen=True):
    """A report, and the sweep of what-if values where there was one."""

    report: Report
    sweep: Sweep | None = None


class _Example(Struct, frozen=True):
    kind: Literal["more", "fewer"]
    change: Change


_REPORTS = msgspec.json.Decoder(FinishedSimulation)
_EXAMPLES = msgspec.json.Decoder(_Example)


def stored(simulated: FinishedSimulation) -> SimulationResult:
    """Return a result as the store keeps it."""
    compared = simulated.report.comparison
    examples: list[CustomerDifference] = []
    if compared is not None:
        examples += _examples("more", compared.more)
        examples += _examples("fewer", compared.fewer)
        compared = replace(compared, more=[], fewer=[])
    without = replace(simulated, report=replace(simulated.report, comparison=compared))
    return SimulationResult(zstandard.ZstdCompressor().compress(encode(without)), examples)


def read(result: SimulationResult) -> FinishedSimulation:
    """Return a stored result, with those examples whose customers are still known."""
    simulated = _REPORTS.decode(zstandard.ZstdDecompressor().decompress(result.report))
    compared = simulated.report.comparison
    if compared is None:
        return simulated
    known = [(_EXAMPLES.decode(each.body), each.source_id) for each in result.examples]
    found: dict[str, list[Change]] = {"more": [], "fewer": []}
    for example, source_id in known:
        found[example.kind].append(replace(example.change, source_id=source_id))
    compared = replace(compared, more=found["more"], fewer=found["fewer"])
    return replace(simulated, report=replace(simulated.report, comparison=compared))


def _examples(kind: Literal["more", "fewer"], changes: Sequence[Change]) -> list[CustomerDifference]:
    return [
        CustomerDifference(each.source_id, encode(_Example(kind, replace(each, source_id=""))))
        for each in changes
    ]
