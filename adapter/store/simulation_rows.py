"""Rows of simulations, the same for both engines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from adapter.model.simulations import CustomerDifference, SimulationResult, SimulationRun
from adapter.store.timestamps import micros

#: After all times of simulations.
LATEST: Final = (2**63 - 1, "")
_DECODER = msgspec.json.Decoder(SimulationRun)


def simulation_row(run: SimulationRun) -> tuple[str, int, str, str, int, bytes]:
    """Return the columns of a simulation without its result."""
    return run.id, micros(run.created_at), run.state, run.worker, micros(run.lease_until), _body(run)


def moved_row(run: SimulationRun) -> tuple[str, str, int, bytes]:
    """Return the id of a simulation, and the columns that change."""
    return run.id, run.state, micros(run.lease_until), _body(run)


def example_rows(run: SimulationRun, result: SimulationResult | None) -> list[tuple[str, str, int, bytes]]:
    """Return the rows of a result's examples."""
    examples = () if result is None else result.examples
    return [(each.source_id, run.id, number, each.body) for number, each in enumerate(examples)]


def read_simulation(body: bytes, state: str) -> SimulationRun:
    """Return a simulation from its columns; the state may have been changed in its column alone."""
    run = _DECODER.decode(body)
    return msgspec.structs.replace(run, state=state)


def read_result(report: bytes | None, examples: Iterable[Sequence[Any]]) -> SimulationResult | None:
    """Return a result, from the report and rows of source_id and body."""
    if report is None:
        return None
    return SimulationResult(report, [CustomerDifference(source_id, body) for source_id, body in examples])


def before_of(before: tuple[datetime, str] | None) -> tuple[int, str]:
    """Return the key before which a page is read."""
    return LATEST if before is None else (micros(before[0]), before[1])


def _body(run: SimulationRun) -> bytes:
    return msgspec.json.encode(run)
