"""How fast rules are simulated, and how much memory that takes, against live ingest of the same run.

A server gets batches of Segment calls (as in benchmarks/ingest.py) into a SQLite store, and while it runs,
`adapter simulate` goes over what it has recorded. Then books of 1, 100 and 1,000 rules are simulated over
events of 20,000 customers, each in a process of its own: 1 and 100 over a tenth of the events, 1,000 over a
hundredth. The book of 100 goes over all of them too: what that takes more is what events cost in memory.

    .venv/bin/python -m benchmarks.simulate
    .venv/bin/python -m benchmarks.simulate --events 100_000 --seconds 3 --rounds 1

The last line is JSON: `events_per_s_1`, `_100` and `_1000` by processor time, `peak_mb` of the run over all
events with `grown_mb` over the one of a tenth, `live_per_s`, `recorded_per_s` (the shipped rules over the
recorded events) and `ratio_over_live`, which is their quotient.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from adapter.model.encoding import encode
from adapter.model.event_names import EventNames
from adapter.model.events import Event, User
from adapter.rules.engine import ruleset
from adapter.services.simulation.run import Book, simulate
from adapter.services.simulation.spool import Spool
from adapter.services.simulation.traffic import Traffic
from benchmarks import rulebook
from benchmarks.ingest import HERE, _batches, serve_adapter, write_body

CUSTOMERS = 20_000
NAMES = ("product_viewed", "product_added", "checkout_started")
START = datetime(2026, 1, 1, tzinfo=UTC)
#: The book that is measured over all events, for memory.
LARGE = 100


def main() -> None:
    arguments = _arguments()
    if arguments.child:
        print(json.dumps(_simulated(arguments.child, arguments.events)))
        return
    live, recorded = [], []
    for number in range(arguments.rounds):
        rate, simulated = _recorded(number, arguments.seconds)
        live.append(rate)
        recorded.append(simulated)
        said = f"round {number + 1}: live {rate:,.0f}/s | simulated from its store {simulated:,.0f}/s"
        print(said, flush=True)
    few = arguments.events // 10
    rates = {}
    for count, events in ((1, few), (LARGE, few), (1_000, few // 10)):
        found = [_child(count, events)["events_per_s"] for _ in range(arguments.rounds)]
        rates[count] = statistics.median(found)
        print(f"{count:,} rules: {rates[count]:,.0f} events/s", flush=True)
    small, large = _child(LARGE, few), _child(LARGE, arguments.events)
    print(f"peak {small['peak_mb']} MB over {few:,} events, {large['peak_mb']} MB over {arguments.events:,}")
    print(json.dumps({
        "events_per_s_1": round(rates[1]), f"events_per_s_{LARGE}": round(rates[LARGE]),
        "events_per_s_1000": round(rates[1_000]), "peak_mb": large["peak_mb"],
        "grown_mb": large["peak_mb"] - small["peak_mb"], "events": arguments.events,
        "live_per_s": round(statistics.median(live)), "recorded_per_s": round(statistics.median(recorded)),
        "ratio_over_live": round(statistics.median(b / a for a, b in zip(live, recorded, strict=True)), 2),
    }))  # fmt: skip


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=10, help="of live batches in each round")
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--child", type=int, default=0, help=argparse.SUPPRESS)
    return parser.parse_args()


def _recorded(number: int, seconds: int) -> tuple[float, float]:
    """Return messages per second live, and events per second of a simulation beside the server."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        store = f"sqlite:///{folder / 'round.db'}"
        with serve_adapter(store) as url:
            live = _batches(url, write_body(folder), f"sim{number}", seconds)
            command = [sys.executable, "-m", "adapter.cli.main", "simulate", "--store", store,
                       "--since", "1d", "--json"]  # fmt: skip
            ended = subprocess.run(command, cwd=HERE.parent, capture_output=True, check=True)
    report = json.loads(ended.stdout)["report"]
    return live, report["messages"] / report["seconds"]


def _child(rules: int, events: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.simulate", "--child", str(rules), "--events", str(events)]
    ended = subprocess.run(command, cwd=HERE.parent, capture_output=True, check=True, env=dict(os.environ))
    found: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return found


def _simulated(rules: int, events: int) -> dict[str, Any]:
    """Simulate a book in this process; the traffic is written and sorted before the clock starts."""
    with tempfile.TemporaryDirectory() as place, Spool() as works, Spool() as before:
        book = _book(Path(place), rules)
        traffic = Traffic(works, before, recorded=True)
        for at, value in _events(events):
            works.add(at, value)
            traffic.messages += 1
        began = time.process_time()
        simulate(traffic, [Book.of("book", book, traffic, names=EventNames())])
        seconds = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return {"events_per_s": events / seconds, "peak_mb": peak}


def _book(folder: Path, count: int) -> ruleset.RuleSet:
    text = "rules:\n" + "".join(
        f"  - name: r{nth}\n    trigger: checkout_started\n    conditions: [{json.dumps(rule.text())}]\n"
        "    action: {type: percentage_off, value: 10, max_amount: 20, expires_in_hours: 72}\n"
        "    guardrails: {per_user_limit: 1, max_daily_redemptions: 20}\n"
        for nth, rule in enumerate(rulebook.rules(count))
    )
    (folder / "rules.yaml").write_text(text)
    found, problems = ruleset.load(folder)
    if found is None:
        sys.exit(f"the rules are wrong: {problems[0]}")
    return found


def _events(count: int) -> Iterator[tuple[datetime, tuple[str, bytes]]]:
    """Yield events of a month: when, the customer, and the event as a store has it."""
    source, attributes = random.Random(5), rulebook.events(5_000)
    for nth in range(count):
        at = START + timedelta(days=30) * (nth / count)
        who = f"customer-{source.randrange(CUSTOMERS)}"
        event = Event(f"e{nth}", NAMES[nth % 3], at, User(id=who), attributes[nth % 5_000], {})
        yield at, (who, encode(event))


if __name__ == "__main__":
    main()
